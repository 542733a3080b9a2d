import { expect, type Locator } from '@playwright/test';

/** One of the three code columns. */
export class Column {
  readonly current: Locator;
  readonly linked: Locator;

  constructor(
    private readonly region: Locator,
    readonly text: Locator,
  ) {
    this.current = text.locator('[aria-current]');
    this.linked = text.locator('[data-linked]');
  }

  line(content: string | RegExp): Locator {
    return this.text.locator('.cm-line').filter({ hasText: content });
  }

  /** Clicks at the beginning of a line: its middle may be scrolled out of sight. */
  async click(content: string | RegExp): Promise<void> {
    await this.line(content)
      .first()
      .click({ position: { x: 20, y: 8 } });
  }

  async hover(content: string | RegExp): Promise<void> {
    await this.line(content)
      .first()
      .hover({ position: { x: 20, y: 8 } });
  }

  /** Clicks into the gutter of breakpoints beside a line. */
  async clickGutter(content: string | RegExp): Promise<void> {
    const box = await this.line(content).first().boundingBox();
    const edge = await this.region.boundingBox();
    if (!box || !edge) throw new Error(`no line ${content} on screen`);
    await this.region.page().mouse.click(edge.x + 9, box.y + box.height / 2);
  }

  /** Breakpoint marks beside lines: set here, or implied by another column's. */
  breakpoints(kind: 'own' | 'implied'): Locator {
    return this.region.locator(`.hb-bp-${kind}`);
  }

  async currentText(): Promise<string> {
    await expect(this.current).toHaveCount(1);
    return (await this.current.textContent()) ?? '';
  }
}
