import path from 'node:path';
import { EXAMPLES, expect, test } from './fixtures.ts';
import { ComparePage } from './pages/compare.ts';

const HIERARCHY = path.join(EXAMPLES, 'hierarchy.o');

test('two profiles of a function: a refusal with a way on, differences by key, only differences @double', async ({
  open,
}) => {
  const { debug, page, complaints } = await open({ file: HIERARCHY });
  const compare = new ComparePage(page);
  await debug.ready();
  await page.keyboard.press('Control+Shift+P');
  await page.keyboard.type('compare profiles');
  await page.keyboard.press('Enter');

  await expect(compare.refusal).toContainText('6.12 mainline rv64imac (right)');
  await expect(compare.refusal).toContainText('tail_calls are not allowed');
  await compare.button('stack-v6').click();
  await expect(compare.refusal).toHaveCount(0);
  await expect(compare.count).toHaveText('4 of 17 rows differ');
  await expect(compare.totals).toContainText('+12');

  await page.keyboard.press('F7');
  await page.keyboard.press('F7');
  await expect(compare.count).toHaveText('Difference 2 of 4');
  await expect(compare.cursor).toHaveAccessibleName(/^7: call pc\+8#call_entry, .* only right$/);
  await expect(page.getByText('tcc/load')).toBeVisible();
  await page.keyboard.press('Shift+F7');
  await page.keyboard.press('Shift+F7');
  await expect(compare.count).toHaveText('Difference 4 of 4');
  await expect(compare.cursor).toContainText('epilogue');

  const all = await compare.rows.count();
  await compare.onlyDifferences();
  await expect(compare.rows.filter({ hasText: /rows are the same/ })).toHaveCount(3);
  expect(await compare.rows.count()).toBeLessThan(all);

  await compare.kernel('Right').selectOption('7.3');
  await expect(compare.grid).toContainText('7.3 stack-v6 rv64imac');
  expect(complaints).toEqual([]);
});

test('it fills the window until the other panes are wanted, and comes back where it was', async ({
  open,
}) => {
  const { debug, page } = await open();
  const compare = new ComparePage(page);
  await debug.ready();
  await page.getByRole('button', { name: 'View', exact: true }).click();
  await page.getByRole('menuitem', { name: /^Compare profiles/ }).click();
  await expect(compare.count).toHaveText(/of \d+ rows differ|No row differs/);
  await expect(debug.native.text).toBeHidden();
  await page.keyboard.press('Alt+3');
  await expect(debug.native.text).toBeVisible();
  await expect(compare.grid).toBeVisible();
  await compare.button('Use the whole window for Compare').click();
  await expect(debug.native.text).toBeHidden();
  await compare.button('Show the other panes').click();
  await expect(debug.native.text).toBeVisible();

  // Another program of the same object, which the first one tail-calls.
  await page.getByRole('combobox', { name: 'Program', exact: true }).selectOption('on_udp');
  await expect(compare.grid).toHaveAccessibleName(/^on_udp\/on_udp/);
});

test('two runs: one that never ends is given up and said to be, the session stays as it is', async ({
  open,
}) => {
  const { debug, page } = await open({ file: HIERARCHY });
  const compare = new ComparePage(page);
  await debug.ready();
  await page.keyboard.press('Control+Shift+K');
  await compare.scheme('Right').selectOption('stack-v1');
  await compare.button('Run').click();
  await compare.button('Run both').click();
  await expect(page.getByText(/The right run did not end within 1.000.000 instructions\./)).toBeVisible();
  await expect.poll(() => compare.result('ended with')).toEqual(['exit', 'limit']);
  await expect.poll(() => compare.result('return value')).toEqual(['34', '-']);
  await expect.poll(() => compare.result('tail calls')).toEqual(['33', expect.stringMatching(/^8.\d{3}$/)]);

  await compare.scheme('Right').selectOption('stack-v6');
  await compare.button('Run both').click();
  await expect(page.getByText('Return value, data, context and maps agree.')).toBeVisible();
  await expect.poll(() => compare.result('return value')).toEqual(['34', '34']);
  await expect(debug.stopReason).toHaveText('Entered entry.');
  await expect(debug.counters).toContainText('instructions0');
});

test('without a session: from the start page, copied as text', async ({ open }) => {
  const { debug, start, page } = await open();
  const compare = new ComparePage(page);
  await debug.ready();
  await page.keyboard.press('Shift+F5');
  await start.setUpExample('The tail call hierarchy');
  await compare.button('Compare profiles…').click();
  const dialog = page.getByRole('dialog', { name: /^Compare profiles: hierarchy\.o/ });
  await dialog.getByRole('button', { name: 'stack-v6' }).click();
  await dialog.getByRole('combobox', { name: 'Function' }).selectOption({ label: 'call_entry' });
  await expect(compare.count).toHaveText('3 of 12 rows differ');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await dialog.getByRole('button', { name: 'Copy as text' }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^entry\/call_entry\n/);
  expect(text).toMatch(/^ +blez a6, → 10 +≠ {2}bltz a6, → 10$/m);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(start.startButton).toBeVisible();
});
