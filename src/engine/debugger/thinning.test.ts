import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadObject } from '../loader/load';
import { parseProfile } from '../jit/profile';
import { buildWorld } from './build';
import { CodeIndex } from './code-index';
import { Execution, NO_INTEREST } from './execution';
import { History, type HistoryLimits } from './history';
import { defaultInputs, testRunInput } from './inputs';

/** A run that never ends (tail calls counted per frame), with a history of its own. */
function endless(limits: HistoryLimits) {
  const file = new URL('../../../examples/hierarchy.o', import.meta.url);
  const object = loadObject(new Uint8Array(readFileSync(file)), 'hierarchy.o');
  const { machine, kernel, program } = buildWorld({
    object,
    profile: parseProfile({ tcc: 'stack-v3' }),
    program: 'entry',
  });
  const execution = new Execution(machine, kernel, new CodeIndex(kernel));
  const history = new History(machine, kernel, execution, limits);
  kernel.beginRun(program, testRunInput(defaultInputs(program.source.type)));
  execution.begin(program);
  history.begin();
  const runTo = (time: number): void => {
    while (execution.time < time) {
      execution.advance(Math.min(history.prepare(), time - execution.time), NO_INTEREST);
      history.note();
    }
  };
  const state = () => [execution.time, machine.pc, ...machine.registers(), machine.counters()];
  return { execution, history, runTo, state };
}

const LIMITS: HistoryLimits = { interval: 100, bytes: 2 ** 30, checkpoints: 40 };
/** These programs write to the stack all the time, so that the intervals are as long as they get. */
const LONGEST = 3 * LIMITS.interval;
const END = 200_000;

/** The widest gap, in proportion to its distance from an instant. */
function widest(instants: readonly number[], now: number): number {
  const gaps = instants.slice(1).map((time, i) => {
    const distance = Math.max(Math.abs(now - time), Math.abs(now - instants[i]!));
    return (time - instants[i]!) / Math.max(distance, 4 * LONGEST);
  });
  return Math.max(...gaps);
}

describe('thinning', () => {
  test('few checkpoints, the first among them, dense near the present, nowhere a gap that is most of the way', () => {
    const { history, runTo } = endless(LIMITS);
    for (let time = 5000; time <= END; time += 5000) {
      runTo(time);
      const { instants } = history;
      expect(instants.length).toBeLessThanOrEqual(LIMITS.checkpoints);
      expect(instants[0]).toBe(0);
      expect(time - instants.at(-1)!).toBeLessThanOrEqual(LONGEST);
      expect(widest(instants, time)).toBeLessThan(0.3);
    }
  });

  test('the way back makes the surroundings of the instant dense, and the state is that of a fresh run', () => {
    const { execution, history, runTo, state } = endless(LIMITS);
    runTo(END);
    for (const time of [50_000, 7, END - 1, END / 2 + 1]) {
      history.goTo(time);
      expect(execution.time).toBe(time);
      const fresh = endless(LIMITS);
      fresh.runTo(time);
      expect(state()).toEqual(fresh.state());
      expect(time - history.checkpointBefore(time)).toBeLessThanOrEqual(2 * LONGEST);
      expect(history.instants.length).toBeLessThanOrEqual(LIMITS.checkpoints);
    }
  });

  test('a journey gives way often, and a stretch before an instant is short', () => {
    const { execution, history, runTo } = endless({ ...LIMITS, interval: 1000, checkpoints: 3 });
    runTo(4 * END);
    const steps = [...history.travel(3 * END)];
    expect(Math.max(...steps)).toBeLessThanOrEqual(20_000);
    expect(execution.time).toBe(3 * END);
    const search = history.stretchBefore(2 * END);
    let next = search.next();
    while (next.done !== true) next = search.next();
    expect(2 * END - next.value).toBeLessThanOrEqual(16_000);
  });

  test('memory: what the checkpoints keep alive stays within the limit', () => {
    const bytes = 300_000;
    const { history, runTo } = endless({ interval: 100, bytes, checkpoints: 1000 });
    runTo(END);
    expect(history.instants.length).toBeGreaterThan(3);
    expect(history.bytes).toBeLessThanOrEqual(bytes);
    // What each keeps of the kernel is counted, too.
    expect(history.bytes).toBeGreaterThan(history.instants.length * history.present().kernel.bytes);
  });
});
