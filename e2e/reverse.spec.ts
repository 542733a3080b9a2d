import { expect, test } from './fixtures.ts';

test('goes back in time: by step, to a breakpoint, and from the end', async ({ open }) => {
  const { debug, page } = await open();
  await debug.ready();
  await debug.stepBy('Native');
  const places: string[] = [];
  for (let i = 0; i < 3; i++) {
    places.push(await debug.native.currentText());
    await debug.step('Step over');
  }
  for (const place of places.reverse()) {
    const count = await debug.instructions();
    await page.keyboard.press('Alt+F10');
    await expect.poll(() => debug.instructions()).toBe(count - 1);
    await expect.poll(() => debug.native.currentText()).toBe(place);
  }

  // To the end, then back to the last tail call that was taken.
  await debug.addEventBreakpoint('Tail call taken');
  for (const left of [32, 31]) {
    await debug.resume();
    await expect(debug.stopReason).toContainText(`${left} tail calls left`);
  }
  const atTailCall = await debug.instructions();
  const a6 = await debug.value('a6');
  await debug.resume();
  await expect(debug.result).toContainText('retval');
  await debug.button('Continue back').click();
  await expect.poll(() => debug.instructions()).toBe(atTailCall);
  await expect.poll(() => debug.value('a6')).toBe(a6);
});
