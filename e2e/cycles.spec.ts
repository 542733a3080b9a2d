import { expect, test } from './fixtures.ts';

test('steps by cycle, sees the pipeline, runs to a cycle and back @double', async ({ open }) => {
  const { debug, page, complaints } = await open();
  await debug.ready();
  await debug.stepBy('Cycle');
  await debug.tab('Pipeline').click();
  const pane = page.getByRole('region', { name: 'Pipeline', exact: true });
  const stage = (name: string, cycle: number) =>
    pane
      .getByRole('list', { name: `Stages in cycle ${cycle}` })
      .getByRole('listitem')
      .filter({ hasText: name });

  // An instruction moves one stage further in each cycle.
  const text = await stage('IF', 0).locator('code').textContent();
  for (const [cycle, name] of ['ID', 'EX', 'MEM', 'WB'].entries()) {
    await page.keyboard.press('F11');
    await expect(stage(name, cycle + 1).locator('code')).toHaveText(text!);
  }
  await expect(debug.counters).toContainText('cycles4');

  await pane.getByLabel('Run to cycle').fill('110');
  await pane.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(debug.stopReason).toHaveText('Reached cycle 110.');
  await expect(debug.counters).toContainText('cycles110');
  const place = await debug.native.currentText();
  const a5 = await debug.value('a5');

  // Through some bubbles and back again: the same cycle shows the same state.
  let bubbles = 0;
  for (let cycle = 111; cycle <= 126; cycle++) {
    await page.keyboard.press('F11');
    await expect(debug.stopReason).toContainText(`Cycle ${cycle}`);
    if ((await debug.stopReason.textContent())!.includes('nothing retires')) bubbles++;
  }
  expect(bubbles).toBeGreaterThan(0);
  await page.keyboard.press('Control+G');
  await page.keyboard.type('cycle 110');
  await page.keyboard.press('Enter');
  await expect(debug.stopReason).toHaveText('Back at cycle 110.');
  await expect.poll(() => debug.native.currentText()).toBe(place);
  await expect.poll(() => debug.value('a5')).toBe(a5);

  // The diagram's rows lead to the code.
  const rows = pane.getByRole('list', { name: 'Instructions by cycle' }).getByRole('listitem');
  await rows.last().click();
  await expect(rows.last()).toHaveAttribute('aria-label', /IF \d+, ID \d+, EX \d+, MEM \d+, WB \d+/);
  expect(complaints).toEqual([]);
});

test('the pipeline of another core is chosen on the start page', async ({ open }) => {
  const { debug, start, page } = await open();
  await debug.ready();
  await debug.button('Programs, inputs and examples').click();
  await page.getByLabel('Cycles of').selectOption('u74');
  await start.startButton.click();
  await debug.ready();
  await debug.tab('Pipeline').click();
  const pane = page.getByRole('region', { name: 'Pipeline', exact: true });
  await expect(pane).toContainText('SiFive U74: 8 stages');
  await expect(pane.getByRole('list', { name: /^Stages/ }).getByRole('listitem')).toHaveCount(8);
});
