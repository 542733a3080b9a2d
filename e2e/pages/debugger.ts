import { expect, type Locator, type Page } from '@playwright/test';
import { Column } from './column.ts';

export type StepButton = 'Step over' | 'Step into' | 'Step out';
export type Granularity = 'Line' | 'BPF' | 'Native' | 'Cycle';

/** The debug view: toolbar, columns and panes, by the names that a user finds them by. */
export class DebuggerPage {
  readonly source: Column;
  readonly bpf: Column;
  readonly native: Column;
  readonly stopReason: Locator;
  readonly session: Locator;
  readonly result: Locator;
  readonly registers: Locator;
  readonly callStack: Locator;
  readonly frames: Locator;
  readonly console: Locator;
  readonly counters: Locator;
  /** The answer to who wrote something last. */
  readonly lastWrite: Locator;

  constructor(private readonly page: Page) {
    this.source = this.column('Source', 'Source');
    this.bpf = this.column('BPF', 'BPF instructions');
    this.native = this.column('Native', 'Native instructions');
    this.session = page.getByRole('region', { name: 'Session' });
    this.stopReason = this.session.getByRole('status');
    this.result = page.getByRole('region', { name: 'Result' });
    this.registers = page.getByRole('table', { name: 'Registers' });
    this.callStack = page.getByRole('listbox', { name: /^Call stack/ });
    this.frames = this.callStack.getByRole('option');
    this.console = page.getByRole('log', { name: 'Console' });
    this.counters = page.getByLabel('Counters');
    this.lastWrite = page.getByRole('region', { name: 'Who wrote it last' });
  }

  private column(region: string, text: string): Column {
    return new Column(
      this.page.getByRole('region', { name: region, exact: true }),
      this.page.getByRole('textbox', { name: text, exact: true }),
    );
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async ready(): Promise<void> {
    await expect(this.session).toContainText('Stopped');
    await expect(this.native.current).toHaveCount(1);
  }

  granularity(name: Granularity): Locator {
    return this.page.getByRole('group', { name: 'Step by' }).getByRole('button', { name, exact: true });
  }

  async stepBy(granularity: Granularity): Promise<void> {
    await this.granularity(granularity).click();
  }

  /** Steps and waits until the next stop is shown. */
  async step(name: StepButton): Promise<void> {
    const where = async () => `${await this.session.textContent()} ${await this.instructions()}`;
    const before = await where();
    await this.button(name).click();
    await expect.poll(where).not.toBe(before);
    await expect(this.session).not.toContainText('Running');
  }

  /** Instructions executed, as the status bar counts them. */
  async instructions(): Promise<number> {
    const text = (await this.counters.textContent()) ?? '';
    return Number(/instructions([\d\u2009]+)/.exec(text)?.[1]?.replaceAll('\u2009', '') ?? -1);
  }

  async resume(): Promise<void> {
    await this.button('Continue').click();
  }

  tab(name: string): Locator {
    return this.page.getByRole('tab', { name, exact: true });
  }

  async addEventBreakpoint(label: string, helper?: string): Promise<void> {
    await this.tab('Breakpoints').click();
    const form = this.page.getByRole('form', { name: 'Add an event breakpoint' });
    await form.getByLabel('Break on').selectOption({ label });
    if (helper !== undefined) await form.getByRole('textbox').fill(helper);
    await form.getByRole('button', { name: 'Add' }).click();
    await expect(this.page.getByRole('list', { name: 'Breakpoints' })).toContainText(
      new RegExp(helper ?? label, 'i'),
    );
  }

  /** The row of a register by its ABI name. */
  register(abi: string): Locator {
    return this.registers.getByRole('row', { name: new RegExp(`^${abi} `) });
  }

  /** The value of a register at the stop that the window shows. */
  async value(abi: string): Promise<string> {
    await expect(this.registers).toHaveAttribute('aria-busy', 'false');
    return (await this.register(abi).getByRole('cell').nth(3).textContent()) ?? '';
  }

  /** Chooses from a register's context menu. */
  async chooseForRegister(abi: string, item: string): Promise<void> {
    await this.register(abi).click({ button: 'right', position: { x: 30, y: 8 } });
    await this.page.getByRole('menuitem', { name: item, exact: true }).click();
  }

  /** The sentence under a6 or s6. */
  registerNote(abi: 'a6' | 's6'): Locator {
    return this.register(abi).locator('xpath=following-sibling::tr[1]');
  }

  /** Names of the frames at the stop that the window shows, innermost first. */
  async stack(): Promise<string[]> {
    await expect(this.callStack).toHaveAttribute('aria-busy', 'false');
    return this.frames.locator('.name').allTextContents();
  }

  functionShown(): Locator {
    return this.page.getByRole('combobox', { name: 'Function' });
  }
}
