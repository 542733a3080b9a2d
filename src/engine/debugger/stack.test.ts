import { describe, expect, test } from 'vitest';
import { hex64 } from '../base/hex';
import type { Session } from './session';
import { exampleSession } from './testing/examples';
import { CALLBACKS, HIERARCHY } from './testing/scenes';
import { sceneSession } from './testing/scene';
import { ShadowStack } from './testing/shadow-stack';

/** Steps a session to its end and compares unwinder and observed calls before every native instruction. */
function walk(session: Session): number {
  const shadow = new ShadowStack(session);
  let steps = 0;
  for (; session.canGoOn; steps++) {
    const frames = session.views.frames();
    const found = frames.flatMap(({ code, cfa }, i) =>
      code ? [`${code.key} ${hex64(cfa!)} returns to ${hex64(frames[i + 1]!.pc)}`] : [],
    );
    const expected = shadow.frames
      .map((frame) => `${frame.function} ${hex64(frame.cfa)} returns to ${hex64(frame.returnAddress)}`)
      .reverse();
    if (found.join('\n') !== expected.join('\n')) {
      expect(found, `step ${steps} at ${session.views.location().symbol}`).toEqual(expected);
    }
    if (frames.at(-1)?.name !== '__sys_bpf') throw new Error(`the chain breaks off at step ${steps}`);
    shadow.tick();
  }
  return steps;
}

const EXAMPLES: readonly (readonly [object: string, program: string])[] = [
  ['tailcall_dispatch', 'dispatch'],
  ['bpf2bpf_helpers', 'measure'],
  ['xdp_counters', 'xdp_counters'],
  ['budget_question', 'program1'],
  ['hierarchy', 'entry'],
];

describe('the unwinder agrees with observed calls at every native instruction', () => {
  for (const tcc of ['transparent', 'stack-v6']) {
    test.each(EXAMPLES)(`%s, %s, under ${tcc}`, (object, program) => {
      // The hierarchy is deep soon; its first third says it all.
      expect(walk(exampleSession(object, program, { tcc }, { limit: 1200 }))).toBeGreaterThan(30);
    });
  }
  // The schemes that restore the count for each frame never end on the hierarchy.
  test.each(['stack-v1', 'stack-v3'])('the hierarchy under %s, for a while', (tcc) => {
    expect(walk(exampleSession('hierarchy', 'entry', { tcc }, { limit: 1000 }))).toBeGreaterThanOrEqual(1000);
  });
  test.each(['mainline', 'transparent'])('callbacks of a helper under %s', (tcc) => {
    expect(walk(sceneSession(CALLBACKS, { tcc }))).toBeGreaterThan(50);
  });
  test('without compressed instructions', () => {
    expect(walk(sceneSession(HIERARCHY, { isa: 'rv64ima' }))).toBeGreaterThan(50);
  });
});

describe('bytes of stack', () => {
  /** Lowest sp that a single-stepped run shows inside BPF code. */
  function observed(session: Session): number {
    const { machine } = session.execution;
    const start = machine.getRegister(2);
    let lowest = start;
    while (session.canGoOn) {
      session.tick();
      const sp = machine.getRegister(2);
      if (session.index.at(machine.pc) && sp < lowest) lowest = sp;
    }
    return Number(start - lowest);
  }
  test.each(EXAMPLES)('%s, %s: as an observed run shows', (object, program) => {
    const session = exampleSession(object, program);
    session.continue();
    session.runToStop();
    expect(session.execution.stackBytes).toBe(observed(exampleSession(object, program)));
  });
  test('functions that are called often and at different depths', () => {
    const scene = {
      programs: {
        main: `
          r6 = 0
        loop:
          call leaf
          r6 += 1
          if r6 != 20 goto loop
          call middle
          r0 = 0
          exit
        middle:
          *(u64 *)(r10 -64) = 1
          call leaf
          r0 = 0
          exit
        leaf:
          *(u64 *)(r10 -16) = 1
          r0 = *(u64 *)(r10 -16)
          exit`,
      },
    };
    for (const session of [sceneSession(scene), sceneSession(scene, { tcc: 'stack-v6' })]) {
      session.continue();
      session.runToStop();
      const tcc = session.view().profile.tcc;
      expect(session.execution.stackBytes).toBe(observed(sceneSession(scene, { tcc })));
      session.restart();
      session.continue();
      session.runToStop();
      expect(session.execution.stackBytes).toBe(observed(sceneSession(scene, { tcc })));
    }
  });
});

describe('the stack view', () => {
  test('a helper that calls back stands between the callback and the program', () => {
    const session = sceneSession(CALLBACKS);
    session.runTo({ kind: 'bpf', function: 'main/each', slot: 0 });
    session.runToStop();
    expect(session.views.stack().frames.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'bpf each',
      expect.stringMatching(/^kernel bpf_for_each_(map|array)_elem$/),
      'bpf main',
      'kernel bpf_test_run',
      'kernel bpf_prog_test_run',
      'kernel __sys_bpf',
    ]);
  });

  test('a tail call replaces the frame and says so', () => {
    const session = sceneSession(HIERARCHY);
    session.runTo({ kind: 'bpf', function: 'other/other', slot: 0 });
    session.runToStop();
    const [inner, outer] = session.views.stack().frames;
    expect(inner).toMatchObject({
      name: 'other',
      note: 'entered by a tail call from helper_and_jump, whose frame it replaced',
    });
    expect(outer).toMatchObject({ name: 'main' });
    expect(outer!.note).toBeUndefined();
  });
});
