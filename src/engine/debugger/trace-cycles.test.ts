import { describe, expect, test } from 'vitest';
import { exampleSession } from './testing/examples';
import { traceCycles, type TraceCycle } from './trace-cycles';

const TIMINGS = ['rocket', 'u74', 'ideal'] as const;
const stagesOf = ({ stages }: TraceCycle) =>
  stages.map(({ stage, steps, stalled, bubble }) => ({
    stage,
    texts: steps.map(({ text }) => text),
    stalled,
    bubble,
  }));

describe.each(TIMINGS)('%s', (timing) => {
  const cycles = [...traceCycles(exampleSession('hierarchy', 'entry', {}, { timing }))];

  test('every cycle once, every instruction retires once and in order', () => {
    expect(cycles.map(({ cycle }) => cycle)).toEqual(cycles.map((_, i) => i + 1));
    const retired = cycles.flatMap((cycle) => cycle.retired.map(({ number }) => number));
    expect(retired).toEqual(retired.map((_, i) => i));
    const session = exampleSession('hierarchy', 'entry', {}, { timing });
    session.continue();
    session.runToStop();
    expect(retired).toHaveLength(session.view().counters.instructions);
    // The last instruction may hold up what never comes.
    expect(session.view().counters.cycles! - cycles.length).toBeGreaterThanOrEqual(0);
    expect(session.view().counters.cycles! - cycles.length).toBeLessThan(5);
  });

  test('the stages are those that a session shows when it is stepped', () => {
    const session = exampleSession('hierarchy', 'entry', {}, { timing });
    for (const cycle of cycles.slice(0, 250)) {
      session.step('into', 'cycle');
      session.runToStop();
      const view = session.views.pipeline();
      expect(view.cycle).toBe(cycle.cycle);
      const shown = view.stages.map(({ stage, rows, stalled, bubble }) => ({
        stage,
        texts: rows.map((row) => view.rows[row]!.text),
        stalled,
        bubble,
      }));
      expect(shown).toEqual(stagesOf(cycle));
    }
  });
});

test('needs a timing profile', () => {
  const session = exampleSession('hierarchy', 'entry', {}, { timing: 'none' });
  expect(() => [...traceCycles(session)]).toThrow('A trace by cycle needs a timing profile');
});
