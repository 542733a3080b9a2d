import { expect, test } from './fixtures.ts';

test('the passes of the JIT: sizes by pass, what changed, where the image was allocated @double', async ({
  open,
}) => {
  const { debug, page, complaints } = await open();
  await debug.ready();
  await page.keyboard.press('Control+Shift+P');
  await page.keyboard.type('passes of this function');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: /passes of dispatch$/ });
  const table = dialog.getByRole('table');
  await expect(table.getByRole('columnheader')).toHaveText([
    'BPF instruction',
    'dry',
    '1',
    '2 ▼',
    '3',
    'final',
  ]);
  const rows = table.getByRole('row');
  await expect(rows.filter({ hasText: '[prologue]' }).getByRole('cell')).toHaveText([
    '–',
    '30',
    '30',
    '30',
    '30',
  ]);
  // The last pass is as long as the function.
  await expect(dialog).toContainText(/The image of 346 bytes was allocated after pass 2/);
  await expect(rows.last().getByRole('cell').last()).toHaveText('346');

  // A jump is short as soon as its distance is known.
  await dialog.getByRole('checkbox', { name: /^Only what changed its size/ }).check();
  const jump = rows.filter({ hasText: /^20: goto pc\+1/ });
  await expect(jump.getByRole('cell')).toHaveText(['8', '4 (-4)', '4', '4', '4']);
  await expect(rows.filter({ hasText: '[prologue]' })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);

  // The same from the native column.
  await debug.native.line('nop').first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Show the JIT’s passes…' }).click();
  await expect(dialog).toBeVisible();
  expect(complaints).toEqual([]);
});
