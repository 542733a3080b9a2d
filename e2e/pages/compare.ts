import { expect, type Locator, type Page } from '@playwright/test';

type Side = 'Left' | 'Right';

/** The comparison of two profiles, in its pane or in the start page's dialog. */
export class ComparePage {
  readonly grid: Locator;
  readonly rows: Locator;
  readonly count: Locator;
  readonly refusal: Locator;
  readonly totals: Locator;
  readonly runs: Locator;

  constructor(private readonly page: Page) {
    this.grid = page.getByRole('grid', { name: /under two profiles$/ });
    this.rows = this.grid.getByRole('row');
    this.count = page.getByRole('status').filter({ hasText: /rows? differ|^ *Difference/ });
    this.refusal = page.getByRole('alert').filter({ hasText: /./ });
    this.totals = page.getByLabel('Totals, left and right');
    this.runs = page.getByRole('table', { name: /run under two profiles$/ });
  }

  kernel(side: Side): Locator {
    return this.page.getByRole('combobox', { name: `${side} kernel` });
  }

  scheme(side: Side): Locator {
    return this.page.getByRole('combobox', { name: `${side} TCC scheme` });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** The line that the keys act on. */
  get cursor(): Locator {
    return this.grid.locator('[aria-selected="true"]');
  }

  async onlyDifferences(): Promise<void> {
    await this.page.getByRole('checkbox', { name: 'Only differences' }).check();
  }

  /** Both sides' cells of a row of the table of runs. */
  async result(what: string): Promise<string[]> {
    const cells = this.runs.getByRole('row', { name: new RegExp(`^${what}`) }).getByRole('cell');
    await expect(cells.first()).toBeVisible();
    return [(await cells.nth(0).textContent()) ?? '', (await cells.nth(2).textContent()) ?? ''];
  }
}
