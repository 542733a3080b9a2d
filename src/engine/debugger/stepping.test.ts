import { describe, expect, test } from 'vitest';
import { CALLBACKS, HIERARCHY } from './testing/scenes';
import { sceneSession, type Scene } from './testing/scene';
import type { Session } from './session';
import type { Granularity, StepKind } from './views';

/** `main 3: call pc+3#helper_and_jump` at each stop of repeated steps, and how it ended. */
function walk(session: Session, step: StepKind, granularity: Granularity, most = 200): string[] {
  const stops: string[] = [];
  while (session.canGoOn && stops.length < most) {
    session.step(step, granularity);
    session.runToStop();
    stops.push(place(session));
  }
  return stops;
}

function place(session: Session): string {
  const { reason, location } = session.view();
  if (!location) return reason!.text;
  const name = location.function?.split('/')[1] ?? location.symbol;
  const where = location.slot === undefined ? '' : ` ${location.slot}: ${location.bpfText}`;
  return reason!.kind === 'step' ? `${name}${where}` : `${reason!.kind} at ${name}${where}`;
}

/** Brings a session to a slot. */
function at(scene: Scene, fn: string, slot: number): Session {
  const session = sceneSession(scene);
  session.runTo({ kind: 'bpf', function: fn, slot });
  session.runToStop();
  return session;
}

describe('by BPF instruction', () => {
  test('over: calls and helpers are one step', () => {
    expect(walk(sceneSession(HIERARCHY), 'over', 'bpf')).toEqual([
      'main 0: r6 = r1',
      'main 1: call pc+5#helper_and_jump',
      'main 2: r7 = r0',
      'main 3: r1 = r6',
      'main 4: call pc+2#helper_and_jump',
      'main 5: r0 += r7',
      'main 6: exit',
      'main returned 16 (R0 = 0x10).',
    ]);
  });

  test('into: follows calls and tail calls, a tail call returns to the caller of the frame it replaced', () => {
    const all = walk(sceneSession(HIERARCHY), 'into', 'bpf').map((line) => line.replace(/#-?\d+$/, ''));
    expect(all.slice(0, 14)).toEqual([
      'main 0: r6 = r1',
      'main 1: call pc+5#helper_and_jump',
      'helper_and_jump 0: r6 = r1',
      'helper_and_jump 1: call bpf_ktime_get_ns',
      'helper_and_jump 2: r1 = r6',
      'helper_and_jump 3: r2 = map[name:targets]',
      'helper_and_jump 5: r3 = 0',
      'helper_and_jump 6: tail_call',
      'other 0: w0 = 7',
      'other 1: w0 += 1',
      'other 2: w0 = w0 zext',
      'other 3: exit',
      'main 2: r7 = r0',
      'main 3: r1 = r6',
    ]);
    expect(all.at(-1)).toBe('main returned 16 (R0 = 0x10).');
  });

  test('out of a subprogram, out of a frame that a tail call replaced', () => {
    const sub = at(HIERARCHY, 'main/helper_and_jump', 2);
    expect(walk(sub, 'out', 'bpf', 1)).toEqual(['main 2: r7 = r0']);
    const tail = at(HIERARCHY, 'other/other', 1);
    expect(walk(tail, 'out', 'bpf', 1)).toEqual(['main 2: r7 = r0']);
  });

  test('a callback can be stepped into; out of it leads behind the helper', () => {
    const call = CALLBACK_CALL();
    expect(walk(call, 'into', 'bpf', 6)).toEqual([
      'each 0: r1 = *(u64 *)(r4 +0)',
      'each 1: r1 += 1',
      'each 2: *(u64 *)(r4 +0) = r1',
      'each 3: r0 = 0',
      'each 4: exit',
      'each 0: r1 = *(u64 *)(r4 +0)',
    ]);
    expect(walk(call, 'out', 'bpf', 1)).toEqual(['main 9: r0 = *(u64 *)(r10 -8)']);
    expect(walk(CALLBACK_CALL(), 'over', 'bpf', 1)).toEqual(['main 9: r0 = *(u64 *)(r10 -8)']);
  });

  test('a loop is stepped in each of its rounds', () => {
    const session = sceneSession({
      programs: { main: 'r0 = 5\nloop:\n r0 += -1\n if r0 != 2 goto loop\n exit' },
    });
    expect(walk(session, 'over', 'bpf')).toEqual([
      'main 0: r0 = 5',
      'main 1: r0 += -1',
      'main 2: if r0 != 0x2 goto pc-2',
      'main 1: r0 += -1',
      'main 2: if r0 != 0x2 goto pc-2',
      'main 1: r0 += -1',
      'main 2: if r0 != 0x2 goto pc-2',
      'main 3: exit',
      'main returned 2 (R0 = 0x2).',
    ]);
  });

  test('an early exit ends the function like the last one', () => {
    const session = sceneSession({
      programs: {
        main: 'r1 = map[name:n][0]+0\n r0 = *(u64 *)(r1 +0)\n if r0 == 0 goto out\n r0 = 2\n exit\nout:\n r0 = 3\n exit',
      },
      arrays: { n: 1 },
    });
    expect(walk(session, 'over', 'bpf').slice(2)).toEqual([
      'main 3: if r0 == 0x0 goto pc+2',
      'main 6: r0 = 3',
      'main 7: exit',
      'main returned 3 (R0 = 0x3).',
    ]);
    const other = sceneSession({
      programs: {
        main: 'r1 = map[name:n][0]+0\n r0 = *(u64 *)(r1 +0)\n if r0 == 1 goto out\n r0 = 2\n exit\nout:\n r0 = 3\n exit',
      },
      arrays: { n: 1 },
    });
    expect(walk(other, 'over', 'bpf').slice(3)).toEqual([
      'main 4: r0 = 2',
      'main 5: exit',
      'main returned 2 (R0 = 0x2).',
    ]);
  });
});

const CALLBACK_CALL = (): Session => at(CALLBACKS, 'main/main', 8);

describe('by native instruction', () => {
  test('into executes one instruction; a helper runs with the call', () => {
    const session = at(HIERARCHY, 'main/helper_and_jump', 1);
    const before = session.counters();
    session.step('into', 'native'); // mv s6, a6
    session.runToStop();
    session.step('into', 'native'); // auipc
    session.runToStop();
    expect(session.counters().instructions).toBe(before.instructions + 2);
    session.step('into', 'native'); // jalr, and the helper behind it
    session.runToStop();
    expect(session.counters()).toMatchObject({ instructions: before.instructions + 3, helperCalls: 1 });
    expect(session.views.location()).toMatchObject({ function: 'main/helper_and_jump', slot: 1 });
  });

  test('over and out', () => {
    const session = at(HIERARCHY, 'main/main', 1);
    session.step('over', 'native'); // auipc
    session.runToStop();
    session.step('over', 'native'); // jalr
    session.runToStop();
    expect(place(session)).toBe('main 2: r7 = r0');
    const inner = at(HIERARCHY, 'main/helper_and_jump', 0);
    inner.step('out', 'native');
    inner.runToStop();
    expect(place(inner)).toBe('main 2: r7 = r0');
  });
});

const LINES: Scene = {
  programs: {
    main: `
      r6 = 0
      | r7 = 3
      | r0 = 0
loop:
      r6 += 1
      | r0 += r6
      if r6 != r7 goto loop
      call sub
      | r0 += 0
      exit
sub:
      r0 = 40
      | r0 += 2
      exit`,
  },
};

describe('by source line', () => {
  const lines = (step: StepKind) => {
    const session = sceneSession(LINES);
    const stops: (string | undefined)[] = [];
    while (session.canGoOn) {
      session.step(step, 'line');
      session.runToStop();
      const { location, reason } = session.view();
      stops.push(location ? `${location.line}: ${location.lineText}` : reason!.kind);
    }
    return stops;
  };
  const loop = ['6: r6 += 1', '8: if r6 != r7 goto loop'];

  test('over: each statement of another line, in every round of a loop', () => {
    expect(lines('over')).toEqual([...loop, ...loop, ...loop, '9: call sub', '11: exit', 'exit']);
  });

  test('into: stops behind the prologue of what is called, and behind the call when it returns', () => {
    expect(lines('into')).toEqual([
      ...[...loop, ...loop, ...loop, '9: call sub'],
      ...['13: r0 = 40', '15: exit', '9: call sub', '11: exit', 'exit'],
    ]);
  });
});

describe('stops on the way', () => {
  test('a breakpoint inside a call that is stepped over', () => {
    const session = at(HIERARCHY, 'main/main', 1);
    session.breakpoints.add({ kind: 'bpf', function: 'main/helper_and_jump', slot: 2 });
    expect(walk(session, 'over', 'bpf', 2)).toEqual([
      'breakpoint at helper_and_jump 2: r1 = r6',
      'helper_and_jump 3: r2 = map[name:targets]',
    ]);
  });

  test('a step from a breakpoint does not stop at it again', () => {
    const session = sceneSession(HIERARCHY);
    session.breakpoints.add({ kind: 'bpf', function: 'main/main', slot: 2 });
    session.continue();
    session.runToStop();
    expect(place(session)).toBe('breakpoint at main 2: r7 = r0');
    expect(walk(session, 'over', 'bpf', 1)).toEqual(['main 3: r1 = r6']);
  });

  test('stepping on after the end is refused, by cycle, too', () => {
    const session = sceneSession(HIERARCHY);
    session.continue();
    session.runToStop();
    expect(() => session.step('over', 'bpf')).toThrow(/has returned; restart/);
    expect(() => session.step('over', 'cycle')).toThrow(/has returned; restart/);
  });
});
