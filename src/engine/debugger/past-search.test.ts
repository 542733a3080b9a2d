import { describe, expect, test } from 'vitest';
import { parseProfile, type ProfileWords } from '../jit/profile';
import { buildWorld } from './build';
import { CodeIndex } from './code-index';
import { Execution, NO_INTEREST } from './execution';
import { History, type HistoryLimits } from './history';
import { testRunInput } from './inputs';
import { unwind } from './stack';
import { stepBackTarget } from './step-back';
import type { Unit } from './stepping';
import { sceneObject, type Scene } from './testing/scene';
import { RECURSION } from './testing/scenes';
import type { StepKind } from './views';

/*
 * How much of the past is replayed to find where a step back leads: a few intervals, wherever it is. What is found is
 * the business of step-back.test.ts.
 */
const LIMITS: HistoryLimits = { interval: 10_000, bytes: 2 ** 30, checkpoints: 500 };
const LENGTH = 2_000_000;
const STEPS: readonly StepKind[] = ['into', 'over', 'out'];
const UNITS: readonly Unit[] = ['native', 'bpf', 'line'];

/** Callbacks that go on and on, each with a loop; main's own lines are not come back to. */
const callbacks = (begin: string): Scene => ({
  programs: {
    main: `
      ${begin}
      r2 = subprog[each]
      r3 = 0
      r4 = 0
      call ${begin.includes('map') ? 'bpf_for_each_map_elem' : 'bpf_loop'}
      r0 = 0
      exit
each:
      r7 = 30
      call leaf
      again:
      r6 = r7
      r7 += -1
      if r7 != 0 goto again
      r0 = 0
      exit
leaf:
      r7 = 100
      spin:
      | r7 += -1
      | if r7 != 0 goto spin
      r0 = 0
      exit`,
  },
  arrays: { elements: 1 << 16 },
});

/** A line that is a loop for hundreds of thousands of instructions, with calls. */
const LINE: Scene = {
  programs: {
    main: `
      r1 = ${1 << 22}
      r2 = subprog[each]
      r3 = 0
      r4 = 0
      call bpf_loop
      r0 = 0
      exit
each:
      r6 = 20000
      spin:
      | call leaf
      | r6 += -1
      | if r6 != 0 goto spin
      r0 = 0
      exit
leaf:
      r0 = 0
      exit`,
  },
};

const RUNS: readonly (readonly [name: string, scene: Scene, words: ProfileWords])[] = [
  ['callbacks of a helper', callbacks('r1 = map[name:elements]'), {}],
  ['callbacks of an inlined loop', callbacks(`r1 = ${1 << 22}`), {}],
  ['a line that goes on and on', LINE, {}],
  ['recursion without end', RECURSION, { tcc: 'stack-v3' }],
];

function run(scene: Scene, words: ProfileWords) {
  const { machine, kernel, program } = buildWorld({
    object: sceneObject(scene),
    profile: parseProfile(words),
    program: 'main',
  });
  const index = new CodeIndex(kernel);
  const execution = new Execution(machine, kernel, index);
  const history = new History(machine, kernel, execution, LIMITS);
  kernel.beginRun(program, testRunInput({ data: '00'.repeat(64) }));
  execution.begin(program);
  history.begin();
  const runTo = (time: number): void => {
    while (execution.time < time) {
      const halt = execution.advance(Math.min(history.prepare(), time - execution.time), NO_INTEREST);
      if (halt.kind !== 'budget') throw new Error(`the run ended: ${halt.kind}`);
      history.note();
    }
  };
  const frames = () => unwind(machine, kernel, index);
  return { execution, history, runTo, frames };
}

describe.each(RUNS)('a search replays a few intervals at most: %s', (_name, scene, words) => {
  const { execution, history, runTo, frames } = run(scene, words);
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 150, 1501])('%i instants before the end', (before) => {
    for (const step of STEPS) {
      for (const unit of UNITS) {
        runTo(LENGTH);
        history.goTo(LENGTH - before);
        const halts = execution.halts;
        const search = stepBackTarget(execution, history, frames(), step, unit);
        let units = 0;
        let next = search.next();
        for (; next.done !== true; next = search.next()) units += next.value;
        expect(next.value).toBeLessThan(LENGTH - before);
        expect(units, `${step} by ${unit}, to ${next.value}`).toBeLessThan(10 * LIMITS.interval);
        expect(execution.halts - halts).toBeLessThan(1000);
      }
    }
  });
});
