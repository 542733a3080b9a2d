import { describe, expect, test } from 'vitest';
import type { Session } from './session';
import { HIERARCHY } from './testing/scenes';
import { sceneSession } from './testing/scene';
import type { BreakpointSpec } from './views';

/** Reason of each stop until the program ends. */
function stops(session: Session): string[] {
  const texts: string[] = [];
  while (session.canGoOn) {
    session.continue();
    session.runToStop();
    const { kind, text } = session.view().reason!;
    texts.push(`${kind}: ${text}`);
  }
  return texts;
}

const EVENT = (event: (BreakpointSpec & { kind: 'event' })['event'], helper?: string): BreakpointSpec => ({
  kind: 'event',
  event,
  ...(helper !== undefined && { helper }),
});

describe('events', () => {
  test('tail calls attempted, taken and refused, each with what is known of it', () => {
    const session = sceneSession({
      ...HIERARCHY,
      programs: {
        ...HIERARCHY.programs,
        other: `
          r6 = r1
          r2 = map[name:targets]
          r3 = 1
          call bpf_tail_call
          r1 = r6
          r2 = map[name:targets]
          r3 = 9
          call bpf_tail_call
          w0 = 7
          exit`,
      },
    });
    session.breakpoints.add(EVENT('tail-call-attempted'));
    session.breakpoints.add(EVENT('tail-call-taken'));
    session.breakpoints.add(EVENT('tail-call-refused'));
    const all = stops(session);
    expect(all.slice(0, 6)).toEqual([
      'event: Breakpoint 1 (tail call attempted): helper_and_jump attempts a tail call to slot 0 of targets.',
      'event: Breakpoint 2 (tail call taken): tail call taken from helper_and_jump to other, 32 tail calls left.',
      'event: Breakpoint 1 (tail call attempted): other attempts a tail call to slot 1 of targets.',
      'event: Breakpoint 3 (tail call refused): tail call refused in other, slot 1 of targets is empty.',
      'event: Breakpoint 1 (tail call attempted): other attempts a tail call to slot 9 of targets.',
      'event: Breakpoint 3 (tail call refused): tail call refused in other, index 9 is out of range: targets has 2 entries.',
    ]);
    expect(all).toHaveLength(13);
    expect(all.at(-1)).toBe('exit: main returned 14 (R0 = 0xe).');
    expect(session.breakpoints.views().map((b) => b.hits)).toEqual([6, 2, 4]);
    expect(session.counters().tailCalls).toBe(2);
  });

  test('a count that is used up', () => {
    const session = sceneSession({
      programs: { main: 'r2 = map[name:self]\n r3 = 0\n call bpf_tail_call\n r0 = 1\n exit' },
      progArrays: { self: ['main'] },
    });
    session.breakpoints.add(EVENT('tail-call-refused'));
    session.continue();
    session.runToStop();
    expect(session.view()).toMatchObject({
      reason: {
        text: 'Breakpoint 1 (tail call refused): tail call refused in main, the count is used up (a6 = 0).',
      },
      counters: { tailCalls: 33 },
      tcc: { value: 0 },
      location: { function: 'main/main', slot: 4 },
    });
  });

  test('helper calls, all or by name; the helper is the innermost frame, stepping on leaves it', () => {
    const session = sceneSession(HIERARCHY);
    session.breakpoints.add(EVENT('helper-call', 'bpf_ktime_get_ns'));
    session.breakpoints.add(EVENT('helper-call', 'get_prandom_u32'));
    session.continue();
    session.runToStop();
    expect(session.view().reason).toMatchObject({
      kind: 'event',
      text: 'Breakpoint 1 (call of bpf_ktime_get_ns): call of bpf_ktime_get_ns.',
      breakpoints: [1],
    });
    const [helper, caller] = session.views.stack().frames;
    expect(helper).toMatchObject({ kind: 'helper', name: 'bpf_ktime_get_ns' });
    expect(caller).toMatchObject({ name: 'helper_and_jump', location: { slot: 1 } });
    // The count rests in s6 while the helper may do what it likes with a6.
    expect(session.view().tcc).toMatchObject({ value: 33, where: expect.stringMatching(/^s6/) });
    session.step('over', 'bpf');
    session.runToStop();
    expect(session.views.location()).toMatchObject({ function: 'main/helper_and_jump', slot: 2 });
    expect(stops(session)).toHaveLength(2);
  });
});

describe('places', () => {
  test('a line stands for each of its statements; one without code for the next that has some', () => {
    const session = sceneSession(HIERARCHY);
    const main = session.views.functions()[0]!;
    const line = session.breakpoints.add({ kind: 'line', file: 'main.s', line: 4 });
    expect(line).toMatchObject({ spec: { kind: 'line', file: 'main.s', line: 4 }, label: 'main.s:4' });
    expect(line.addresses).toHaveLength(1);
    // Line 9 holds only a label.
    expect(session.breakpoints.add({ kind: 'line', file: 'main.s', line: 9 }).spec).toMatchObject({
      line: 10,
    });
    const native = session.breakpoints.add({ kind: 'native', address: main.address });
    expect(native).toMatchObject({ addresses: [main.address], label: expect.stringContaining('_main') });
    expect(stops(session)).toHaveLength(4);
  });

  test('what cannot be hit says why', () => {
    const session = sceneSession(HIERARCHY);
    const problem = (spec: BreakpointSpec) => session.breakpoints.add(spec).problem;
    const main = session.views.functions()[0]!;
    const inside = `0x${(BigInt(main.address) + 2n).toString(16)}`;
    expect(problem({ kind: 'native', address: '0x1000' })).toBe('No BPF code lies at 0x1000.');
    expect(problem({ kind: 'native', address: inside })).toMatch(/^No instruction begins at/);
    expect(problem({ kind: 'bpf', function: 'main/none', slot: 0 })).toMatch(/no function main\/none/);
    expect(problem({ kind: 'bpf', function: 'main/main', slot: 99 })).toBe('main has the slots 0 to 6.');
    expect(problem({ kind: 'bpf', function: 'main/helper_and_jump', slot: 4 })).toMatch(/second half/);
    expect(problem({ kind: 'line', file: 'nowhere.c', line: 1 })).toMatch(/^No code of this session/);
    expect(problem({ kind: 'line', file: 'main.s', line: 99 })).toMatch(/line 99 or a later one/);
  });

  test('disabled and removed breakpoints do not stop; the same place is one breakpoint', () => {
    const session = sceneSession(HIERARCHY);
    const spec: BreakpointSpec = { kind: 'bpf', function: 'main/main', slot: 2 };
    const { id } = session.breakpoints.add(spec);
    expect(session.breakpoints.add(spec).id).toBe(id);
    session.breakpoints.change(id, false);
    expect(stops(session)).toHaveLength(1);
    session.restart();
    session.breakpoints.change(id, true);
    expect(stops(session)).toHaveLength(2);
    session.restart();
    session.breakpoints.remove(id);
    expect(stops(session)).toHaveLength(1);
    expect(() => session.breakpoints.remove(id)).toThrow(/no breakpoint/);
  });

  test('run to cursor stops once, at a place that must exist', () => {
    const session = sceneSession(HIERARCHY);
    session.runTo({ kind: 'line', file: 'main.s', line: 4 });
    session.runToStop();
    expect(session.view().reason).toMatchObject({ kind: 'run-to', text: 'Reached main.s:4.' });
    expect(() => session.runTo({ kind: 'line', file: 'x.c', line: 1 })).toThrow(/No code of this session/);
  });
});
