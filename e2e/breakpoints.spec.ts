import { expect, test } from './fixtures.ts';

test('breakpoints in each column: set, shown in the others, hit, disabled, removed', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();

  await debug.bpf.clickGutter('r8 = r1');
  await expect(debug.bpf.breakpoints('own')).toHaveCount(1);
  await expect(debug.native.breakpoints('implied')).toHaveCount(1);
  await debug.resume();
  await expect(debug.stopReason).toContainText('Breakpoint 1 (dispatch/dispatch slot 7)');
  await expect.poll(() => debug.bpf.currentText()).toBe('r8 = r1');

  await debug.native.click(/^sw s2, -4\(s5\)$/);
  await page.keyboard.press('F9');
  await expect(debug.native.breakpoints('own')).toHaveCount(1);
  await page.keyboard.press('F5');
  await expect(debug.stopReason).toContainText('Breakpoint 2');

  await debug.tab('Breakpoints').click();
  const list = page.getByRole('list', { name: 'Breakpoints' }).getByRole('listitem');
  await expect(list).toHaveCount(2);
  await expect(list.first()).toContainText('1 hit');
  await page.getByRole('checkbox', { name: 'Breakpoint 2 enabled' }).uncheck();
  await debug.button('Restart').click();
  await expect(debug.stopReason).toHaveText('Entered dispatch.');
  await debug.resume();
  await expect(debug.stopReason).toContainText('Breakpoint 1');
  await debug.resume();
  await expect(debug.session).toContainText('Ended');

  await debug.button('Remove breakpoint 1').click();
  await debug.button('Remove breakpoint 2').click();
  await expect(page.getByText('No breakpoints', { exact: true })).toBeVisible();
  await expect(debug.bpf.breakpoints('own')).toHaveCount(0);
});

test('a source line: breakpoint by the menu, run to the cursor by key', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();
  await debug.source.line('switch (ethernet->type)').click({ button: 'right', position: { x: 20, y: 8 } });
  await page.getByRole('menuitem', { name: 'Set breakpoint' }).click();
  await expect(debug.source.breakpoints('own')).toHaveCount(1);
  await debug.resume();
  await expect(debug.stopReason).toContainText('Breakpoint 1 (tailcall_dispatch.c:78)');
  await expect.poll(() => debug.source.currentText()).toContain('switch (ethernet->type)');

  await debug.button('Restart').click();
  await expect(debug.stopReason).toHaveText('Entered dispatch.');
  await debug.source.click('if (!ethernet)');
  await page.keyboard.press('Control+F10');
  await expect(debug.source.current).toContainText('if (!ethernet)');
});

test('a refused tail call says why', async ({ open }) => {
  const { debug, start } = await open();
  await debug.ready();
  await debug.button('Programs, inputs and examples').click();
  const packet = await start.packet.inputValue();
  await start.packet.fill('00 0x');
  await expect(start.startButton).toBeDisabled();
  const bytes = packet.replace(/\s+/g, '').replace(/^(.{24})0800/, '$186dd');
  await start.packet.fill(bytes);
  await start.startButton.click();
  await debug.ready();
  await debug.addEventBreakpoint('Tail call refused');
  await debug.resume();
  await expect(debug.stopReason).toContainText('tail call refused in dispatch, slot 1 of types is empty');
  await debug.resume();
  await expect(debug.result).toContainText('2 XDP_PASS');
});
