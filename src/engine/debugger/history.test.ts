import { describe, expect, test } from 'vitest';
import type { Session } from './session';
import { exampleSession } from './testing/examples';
import { CALLBACKS, HIERARCHY } from './testing/scenes';
import { sceneSession } from './testing/scene';
import type { Granularity, StepKind } from './views';

/** All that makes an instant: pc, registers, counters, stack, maps. */
function state(session: Session): unknown {
  const { execution, views } = session;
  const { reason, stop, ...view } = session.view();
  void reason;
  void stop;
  return {
    pc: execution.machine.pc,
    registers: [...execution.machine.registers()],
    time: execution.time,
    view,
    stack: views.stack().frames,
    maps: views.maps(),
  };
}

const go = (session: Session, act: (session: Session) => void) => {
  act(session);
  session.runToStop();
};

function forwards(session: Session, step: StepKind, unit: Granularity): unknown[] {
  const states = [];
  while (session.canGoOn) {
    states.push(state(session));
    go(session, (s) => s.step(step, unit));
  }
  return states;
}

function backwards(session: Session, step: StepKind, unit: Granularity): unknown[] {
  const states = [];
  while (session.canGoBack) {
    go(session, (s) => s.stepBack(step, unit));
    states.push(state(session));
  }
  return states.reverse();
}

describe('steps back lead through the same states as steps forwards', () => {
  const scenes = { hierarchy: HIERARCHY, callbacks: CALLBACKS };
  for (const [name, scene] of Object.entries(scenes)) {
    for (const unit of ['native', 'bpf'] as const) {
      test(`into by ${unit}, ${name}`, () => {
        const session = sceneSession(scene);
        const seen = forwards(session, 'into', unit);
        expect(backwards(session, 'into', unit)).toEqual(seen);
      });
    }
  }

  test('into by line: the beginnings of all lines on the way', () => {
    const session = sceneSession(HIERARCHY);
    const lines = (states: unknown[]) =>
      states.map((s) => (s as { view: { location: { file: string; line: number } } }).view.location.line);
    forwards(session, 'into', 'line');
    // The entry, main up to its call, the subprogram up to its tail call, the other program; the same again; the rest.
    const sub = [...[10, 11, 12, 13, 14, 15], ...[2, 3, 4]];
    expect(lines(backwards(session, 'into', 'line'))).toEqual([2, 2, 3, ...sub, 4, 5, 6, ...sub, 7, 8]);
  });

  test('over a call, out of it', () => {
    const session = sceneSession(HIERARCHY);
    go(session, (s) => s.runTo({ kind: 'bpf', function: 'main/main', slot: 5 }));
    go(session, (s) => s.stepBack('over', 'bpf'));
    expect(session.views.location()).toMatchObject({ function: 'main/main', slot: 4 });
    go(session, (s) => s.step('into', 'bpf'));
    go(session, (s) => s.step('into', 'bpf'));
    expect(session.views.location()).toMatchObject({ function: 'main/helper_and_jump', slot: 1 });
    go(session, (s) => s.stepBack('out', 'bpf'));
    expect(session.views.location()).toMatchObject({ function: 'main/main', slot: 4 });
  });

  test('a line goes back to its beginning first, then to the line before', () => {
    const session = sceneSession(HIERARCHY);
    go(session, (s) => s.runTo({ kind: 'line', file: 'main.s', line: 5 }));
    go(session, (s) => s.step('into', 'native'));
    go(session, (s) => s.stepBack('over', 'line'));
    expect(session.views.location().line).toBe(5);
    go(session, (s) => s.stepBack('over', 'line'));
    expect(session.views.location().line).toBe(4);
  });
});

describe('reverse continue', () => {
  test('stops at the last breakpoint before, then at the one before that, then at the beginning', () => {
    const session = exampleSession('hierarchy', 'entry');
    session.breakpoints.add({ kind: 'event', event: 'tail-call-taken' });
    const forth: unknown[] = [];
    while (session.canGoOn) {
      go(session, (s) => s.continue());
      if (session.canGoOn) forth.push([session.view().reason, state(session)]);
    }
    expect(forth).toHaveLength(33);
    const back: unknown[] = [];
    while (session.canGoBack) {
      go(session, (s) => s.reverseContinue());
      if (session.canGoBack) back.push([session.view().reason, state(session)]);
    }
    expect(back.reverse()).toEqual(forth);
    expect(session.view().reason).toMatchObject({ kind: 'history-start' });
    expect(session.execution.time).toBe(0);
  });

  test('what was told is not told again; the end can be reached again with the same result', () => {
    const session = exampleSession('bpf2bpf_helpers', 'measure');
    go(session, (s) => s.continue());
    const { result } = session.view();
    const lines = session.views.output(0);
    go(session, (s) => s.stepBack('over', 'bpf'));
    expect(session.view()).toMatchObject({ status: 'stopped', reason: { kind: 'step' } });
    go(session, (s) => s.reverseContinue());
    go(session, (s) => s.continue());
    expect(session.view().result).toEqual(result);
    expect(session.views.output(0)).toEqual(lines);
  });
});

describe('the way back', () => {
  /** Small generator of numbers (mulberry32): walks are the same in every run. */
  const numbers = (seed: number) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const STEPS: readonly StepKind[] = ['into', 'over', 'out'];
  const UNITS: readonly Granularity[] = ['native', 'bpf', 'line'];

  test('random walks end in the state of a fresh run to the same instant', () => {
    const random = numbers(2024);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    for (let walk = 0; walk < 8; walk++) {
      const session = exampleSession('bpf2bpf_helpers', 'measure');
      for (let i = 0; i < 20; i++) {
        if (random() < 0.55 && session.canGoOn) go(session, (s) => s.step(pick(STEPS), pick(UNITS)));
        else if (session.canGoBack) go(session, (s) => s.stepBack(pick(STEPS), pick(UNITS)));
      }
      if (!session.canGoOn) go(session, (s) => s.stepBack('into', 'native'));
      const fresh = exampleSession('bpf2bpf_helpers', 'measure');
      while (fresh.execution.time < session.execution.time) fresh.tick();
      expect(state(session), `walk ${walk}`).toEqual(state(fresh));
    }
  });

  test('over millions of instructions, in bounded time', () => {
    const session = exampleSession('hierarchy', 'entry', { tcc: 'stack-v3' }, { limit: 1_300_000 });
    go(session, (s) => s.continue());
    const end = session.execution.time;
    const begun = performance.now();
    go(session, (s) => s.stepBack('into', 'native'));
    expect(session.execution.time).toBe(end - 1);
    expect(performance.now() - begun).toBeLessThan(3000);
    session.breakpoints.add({ kind: 'native', address: session.views.functions()[0]!.address });
    // The entry of the run itself: tail calls enter behind it.
    go(session, (s) => s.reverseContinue());
    expect(session.execution.time).toBe(0);
  });

  test('pausing on the way returns to where it began; without history there is no way back', () => {
    const session = exampleSession('hierarchy', 'entry', { tcc: 'stack-v3' }, { limit: 1_200_000 });
    go(session, (s) => s.continue());
    const before = session.execution.time;
    session.reverseContinue();
    session.runSlice(1);
    session.pause();
    expect(session.execution.time).toBe(before);
    const plain = sceneSession(HIERARCHY, {}, { history: false });
    go(plain, (s) => s.step('over', 'bpf'));
    expect(() => plain.stepBack('over', 'bpf')).toThrow(/keeps no history/);
    expect(() => sceneSession(HIERARCHY).stepBack('over', 'bpf')).toThrow(/first instant/);
  });
});
