import path from 'node:path';
import { EXAMPLES, expect, test } from './fixtures.ts';

const TRACED = path.join(EXAMPLES, 'traced_function.o');

test('the trampoline of two tracing programs: code and frame light up together, changes are made anew @double', async ({
  open,
}) => {
  const { debug, start, page, complaints } = await open({ file: TRACED });
  await debug.ready();
  await page.keyboard.press('Shift+F5');
  await start.program('on_exit').check();
  await page.getByRole('button', { name: 'Trampolines…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Trampoline on admit' });
  const code = dialog.getByRole('grid', { name: 'Native code of the trampoline on admit' });
  const frame = dialog.getByRole('table', { name: /^Frame of the trampoline on admit/ });
  await expect(dialog.getByText('int admit(struct xdp_md *ctx, u32 queue, u64 length)')).toBeVisible();
  await expect(dialog.getByRole('status')).toHaveText('296 bytes in a buffer of 332, frame of 128 bytes');

  // The counter's slot, and the instructions that use it.
  await frame.getByRole('row', { name: /\btcc\b/ }).click();
  await expect(
    dialog.getByText(/^tcc: The tail call counter while C code runs\. 4 instructions here\.$/),
  ).toBeVisible();
  // By keys from an instruction to its rule and slot.
  await code.focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowDown');
  await expect(code.locator('[aria-selected="true"]')).toHaveAccessibleName(
    'sd a6, -104(s0), tcc/store, stores tcc',
  );
  await expect(dialog.getByText('Stores the counter in its slot of this frame.')).toBeVisible();

  // What the kernel ships has no slot for it, and six arguments and a struct take more room.
  await dialog.getByRole('combobox', { name: 'Profile TCC scheme' }).selectOption('mainline');
  await expect(frame.getByRole('row', { name: /\btcc\b/ })).toHaveCount(0);
  await dialog.getByRole('textbox', { name: 'Arguments' }).fill('s32, ptr, struct:16, u8');
  await page.keyboard.press('Tab');
  await expect(frame.getByRole('row', { name: /argument 4/ })).toBeVisible();
  await dialog.getByRole('combobox', { name: 'Kind of on_entry' }).selectOption('fmod_ret');
  await expect(dialog.getByRole('alert')).toContainText('whose result fmod_ret programs cannot change');
  await dialog.getByRole('combobox', { name: 'is', exact: true }).selectOption('kernel function');
  await expect(dialog.getByText('skip-original').first()).toBeVisible();

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await dialog.getByRole('button', { name: 'Copy as text' }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^Trampoline on admit at 0x[0-9a-f]+: \d+ bytes native/);
  expect(text).toMatch(/^ +fp-\d+ = sp\+\d+ +saved s1 +8 bytes +s1 +s1 keeps the start time/m);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  expect(complaints).toEqual([]);
});

test('from the palette of a session whose object has none: any trampoline', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();
  await page.keyboard.press('Control+Shift+P');
  await page.keyboard.type('trampolines');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Trampoline on traced' });
  await expect(dialog.getByText('Returns into it.')).toBeVisible();
  await dialog.getByRole('combobox', { name: 'Kind of fentry1' }).selectOption('fsession');
  await expect(dialog.getByRole('alert')).toContainText('Kernel 6.12 has no fsession programs');
  await dialog.getByRole('combobox', { name: 'Profile kernel' }).selectOption('7.2');
  await dialog.getByRole('checkbox', { name: 'session cookie' }).check();
  await expect(dialog.getByRole('row', { name: /session cookie 0/ }).first()).toBeVisible();
  await dialog.getByRole('button', { name: 'Detach fsession1' }).click();
  await expect(dialog.getByRole('alert')).toContainText('attach at least one program');
});
