import { describe, expect, test } from 'vitest';
import { CALLER_SAVED } from '../kernel/task';
import { REG } from '../rv64/registers';
import type { Session } from './session';
import { exampleSession } from './testing/examples';
import { sceneSession, type Scene } from './testing/scene';
import { CALLBACKS, HIERARCHY } from './testing/scenes';
import type { BreakpointSpec, SessionView, WatchSpec, WriteTarget } from './views';

/** A helper fills a buffer on the stack; a store and an atomic write beside it; another helper copies it into a map. */
const MEMORY: Scene = {
  programs: {
    main: `
      r6 = r1
      r2 = 12
      r3 = r10
      | r3 += -16
      r4 = 8
      call bpf_skb_load_bytes
      r1 = 5
      *(u64 *)(r10 -8) = r1
      *(u32 *)(r10 -8) = r1
      *(u32 *)(r10 -24) = 0
      r1 = map[name:numbers]
      r2 = r10
      | r2 += -24
      r3 = r10
      | r3 += -8
      r4 = 0
      call bpf_map_update_elem
      r0 = *(u64 *)(r10 -16)
      exit`,
  },
  arrays: { numbers: 2 },
};

const PACKET = { inputs: { data: Array.from({ length: 64 }, (_, i) => (0x40 + i).toString(16)).join('') } };

const go = (session: Session, act: (session: Session) => void): SessionView => {
  act(session);
  session.runToStop();
  return session.view();
};

/** Continues to the end; the stops on the way. */
function stops(session: Session): SessionView[] {
  const found: SessionView[] = [];
  while (session.canGoOn) found.push(go(session, (s) => s.continue()));
  return found.slice(0, -1);
}

const texts = (views: readonly SessionView[]): string[] =>
  views.map((view) => plain(`${view.reason!.kind}: ${view.reason!.text}`));

/** Without what depends on tags and addresses. */
const plain = (text: string): string =>
  text.replace(/bpf_prog_[0-9a-f]+_/g, '').replace(/0x[0-9a-f]{9,}/g, '0x…');

const register = (index: number, when: 'written' | 'changed'): WatchSpec => ({
  kind: 'register',
  register: index,
  when,
});

/** Goes behind main's prologue. @returns what R10 (s5) holds there: the end of the BPF stack */
function atBody(session: Session): bigint {
  go(session, (s) => s.runTo({ kind: 'bpf', function: 'main/main', slot: 0 }));
  return session.execution.machine.getRegister(REG.s5);
}

type MemoryWhen = (WatchSpec & { kind: 'memory' })['when'];
const memory = (address: bigint, length: number, when: MemoryWhen): WatchSpec => ({
  kind: 'memory',
  address: `0x${address.toString(16)}`,
  length,
  when,
});

describe('sentences', () => {
  test('a register across bpf2bpf, helper and tail calls: who wrote it, old and new value', () => {
    const session = sceneSession(HIERARCHY);
    session.breakpoints.add(register(REG.a6, 'changed'));
    const found = stops(session);
    expect(texts(found)).toMatchInlineSnapshot(`
      [
        "watch: Watchpoint 1: a6 was written, 0x… → 0x21, by li a6, 33 at main+0x8.",
        "watch: Watchpoint 1: a6 was written, 0x21 → 0x…, by bpf_ktime_get_ns, called at helper_and_jump+0x1c (BPF instruction 1: call bpf_ktime_get_ns#3596).",
        "watch: Watchpoint 1: a6 was written, 0x… → 0x21, by mv a6, s6 at helper_and_jump+0x20 (BPF instruction 1: call bpf_ktime_get_ns#3596).",
        "watch: Watchpoint 1: a6 was written, 0x21 → 0x20, by addi a6, a6, -1 at helper_and_jump+0x54 (BPF instruction 6: tail_call).",
        "watch: Watchpoint 1: a6 was written, 0x20 → 0x…, by bpf_ktime_get_ns, called at helper_and_jump+0x1c (BPF instruction 1: call bpf_ktime_get_ns#3596).",
        "watch: Watchpoint 1: a6 was written, 0x… → 0x20, by mv a6, s6 at helper_and_jump+0x20 (BPF instruction 1: call bpf_ktime_get_ns#3596).",
        "watch: Watchpoint 1: a6 was written, 0x20 → 0x1f, by addi a6, a6, -1 at helper_and_jump+0x54 (BPF instruction 6: tail_call).",
      ]
    `);
    expect(found[1]!.reason!.by).toMatchObject({ function: 'main/helper_and_jump', slot: 1 });
    expect(session.breakpoints.views()).toMatchObject([
      { label: 'a6 changed', hits: found.length, addresses: [] },
    ]);
  });

  test('memory: written by a helper, by stores, read by another helper', () => {
    const session = sceneSession(MEMORY, {}, PACKET);
    const fp = atBody(session);
    session.breakpoints.add(memory(fp - 16n, 8, 'written'));
    session.breakpoints.add(memory(fp - 8n, 8, 'changed'));
    session.breakpoints.add(memory(fp - 8n, 4, 'written'));
    session.breakpoints.add(memory(fp - 12n, 1, 'read'));
    session.breakpoints.add(memory(fp - 24n, 4, 'read'));
    expect(texts(stops(session))).toMatchInlineSnapshot(`
      [
        "watch: Watchpoint 1: 8 bytes at 0x… were written, 0x0 → 0x…, by bpf_skb_load_bytes, called at main+0x2e (BPF instruction 5: call bpf_skb_load_bytes#6668).",
        "watch: Watchpoint 2: 8 bytes at 0x… were written, 0x0 → 0x5, by sd a0, -8(s5) at main+0x38 (BPF instruction 7: *(u64 *)(r10 -8) = r1). Watchpoint 3: 4 bytes at 0x… were written, 0x0 → 0x5, by sd a0, -8(s5) at main+0x38 (BPF instruction 7: *(u64 *)(r10 -8) = r1).",
        "watch: Watchpoint 3: 4 bytes at 0x… were written, 0x5, as before, by sw a0, -8(s5) at main+0x3c (BPF instruction 8: *(u32 *)(r10 -8) = r1).",
        "watch: Watchpoint 5: 4 bytes at 0x… were read, 0x0, by array_map_update_elem, called at main+0x64 (BPF instruction 17: call array_map_update_elem#32396).",
        "watch: Watchpoint 4: the byte at 0x… was read, 0x50, by ld a5, -16(s5) at main+0x6c (BPF instruction 18: r0 = *(u64 *)(r10 -16)).",
      ]
    `);
  });

  test('a value; a breakpoint at the same place; a long range', () => {
    const session = sceneSession(MEMORY, {}, PACKET);
    const fp = atBody(session);
    session.breakpoints.add({ kind: 'register', register: REG.a5, when: 'equals', value: '0x0' });
    session.breakpoints.add(memory(fp - 64n, 64, 'written'));
    session.breakpoints.add({ kind: 'bpf', function: 'main/main', slot: 8 });
    expect(texts(stops(session))).toMatchInlineSnapshot(`
      [
        "watch: Watchpoint 2: 8 bytes at 0x… were written, 0x0 → 0x…, by bpf_skb_load_bytes, called at main+0x2e (BPF instruction 5: call bpf_skb_load_bytes#6668).",
        "watch: Watchpoint 1: a5 was written, 0x… → 0x0, by mv a5, a0 at main+0x34 (BPF instruction 5: call bpf_skb_load_bytes#6668).",
        "watch: Watchpoint 2: 8 bytes at 0x… were written, 0x0 → 0x5, by sd a0, -8(s5) at main+0x38 (BPF instruction 7: *(u64 *)(r10 -8) = r1). Breakpoint 3 (main/main slot 8).",
        "watch: Watchpoint 2: 4 bytes at 0x… were written, 0x5, as before, by sw a0, -8(s5) at main+0x3c (BPF instruction 8: *(u32 *)(r10 -8) = r1).",
        "watch: Watchpoint 2: 4 bytes at 0x… were written, 0x0, as before, by sw t1, -24(s5) at main+0x42 (BPF instruction 9: *(u32 *)(r10 -24) = 0).",
        "watch: Watchpoint 1: a5 was written, 0x… → 0x0, by mv a5, a0 at main+0x6a (BPF instruction 17: call array_map_update_elem#32396).",
      ]
    `);
  });
});

/** What a run writes, found one instruction at a time, without watchpoints: times, and registers with their values. */
interface Recorded {
  readonly time: number;
  readonly registers: readonly bigint[];
  /** Registers that the instruction or kernel function before this instant wrote. */
  readonly written: ReadonlySet<number>;
  readonly stack: Uint8Array;
}

const STACK_BYTES = 256;

function record(session: Session): Recorded[] {
  const { execution } = session;
  const { machine, index } = execution;
  const low = machine.getRegister(REG.sp) - BigInt(STACK_BYTES);
  const stack = () => machine.memory.read(low, STACK_BYTES);
  const states: Recorded[] = [
    { time: execution.time, registers: [...machine.registers()], written: new Set(), stack: stack() },
  ];
  while (session.canGoOn) {
    const before = states.at(-1)!.registers;
    const code = index.at(machine.pc);
    const insn = code?.map.nativeAt(code.offsetOf(machine.pc))?.insn;
    const wasIn = execution.inKernel;
    session.tick();
    const registers = [...machine.registers()];
    const changed = registers.flatMap((value, i) => (value === before[i] ? [] : [i]));
    // psABI: what a call may change, the model does change.
    const written = wasIn && session.canGoOn ? [...CALLER_SAVED, ...changed] : insn ? [insn.rd] : [];
    states.push({ time: execution.time, registers, written: new Set(written), stack: stack() });
  }
  return states;
}

const SESSIONS: readonly [string, () => Session][] = [
  ['bpf2bpf, a helper and tail calls', () => sceneSession(HIERARCHY)],
  ['callbacks', () => sceneSession(CALLBACKS)],
  ['helpers that write memory', () => sceneSession(MEMORY, {}, PACKET)],
  ['the example with subprograms', () => exampleSession('bpf2bpf_helpers', 'measure')],
];

describe.each(SESSIONS)('against single steps: %s', (_name, open) => {
  const states = record(open());

  test('a changed register stops exactly where it changes, with both values; backwards, too', () => {
    for (const index of [REG.ra, REG.sp, REG.s5, REG.a0, REG.a5, REG.a6, REG.s6]) {
      const session = open();
      session.breakpoints.add(register(index, 'changed'));
      const expected = states
        .flatMap(({ time, registers }, i) => {
          const before = states[i - 1]?.registers[index];
          return before === undefined || before === registers[index]
            ? []
            : [{ time, before, after: registers[index]! }];
        })
        .map(({ time, before, after }) => `${time}: 0x${before.toString(16)} → 0x${after.toString(16)}`);
      const stop = (view: SessionView) =>
        `${session.execution.time}: ${/0x[0-9a-f]+ → 0x[0-9a-f]+/.exec(view.reason!.text)?.[0]}`;
      const forth: string[] = [];
      while (session.canGoOn) {
        const view = go(session, (s) => s.continue());
        if (session.canGoOn) forth.push(stop(view));
      }
      expect(forth, `x${index}`).toEqual(expected);
      const back: string[] = [];
      while (session.canGoBack) {
        const view = go(session, (s) => s.reverseContinue());
        if (session.canGoBack) back.push(stop(view));
      }
      expect(back.reverse(), `x${index} backwards`).toEqual(expected);
      expect(session.view().reason!.kind).toBe('history-start');
    }
  });

  test('a written register stops after each write', () => {
    for (const index of [REG.a0, REG.a6, REG.s1]) {
      const session = open();
      session.breakpoints.add(register(index, 'written'));
      const times: number[] = [];
      while (session.canGoOn) {
        go(session, (s) => s.continue());
        if (session.canGoOn) times.push(session.execution.time);
      }
      const expected = states.filter(({ written }) => written.has(index)).map(({ time }) => time);
      expect(times, `x${index}`).toEqual(expected);
    }
  });

  test('who wrote it last: at many instants, without moving', () => {
    const session = open();
    go(session, (s) => s.continue());
    const end = states.length - 1;
    for (const at of [end, ...[0.9, 0.7, 0.5, 0.3, 0.1, 0].map((part) => Math.floor(end * part))]) {
      const here = states[at]!;
      if (at < end) go(session, (s) => s.goTo(here.time));
      for (const index of [REG.ra, REG.s5, REG.a5, REG.a6, REG.s6, REG.s11]) {
        const view = session.view();
        const asked = session.lastWrite({ kind: 'register', register: index });
        session.runToStop();
        expect(session.view()).toEqual(view);
        const last = states.slice(0, at + 1).findLastIndex(({ written }) => written.has(index));
        expect(asked.answer, `x${index} at ${at}`).toMatchObject(
          last < 0
            ? { time: states[0]!.time, text: expect.stringMatching(/^Nothing has written/) }
            : { time: states[last - 1]!.time, after: `0x${here.registers[index]!.toString(16)}` },
        );
      }
      const low = states[0]!.registers[REG.sp]! - BigInt(STACK_BYTES);
      for (let offset = 0; offset < STACK_BYTES; offset += 24) {
        const address = `0x${(low + BigInt(offset)).toString(16)}`;
        const asked = session.lastWrite({ kind: 'memory', address, length: 8 });
        session.runToStop();
        const bytes = (state: Recorded) => state.stack.slice(offset, offset + 8).join();
        const changed = states.findLastIndex(
          (state, i) => i <= at && i > 0 && bytes(state) !== bytes(states[i - 1]!),
        );
        if (changed > 0) expect(asked.answer!.time).toBeGreaterThanOrEqual(states[changed - 1]!.time);
        const value = here.stack
          .slice(offset, offset + 8)
          .reduceRight((v, byte) => (v << 8n) | BigInt(byte), 0n);
        if (asked.answer!.writer) expect(asked.answer!.after).toBe(`0x${value.toString(16)}`);
        else expect(changed).toBe(-1);
      }
    }
  });
});

describe('who wrote it last', () => {
  const ask = (session: Session, target: WriteTarget) => {
    const asked = session.lastWrite(target);
    session.runToStop();
    return asked.answer!;
  };
  const A6: WriteTarget = { kind: 'register', register: REG.a6 };

  test('an instruction, a helper, nobody; going there, the question leads further back', () => {
    const session = sceneSession(HIERARCHY);
    go(session, (s) => s.runTo({ kind: 'bpf', function: 'main/helper_and_jump', slot: 2 }));
    const first = ask(session, A6);
    expect(plain(first.text)).toBe(
      'a6 was last written by mv a6, s6 at helper_and_jump+0x20 (BPF instruction 1: call bpf_ktime_get_ns#3596): 0x… → 0x21.',
    );
    go(session, (s) => s.goTo(first.time));
    expect(session.views.location()).toEqual(first.writer!.location);
    expect(session.counters().instructions).toBe(first.instructions);
    const second = ask(session, A6);
    expect(second.writer).toMatchObject({
      kind: 'kernel',
      function: 'bpf_ktime_get_ns',
      location: { slot: 1 },
    });
    go(session, (s) => s.goTo(second.time));
    expect(session.views.stack().frames[0]).toMatchObject({ kind: 'helper', name: 'bpf_ktime_get_ns' });
    const third = ask(session, A6);
    expect(third.writer).toMatchObject({
      native: 'li a6, 33',
      location: { symbol: expect.stringMatching(/_main\+0x8$/) },
    });
    go(session, (s) => s.goTo(third.time));
    const none = ask(session, A6);
    expect(none.text).toBe(
      'Nothing has written a6 since main was entered: it holds what the kernel put there before.',
    );
    expect(none).not.toHaveProperty('writer');
  });

  test('from the end, after which the end is still the end; going on from the past reaches it again', () => {
    const session = sceneSession(HIERARCHY);
    const ended = go(session, (s) => s.continue());
    const { time } = ask(session, { kind: 'register', register: REG.a0 });
    expect(session.view()).toEqual(ended);
    go(session, (s) => s.goTo(time));
    expect(session.view()).toMatchObject({ status: 'stopped', reason: { kind: 'run-to' } });
    expect(go(session, (s) => s.continue())).toMatchObject({ status: 'ended', result: ended.result });
    go(session, (s) => s.goTo(0));
    expect(session.view().reason).toMatchObject({ kind: 'history-start' });
    expect(go(session, (s) => s.goTo(session.execution.time + 3))).toMatchObject({ status: 'stopped' });
  });

  test('over millions of instructions; a pause ends the search and is no stop', () => {
    const session = exampleSession('hierarchy', 'entry', { tcc: 'stack-v3' }, { limit: 1_300_000 });
    const limit = go(session, (s) => s.continue());
    // Nothing in the run writes s11, so all of the past is searched.
    const asked = session.lastWrite({ kind: 'register', register: REG.s11 });
    session.runSlice(1);
    expect(session.status).toBe('running');
    expect(() => session.lastWrite(A6)).toThrow(/running/);
    session.pause();
    expect(asked.answer).toBeUndefined();
    expect(session.view()).toEqual(limit);
    expect(ask(session, { kind: 'register', register: REG.s11 }).text).toMatch(/^Nothing has written s11/);
    expect(session.view()).toEqual(limit);
  });

  test('what there is not is refused before anything moves', () => {
    const session = sceneSession(HIERARCHY);
    expect(() => session.lastWrite({ kind: 'register', register: 0 })).toThrow(/x0 cannot be watched/);
    expect(() => session.lastWrite({ kind: 'memory', address: '0x1000', length: 0 })).toThrow(
      /cannot be watched/,
    );
    expect(() => session.goTo(1)).toThrow(/not in the past of this run \(0 to 0\)/);
    expect(session.status).toBe('stopped');
    const plainSession = sceneSession(HIERARCHY, {}, { history: false });
    expect(() => plainSession.lastWrite(A6)).toThrow(/keeps no history/);
  });
});

describe('as breakpoints', () => {
  test('listed, disabled, removed, counted anew after a restart', () => {
    const session = sceneSession(HIERARCHY);
    const spec = register(REG.a6, 'changed');
    const { id } = session.breakpoints.add(spec);
    expect(session.breakpoints.add(spec).id).toBe(id);
    expect(session.breakpoints.add(register(REG.a6, 'written')).id).not.toBe(id);
    session.breakpoints.remove(id + 1);
    expect(stops(session)).toHaveLength(7);
    session.restart();
    expect(session.breakpoints.views()).toMatchObject([{ id, hits: 0, enabled: true }]);
    expect(stops(session)).toHaveLength(7);
    session.restart();
    session.breakpoints.change(id, false);
    expect(stops(session)).toHaveLength(0);
    session.restart();
    session.breakpoints.change(id, true);
    go(session, (s) => s.continue());
    session.breakpoints.remove(id);
    expect(stops(session)).toHaveLength(0);
  });

  test('a step stops at them, too', () => {
    const session = sceneSession(HIERARCHY);
    atBody(session);
    session.breakpoints.add({ kind: 'register', register: REG.a6, when: 'equals', value: '0x20' });
    const view = go(session, (s) => s.step('out', 'bpf'));
    expect(view.reason).toMatchObject({ kind: 'watch', text: expect.stringContaining('0x21 → 0x20') });
  });

  test.each<[string, BreakpointSpec, RegExp]>([
    ['the zero register', register(0, 'written'), /x0 cannot be watched/],
    ['no bytes', memory(0x1000n, 0, 'read'), /^0 bytes at 0x1000 cannot be watched/],
    ['too many', memory(0x1000n, 65_537, 'read'), /give 1 to 65536 bytes/],
    ['beyond the end', memory(2n ** 64n - 4n, 8, 'read'), /below the end of memory/],
    [
      'a value that is not given',
      { kind: 'register', register: 16, when: 'equals' },
      /a6 = … needs the value/,
    ],
  ])('%s is refused', (_name, spec, message) => {
    expect(() => sceneSession(HIERARCHY).breakpoints.add(spec)).toThrow(message);
  });

  test('more than the machine can watch say so', () => {
    const session = sceneSession(HIERARCHY);
    for (let value = 0; value < 33; value++) {
      session.breakpoints.add({
        kind: 'register',
        register: 20,
        when: 'equals',
        value: `0x1${value.toString(16)}`,
      });
    }
    const problems = () => session.breakpoints.views().map(({ problem }) => problem);
    expect(problems().filter((problem) => problem !== undefined)).toEqual([
      'Only 32 register watchpoints can be on at once; remove or disable another one.',
    ]);
    session.breakpoints.change(1, false);
    expect(problems().every((problem) => problem === undefined)).toBe(true);
  });
});
