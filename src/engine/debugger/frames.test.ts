import { describe, expect, test } from 'vitest';
import type { Session } from './session';
import { HIERARCHY } from './testing/scenes';
import { sceneSession } from './testing/scene';

function stepNative(session: Session, times: number): void {
  for (let i = 0; i < times; i++) {
    session.step('into', 'native');
    session.runToStop();
  }
}

/** `name value` of each row of a frame; `-` where nothing is stored yet. */
const rows = (session: Session, frame = 0) =>
  session.views.frame(frame).rows.map((row) => `${row.name} ${row.value === undefined ? '-' : 'stored'}`);

const hex = (session: Session, abi: string) =>
  session.views.registers().registers.find((register) => register.abi === abi)!;

describe('the frame layout', () => {
  test('grows with the prologue and goes with the epilogue', () => {
    const session = sceneSession(HIERARCHY);
    expect(session.views.frame(0)).toMatchObject({ note: 'prologue: the frame is not made yet' });
    const seen = [rows(session)];
    stepNative(session, 4); // nop, nop, li a6, addi sp
    seen.push(rows(session));
    expect(session.views.frame(0).note).toBe('prologue: 0 of 4 registers saved so far');
    stepNative(session, 2);
    seen.push(rows(session));
    stepNative(session, 3);
    seen.push(rows(session));
    expect(session.views.frame(0).note).toBeUndefined();
    expect(seen).toEqual([
      ['saved ra -', 'saved fp -', 'saved s1 -', 'saved s2 -'],
      ['saved ra -', 'saved fp -', 'saved s1 -', 'saved s2 -'],
      ['saved ra stored', 'saved fp stored', 'saved s1 -', 'saved s2 -'],
      ['saved ra stored', 'saved fp stored', 'saved s1 stored', 'saved s2 stored'],
    ]);
    const entry = session.views.stack().frames[0]!;
    expect(session.views.frame(0).rows[0]).toMatchObject({
      address: `0x${(BigInt(entry.cfa!) - 8n).toString(16)}`,
      value: session.views.stack().frames[1]!.location.pc,
    });
    session.runTo({ kind: 'bpf', function: 'main/main', slot: 6 });
    session.runToStop();
    while (session.canGoOn && session.views.frame(0).note === undefined) stepNative(session, 1);
    expect(session.views.frame(0).note).toBe('epilogue: the frame has been given back');
    expect(rows(session)).toEqual(['saved ra -', 'saved fp -', 'saved s1 -', 'saved s2 -']);
  });

  test('of a caller, and none of kernel code', () => {
    const session = sceneSession(HIERARCHY);
    session.runTo({ kind: 'bpf', function: 'main/helper_and_jump', slot: 2 });
    session.runToStop();
    expect(session.views.frame(1)).toMatchObject({ name: 'main', frame: 1 });
    expect(session.views.frame(1).rows[0]!.value).toBe(session.views.stack().frames[2]!.location.pc);
    expect(() => session.views.frame(2)).toThrow(/kernel code/);
    expect(() => session.views.frame(77)).toThrow(/no frame 77/);
  });
});

describe('registers', () => {
  test('names, BPF registers, changes since the last stop', () => {
    const session = sceneSession(HIERARCHY);
    stepNative(session, 3); // li a6, 33
    expect(hex(session, 'a6')).toMatchObject({ hex: '0x21', decimal: '33', changed: true, role: 'tcc' });
    expect(hex(session, 'a0')).toMatchObject({ bpf: 'R1', changed: false });
    expect(hex(session, 'pc')).toMatchObject({ role: 'pc', changed: true });
    stepNative(session, 1);
    expect(hex(session, 'a6')).toMatchObject({ changed: false });
    expect(hex(session, 'sp')).toMatchObject({ changed: true, role: 'sp' });
    expect(hex(session, 'sp').previous).toBeDefined();
  });

  test('a6 and s6 say what they are around a helper call, under transparent', () => {
    const session = sceneSession(HIERARCHY);
    session.runTo({ kind: 'bpf', function: 'main/helper_and_jump', slot: 1 });
    session.runToStop();
    const notes = () => [hex(session, 'a6').note, hex(session, 's6').note];
    expect(notes()).toEqual([
      '33 tail calls left; passed through all functions of the run.',
      'Not the count just now: free, or left over from the last call; the caller’s value is saved in this frame.',
    ]);
    stepNative(session, 3); // mv s6, a6; auipc; jalr with the helper
    expect(notes()).toEqual([
      'Clobbered by a kernel function; the count is in s6: a helper or kfunc may change a6, s6 keeps the count meanwhile.',
      '33 tail calls left; a helper or kfunc may change a6, s6 keeps the count meanwhile.',
    ]);
    stepNative(session, 1); // mv a6, s6
    expect(notes()[0]).toBe('33 tail calls left; passed through all functions of the run.');
  });

  test.each([
    ['stack-v6', /^sp\+\d+: every frame has a slot for it$/],
    ['stack-v1', /^sp\+\d+: every frame has a slot for it$/],
    ['transparent', /^a6: /],
  ])('the count under %s is read where the scheme keeps it', (tcc, where) => {
    const session = sceneSession(HIERARCHY, { tcc });
    session.runTo({ kind: 'bpf', function: 'main/helper_and_jump', slot: 2 });
    session.runToStop();
    expect(session.view().tcc).toMatchObject({ value: 33, where: expect.stringMatching(where) });
  });

  test('the count under mainline is in s6 of a function with calls', () => {
    const session = sceneSession(
      {
        programs: {
          main: 'r6 = r1\n call bpf_ktime_get_ns\n r1 = r6\n r2 = map[name:self]\n r3 = 0\n call bpf_tail_call\n r0 = 1\n exit',
        },
        progArrays: { self: ['main'] },
      },
      { tcc: 'mainline' },
    );
    expect(session.view().tcc).toBeUndefined();
    session.runTo({ kind: 'bpf', function: 'main/main', slot: 7 });
    session.runToStop();
    // The 34th attempt found the count used up and left it at 0 in s6.
    expect(session.counters().tailCalls).toBe(33);
    expect(session.view().tcc).toMatchObject({ value: 0, where: expect.stringMatching(/^s6/) });
  });
});
