import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, ROOT, test } from './fixtures.ts';

test('everything by keyboard: start, step, break, palette, go to, end', async ({ open }) => {
  const { debug, start, page } = await open();
  await debug.ready();
  const keys = page.keyboard;
  await keys.press('Control+Shift+P');
  await keys.type('step by native');
  await keys.press('Enter');
  await keys.press('F11');
  await expect(debug.counters).toContainText('instructions1');

  await keys.press('Alt+2');
  await expect(debug.bpf.text).toBeFocused();
  for (let i = 0; i < 8; i++) await keys.press('ArrowDown');
  await keys.press('F9');
  await expect(debug.bpf.breakpoints('own')).toHaveCount(1);
  await keys.press('F5');
  await expect(debug.stopReason).toContainText('Breakpoint 1');

  await keys.press('Control+G');
  await keys.type('on_udp');
  await keys.press('Enter');
  await expect(debug.functionShown()).toHaveValue('on_udp/on_udp');
  await keys.press('Control+.');
  await expect(debug.functionShown()).toHaveValue('dispatch/dispatch');

  await keys.press('Alt+5');
  await expect(debug.frames.first()).toBeFocused();
  await keys.press('ArrowDown');
  await expect(debug.frames.nth(1)).toHaveAttribute('aria-selected', 'true');

  await keys.press('Control+Shift+F5');
  await expect(debug.stopReason).toHaveText('Entered dispatch.');
  await keys.press('Shift+F11');
  await expect(debug.stopReason).toContainText('Breakpoint 1');
  await keys.press('Shift+F5');
  await expect(start.heading).toBeVisible();
  await keys.press('F5');
  await debug.ready();
});

test('a long run can be paused, looked at and ended; the window stays alive @double', async ({ open }) => {
  const { debug, start, page } = await open();
  await debug.ready();
  await debug.button('Programs, inputs and examples').click();
  await start.setUpExample('The tail call hierarchy');
  await start.scheme.selectOption('stack-v1');
  await start.startButton.click();
  await debug.ready();
  await debug.resume();
  await expect(debug.session).toContainText('Running');
  await page.waitForTimeout(400);
  await expect(debug.button('Step over')).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('F6');
  await expect(debug.stopReason).toContainText('Paused in');
  await expect.poll(() => debug.instructions()).toBeGreaterThan(100_000);
  await debug.step('Step over');
  await debug.resume();
  await expect(debug.session).toContainText('Running');
  await debug.button('End').click();
  await expect(start.heading).toBeVisible();
});

test('themes, and no complaint of the content security policy on the way through the window @double', async ({
  open,
}) => {
  const { debug, page, complaints } = await open();
  await debug.ready();
  const background = () =>
    page.evaluate(
      () => getComputedStyle(document.querySelector('[data-pane="native"]') ?? document.body).backgroundColor,
    );
  expect(await background()).toBe('rgb(255, 255, 255)');
  const choose = async (theme: string) => {
    await page.getByRole('button', { name: 'View', exact: true }).click();
    await page.getByRole('menuitemradio', { name: theme }).click();
    await page.keyboard.press('Escape');
  };
  await choose('Dark');
  await expect.poll(background).toBe('rgb(24, 27, 32)');
  await choose('High contrast');
  await expect.poll(background).toBe('rgb(0, 0, 0)');
  await choose('System');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(background).toBe('rgb(24, 27, 32)');

  for (const tab of ['Breakpoints', 'Maps', 'Memory', 'Console']) await debug.tab(tab).click();
  await debug.tab('Memory').click();
  await expect(page.getByRole('table', { name: 'Memory' })).toBeVisible();
  await debug.native.hover(/^li a6, 33$/);
  await expect(
    page.getByText('A program entry starts with a budget of 33 tail calls in a6.').last(),
  ).toBeVisible();
  await page.keyboard.press('Control+/');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await debug.native.line('nop').first().click({ button: 'right' });
  await expect(page.getByRole('menuitem', { name: 'Copy address' })).toBeVisible();
  await page.keyboard.press('Escape');
  await debug.button('Instruction bytes').click();
  await expect(page.getByText('02100813', { exact: true })).toBeVisible();
  expect(complaints).toEqual([]);
});

test('the page is closed to script from elsewhere and knows nothing of Node @double', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();
  expect(await page.evaluate(() => [typeof globalThis.require, typeof globalThis.process])).toEqual([
    'undefined',
    'undefined',
  ]);
  const refused = await page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
        document.body.appendChild(document.createElement('script')).textContent = 'window.injected = true';
        setTimeout(() => resolve('nothing'), 1000);
      }),
  );
  expect(refused).toBe('script-src-elem');
});

test('settings, layout and the session survive a reload', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();
  await debug.stepBy('Native');
  await debug.step('Step over');
  await debug.step('Step over');
  await debug.tab('Maps').click();
  await page.reload();
  await debug.ready();
  await expect.poll(() => debug.native.currentText()).toBe('li a6, 33');
  await expect(debug.granularity('Native')).toHaveAttribute('aria-pressed', 'true');
  await expect(debug.tab('Maps')).toHaveAttribute('aria-selected', 'true');
});

test('a small window and a magnified one can be used', async ({ open }) => {
  const { debug, page } = await open({ width: 900, height: 600 });
  await debug.ready();
  for (const name of ['Continue', 'Step over', 'Restart', 'All commands'])
    await expect(debug.button(name)).toBeInViewport();
  for (const name of ['Registers', 'Call stack', 'Frame', 'Native'])
    await expect(debug.tab(name)).toBeInViewport();
  // 1280 by 800 at 200 %
  await page.setViewportSize({ width: 640, height: 400 });
  await debug.step('Step over');
  await debug.register('a6').scrollIntoViewIfNeeded();
  await expect(debug.register('a6')).toBeInViewport();
});

test('a picture of the window', async ({ open }, info) => {
  const { debug, start, page } = await open({ width: 1440, height: 900 });
  await debug.ready();
  await debug.button('Programs, inputs and examples').click();
  await start.debugExample('Subprograms that call helpers');
  await debug.ready();
  await debug.source.clickGutter('end = stamp(2);');
  await debug.resume();
  await expect(debug.stopReason).toContainText('Breakpoint 1');
  await debug.addEventBreakpoint('Helper call', 'bpf_ktime_get_ns');
  await debug.resume();
  await expect(debug.stopReason).toContainText('call of bpf_ktime_get_ns');
  await debug.stepBy('Native');
  await debug.step('Step over');
  await expect(debug.registerNote('a6')).toContainText('Clobbered');
  await debug.tab('Console').click();
  await debug.button('Put the hint away').click();
  await page.mouse.move(0, 0);
  const file = info.outputPath('window.png');
  await page.screenshot({ path: file, animations: 'disabled' });
  // The README's picture is renewed on request: HARTBEAT_PICTURE=docs/window.png npx playwright test -g picture
  if (process.env.HARTBEAT_PICTURE) await copyFile(file, path.resolve(ROOT, process.env.HARTBEAT_PICTURE));
});
