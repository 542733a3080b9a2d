import { expect, test } from './fixtures.ts';

test('a watchpoint on a6 stops with who wrote it; who wrote it last leads there', async ({ open }) => {
  const { debug, page, complaints } = await open();
  await debug.ready();

  // By the menu of the register.
  await debug.chooseForRegister('a6', 'Break when changed');
  await debug.tab('Breakpoints').click();
  const list = page.getByRole('list', { name: 'Breakpoints' }).getByRole('listitem');
  await expect(list).toHaveText(/Register watchpoint\s*a6 changed\s*0 hits/);
  await debug.resume();
  await expect(debug.stopReason).toHaveText(
    /^Watchpoint 1: a6 was written, 0x[0-9a-f]+ → 0x21, by li a6, 33 at bpf_prog_\w+_dispatch\+0x/,
  );
  await expect.poll(() => debug.value('a6')).toBe('0x21');
  await debug.button('Show the instruction').click();
  await expect(debug.native.text.locator('.cm-activeLine, [data-linked]').first()).toContainText('li a6, 33');
  await expect(list).toContainText('1 hit');

  // On to the next write: the tail call counts down.
  await debug.resume();
  await expect(debug.stopReason).toContainText('0x21 → 0x20, by addi a6, a6, -1');
  await expect(debug.stopReason).toContainText(/\(BPF instruction \d+: tail_call\)/);

  // From the end back to who wrote it last, and from there to the one before.
  await list.getByRole('checkbox').uncheck();
  await debug.resume();
  await expect(debug.session).toContainText('Ended');
  const end = await debug.instructions();
  await debug.chooseForRegister('a6', 'Who wrote this last?');
  await expect(debug.lastWrite).toContainText(/^a6 was last written by /);
  expect(await debug.instructions()).toBe(end);
  const answer = await debug.lastWrite.textContent();
  await debug.lastWrite.getByRole('button', { name: 'Go there' }).click();
  await expect.poll(() => debug.instructions()).toBeLessThan(end);
  await expect(debug.session).toContainText('Stopped');
  const native = /last written by (.+?) at bpf_prog/.exec(answer ?? '')?.[1];
  expect(native).toBeDefined();
  await expect(debug.native.current).toHaveText(native ?? '');
  await expect(debug.lastWrite).toHaveCount(0);

  // Back to it by the watchpoint: reverse continue stops there, too.
  await list.getByRole('checkbox').check();
  const there = await debug.instructions();
  await debug.button('Continue back').click();
  await expect(debug.stopReason).toContainText('Watchpoint 1: a6 was written');
  expect(await debug.instructions()).toBeLessThan(there);
  expect(complaints).toEqual([]);
});

test('memory: by keyboard alone, an address told by a register', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();
  await page.keyboard.press('Control+Shift+F9');
  const dialog = page.getByRole('dialog', { name: 'Add a watchpoint' });
  await expect(dialog).toBeVisible();
  await dialog.getByLabel('Watch').selectOption('memory');
  const address = dialog.getByLabel('Address');
  await address.fill('nowhere');
  await address.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('Write an address as 0x…');
  await address.fill('sp - 8');
  await dialog.getByLabel('Stop when it').selectOption('written');
  await address.press('Enter');
  await expect(dialog).toHaveCount(0);
  await debug.resume();
  // The prologue saves the caller's frame pointer right below the caller's frame.
  await expect(debug.stopReason).toHaveText(
    /^Watchpoint 1: 8 bytes at 0x\w+ were written, .* by sd s0, \d+\(sp\) at bpf_prog/,
  );

  await debug.tab('Memory').click();
  const bytes = page.getByRole('group', { name: 'Bytes' });
  await bytes.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press(i === 0 ? 'ArrowRight' : 'Shift+ArrowRight');
  await expect(page.getByText(/^4 bytes from 0x/)).toBeVisible();
  await page.keyboard.press('Control+Shift+P');
  await page.keyboard.type('who wrote the chosen bytes');
  await page.keyboard.press('Enter');
  await expect(debug.lastWrite).toContainText(/4 bytes at 0x\w+ (were last written|since)/);
});
