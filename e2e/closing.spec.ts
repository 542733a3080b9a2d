import { expect, test, type HartbeatWindow } from './fixtures.ts';

/** Starts a program that practically never ends: the scheme restores the count of tail calls for each frame. */
async function startEndless({ debug, start }: HartbeatWindow): Promise<void> {
  await debug.ready();
  await debug.button('Programs, inputs and examples').click();
  await start.setUpExample('The tail call hierarchy');
  await start.scheme.selectOption('stack-v1');
  await start.startButton.click();
  await debug.ready();
  await debug.resume();
  await expect(debug.stopReason).toContainText('The program runs');
}

test('a long run leaves the window to the user: keys, panes, the palette, a pause and on again @double', async ({
  open,
}) => {
  const window = await open();
  const { debug, page } = window;
  const keys = page.keyboard;
  await startEndless(window);

  // None of this waits for the program, and none of it stops it.
  await keys.press('Control+Shift+P');
  await keys.type('theme: dark');
  await keys.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await keys.press('Alt+3');
  await expect(debug.native.text).toBeFocused();
  // One that this program does not hit: it calls no such helper.
  await debug.addEventBreakpoint('Helper call', 'bpf_ktime_get_ns');
  await debug.functionShown().selectOption('entry/call_entry');
  await expect(debug.bpf.line('tail_call').first()).toBeVisible();
  await debug.tab('Memory').click();
  await expect(page.getByText('It shows when the program stops.')).toBeVisible();
  await expect(debug.stopReason).toContainText('The program runs');

  let before = 0;
  for (let i = 0; i < 3; i++) {
    await keys.press('F6');
    await expect(debug.stopReason).toContainText('Paused in');
    await expect(debug.frames.last()).toContainText('__sys_bpf');
    await expect.poll(() => debug.instructions()).toBeGreaterThan(before);
    before = await debug.instructions();
    await expect(page.getByRole('table', { name: 'Memory' })).toBeVisible();
    await keys.press('F5');
    await expect(debug.stopReason).toContainText('The program runs');
  }
});

test('a reload in the middle of a long run keeps it running @window', async ({ open }) => {
  const window = await open();
  const { debug, page } = window;
  await startEndless(window);
  await page.reload();
  await expect(debug.stopReason).toContainText('The program runs');
  await page.keyboard.press('F6');
  await expect(debug.stopReason).toContainText('Paused in');
});

test('closing the window in the middle of a long run ends the debugger @closing', async ({ open }) => {
  const window = await open();
  await startEndless(window);
  await window.page.close();
  expect(await window.ended()).toBe(0);
});

test('a host that only serves pauses a long run when its window closes; the next window finds it', async ({
  open,
}) => {
  const window = await open();
  await startEndless(window);
  const { page } = window;
  const context = page.context();
  const address = page.url();
  await page.close();
  // A window that opens at once is as good as a reload: the run goes on until none has been there for a while.
  const look = async (): Promise<string> => {
    const next = await context.newPage();
    await next.goto(address);
    const session = next.getByRole('region', { name: 'Session' });
    await expect(session).toContainText(/The program runs|Paused in/);
    const text = (await session.textContent()) ?? '';
    await next.close();
    return text;
  };
  await expect.poll(look, { intervals: [2500] }).toContain('Paused in');
  const where = await look();
  expect(await look()).toBe(where);
});
