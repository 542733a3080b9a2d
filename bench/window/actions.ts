import type { Page } from '@playwright/test';
import { scrollTop, timed, type Effect } from './recorder';

const SEARCH: Effect['at'] = ['input[role="combobox"][aria-label="All commands"]'];
const ADDRESS: Effect['at'] = ['[data-pane="memory"]', 'input.address'];
const SCROLLER: Effect['at'] = ['[data-pane="native"]', '.cm-scroller'];

/** What a user does while the program runs; each action is timed from its event to the frame that shows its effect. */
export type Times = Map<string, number[]>;

export const ACTIONS = [
  'palette opened by key',
  'key typed into the palette',
  'palette closed by key',
  'theme changed',
  'pane chosen by key',
  'tab chosen by mouse',
  'key typed into a field',
  'native listing scrolled',
] as const;

/** Does all of it once. */
export async function actLikeAUser(page: Page, times: Times, round: number): Promise<void> {
  const { keyboard } = page;
  const note = async (name: (typeof ACTIONS)[number], time: Promise<number>): Promise<void> => {
    times.set(name, [...(times.get(name) ?? []), await time]);
  };
  const press = (key: string) => () => keyboard.press(key);
  const theme = round % 2 === 0 ? 'dark' : 'light';

  await note(
    'palette opened by key',
    timed(page, 'keydown', { at: SEARCH, is: 'focused' }, press('Control+Shift+P')),
  );
  await note(
    'key typed into the palette',
    timed(page, 'keydown', { at: SEARCH, is: 'value', text: 't' }, press('t')),
  );
  await note('palette closed by key', timed(page, 'keydown', { at: SEARCH, is: 'gone' }, press('Escape')));

  await press('Control+Shift+P')();
  await keyboard.type(`theme: ${theme}`);
  await note(
    'theme changed',
    timed(page, 'keydown', { at: ['html'], is: 'theme', text: theme }, press('Enter')),
  );

  const pane = round % 2 === 0 ? (['Alt+2', 'bpf'] as const) : (['Alt+3', 'native'] as const);
  await note(
    'pane chosen by key',
    timed(page, 'keydown', { at: [`[data-pane="${pane[1]}"]`], is: 'focused' }, press(pane[0])),
  );

  for (const name of ['Maps', 'Memory']) {
    const tab = page.getByRole('tab', { name, exact: true });
    const id = `bench-${name}`;
    await tab.evaluate((element, given) => (element.id = given), id);
    await note(
      'tab chosen by mouse',
      timed(page, 'mousedown', { at: [`#${id}`], is: 'selected' }, () => tab.click()),
    );
  }
  const field = page.getByRole('textbox', { name: 'Address or register' });
  await field.fill('');
  await note(
    'key typed into a field',
    timed(page, 'keydown', { at: ADDRESS, is: 'value', text: 's' }, press('s')),
  );

  const box = await page.locator('[data-pane="native"]').first().boundingBox();
  if (!box) throw new Error('the native column is not on screen');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  // A stop may have brought its row into view from either end.
  const by = (await scrollTop(page, SCROLLER)) > 0 ? -300 : 300;
  await note(
    'native listing scrolled',
    timed(page, 'wheel', { at: SCROLLER, is: 'scrolled' }, () => page.mouse.wheel(0, by)),
  );
}
