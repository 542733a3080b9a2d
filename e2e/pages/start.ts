import type { Locator, Page } from '@playwright/test';

/** The start page: examples, opening, setting up a program. */
export class StartPage {
  readonly heading: Locator;
  readonly problem: Locator;
  readonly packet: Locator;
  readonly kernel: Locator;
  readonly scheme: Locator;
  readonly startButton: Locator;

  constructor(private readonly page: Page) {
    this.heading = page.getByRole('heading', { name: 'Hartbeat' });
    this.problem = page.getByRole('alert');
    this.packet = page.getByRole('textbox', { name: /^Packet/ });
    this.kernel = page.getByRole('combobox', { name: 'Kernel' });
    this.scheme = page.getByRole('combobox', { name: 'TCC scheme' });
    this.startButton = page.getByRole('button', { name: /^Start/ });
  }

  async debugExample(title: string): Promise<void> {
    await this.page.getByRole('button', { name: `Debug ${title}` }).click();
  }

  async setUpExample(title: string): Promise<void> {
    await this.page.getByRole('button', { name: `Set up ${title}` }).click();
  }

  async open(): Promise<void> {
    await this.page.getByRole('button', { name: /^Open…/ }).click();
  }

  program(name: string): Locator {
    return this.page.getByRole('radio', { name: new RegExp(`^${name}\\b`) });
  }

  /** Drops a file onto the window. */
  async drop(name: string, bytes: readonly number[]): Promise<void> {
    const data = await this.page.evaluateHandle(
      ([fileName, content]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(content)], fileName));
        return transfer;
      },
      [name, bytes] as const,
    );
    await this.page.dispatchEvent('body', 'dragenter', { dataTransfer: data });
    await this.page.dispatchEvent('body', 'drop', { dataTransfer: data });
  }
}
