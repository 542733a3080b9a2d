import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { bytesToHex, hexToBytes } from '../base/hex';
import { assemble } from '../bpf/assemble';
import type { BpfObject, BpfProgram, BpfReloc } from '../loader/object';
import { createMachine } from '../machine/machine';
import type { MachineSnapshot } from '../machine/types';
import { parseProfile, SCHEMES } from '../jit/profile';
import type { KernelVersion } from '../profile/profile';
import { runToEnd } from './execute';
import { createKernel } from './kernel';
import { REG } from './task';
import { u32le, u64le } from './testing/parts';
import type { Kernel, KernelSnapshot, TestRunInput } from './types';

const SYSCALL = 31;
const TC = 3;
const XDP = 6;

function fresh(words: Parameters<typeof parseProfile>[0] = {}): Kernel {
  return createKernel(parseProfile(words), createMachine());
}

/** Loads a program from assembly text; `map[name:…]` operands become relocations. */
function load(kernel: Kernel, name: string, text: string, progType = SYSCALL) {
  const { insns, maps } = assemble(text);
  const relocations = maps.map(({ insn, map, offset }): BpfReloc =>
    offset === undefined ? { kind: 'map', insn, map } : { kind: 'map-value', insn, map, offset },
  );
  return kernel.loadRaw({ name, insns, progType, relocations });
}

function run(kernel: Kernel, name: string, input: TestRunInput = {}, limit = 1_000_000) {
  const program = kernel.program(name);
  kernel.beginRun(program, input);
  const end = runToEnd(kernel, limit);
  return { end, output: end.kind === 'exit' ? kernel.finishRun(program) : undefined };
}

const map = (type: number, more: object = {}) => ({
  name: 'm',
  type,
  keySize: 4,
  valueSize: 8,
  maxEntries: 4,
  flags: 0,
  ...more,
});

const COUNT = `
  *(u32 *)(r10 -4) = 1
  r2 = r10
  r2 += -4
  r1 = map[name:m]
  call bpf_map_lookup_elem
  if r0 == 0 goto none
  r1 = 1
  lock *(u64 *)(r0 +0) += r1
  r0 = *(u64 *)(r0 +0)
  exit
none:
  r0 = 0
  exit`;

describe.each(Object.keys(SCHEMES) as KernelVersion[])('kernel %s', (kernelVersion) => {
  it.each(SCHEMES[kernelVersion])('counts in maps under scheme %s', (tcc) => {
    for (const type of [1, 2, 6]) {
      const kernel = fresh({ kernel: kernelVersion, tcc });
      const made = kernel.createMap(map(type));
      kernel.updateMap(made, u32le(1), u64le(40));
      load(kernel, 'count', COUNT, TC);
      const { output } = run(kernel, 'count', { data: new Uint8Array(64), repeat: 2 });
      expect(output?.retval).toBe(42);
      const entry = kernel.dumpMap(made).find(({ key }) => key[0] === 1);
      expect(bytesToHex(entry!.value)).toBe(bytesToHex(u64le(42)));
    }
  });
});

describe('programs', () => {
  it('are known by name, address and symbol', () => {
    const kernel = fresh();
    const main = load(
      kernel,
      'main',
      `
      r1 = 4
      call double
      exit
    double:
      r0 = r1
      r0 += r1
      exit`,
    );
    expect(kernel.program('main')).toBe(main);
    const [entry, sub] = main.jit.functions;
    expect(kernel.functionAt(entry!.bpfFunc + 4n)).toMatchObject({
      program: { name: 'main' },
      fn: { index: 0 },
    });
    expect(kernel.functionAt(sub!.base)).toMatchObject({ fn: { index: 1 } });
    expect(kernel.functionAt(sub!.base - 8n)).not.toMatchObject({ fn: { index: 1 } });
    expect(kernel.symbolAt(entry!.base + 6n)).toEqual({
      name: expect.stringMatching(/^bpf_prog_[0-9a-f]{16}_main$/) as string,
      offset: 6,
    });
    expect(kernel.symbolAt(kernel.machine.pc)).toBeUndefined();
    expect(kernel.machine.memory.readU64(main.address + BigInt(kernel.profile.layout.bpfProgBpfFunc))).toBe(
      entry!.bpfFunc,
    );
    expect(run(kernel, 'main').output?.retval).toBe(8);
    expect(() => kernel.program('other')).toThrow(/no program named 'other'; loaded programs: main/);
    expect(() => load(kernel, 'main', 'r0 = 0\nexit')).toThrow(/loaded already/);
  });

  it('write the same images at the same places in every kernel made alike', () => {
    const images = [1, 2].map(() => {
      const kernel = fresh();
      kernel.createMap(map(1));
      const { jit } = load(kernel, 'count', COUNT, TC);
      return [jit.functions[0]!.base, bytesToHex(jit.functions[0]!.image)];
    });
    expect(images[0]).toEqual(images[1]);
  });

  it('enter prog arrays of their type alone', () => {
    const kernel = fresh();
    const array = kernel.createMap(map(3, { name: 'jmp', valueSize: 4 }));
    const jump = 'r2 = map[name:jmp]\nr3 = 0\ncall bpf_tail_call\nr0 = 7\nexit';
    load(kernel, 'entry', jump, TC);
    load(kernel, 'leaf', 'r0 = 42\nexit', TC);
    load(kernel, 'alien', 'r0 = 1\nexit', XDP);
    const data = new Uint8Array(64);
    expect(run(kernel, 'entry', { data }).output?.retval).toBe(7);
    expect(() => kernel.setProgArray(array, 0, 'alien')).toThrow(/EINVAL/);
    kernel.setProgArray(array, 0, 'leaf');
    expect(run(kernel, 'entry', { data }).output?.retval).toBe(42);
    expect(kernel.dumpMap(array)).toEqual([{ key: u32le(0), value: u32le(kernel.program('leaf').id) }]);
    expect(() => load(kernel, 'late', jump, XDP)).toThrow(/programs of another type own it/);
    kernel.deleteMapElement(array, u32le(0));
    expect(run(kernel, 'entry', { data }).output?.retval).toBe(7);
    kernel.setProgArray(array, 3, 'entry');
    expect(kernel.dumpMap(array).length).toBe(1);
  });

  it('take 33 tail calls, and the 34th is refused', () => {
    const kernel = fresh();
    const array = kernel.createMap(map(3, { name: 'jmp', valueSize: 4 }));
    kernel.createMap(map(2, { name: 'n', maxEntries: 1 }));
    load(
      kernel,
      'again',
      `
      r6 = r1
      r1 = map[name:n][0]+0
      r2 = 1
      lock *(u64 *)(r1 +0) += r2
      r1 = r6
      r2 = map[name:jmp]
      r3 = 0
      call bpf_tail_call
      r1 = map[name:n][0]+0
      r0 = *(u64 *)(r1 +0)
      exit`,
      TC,
    );
    kernel.setProgArray(array, 0, 'again');
    expect(run(kernel, 'again', { data: new Uint8Array(64) }).output?.retval).toBe(34);
  });
});

describe('maps', () => {
  it('from user space answer with errno', () => {
    const kernel = fresh();
    const array = kernel.createMap(map(2));
    const errno = (act: () => void): unknown => {
      try {
        act();
        return 0;
      } catch (error) {
        return error instanceof EngineError && error.code === 'kernel/errno' ? error.data['errno'] : error;
      }
    };
    expect(errno(() => kernel.updateMap(array, u32le(4), u64le(1)))).toBe(7);
    expect(errno(() => kernel.updateMap(array, u32le(0), u64le(1), 1n))).toBe(17);
    expect(errno(() => kernel.updateMap(array, new Uint8Array(3), u64le(1)))).toBe(22);
    expect(errno(() => kernel.updateMap(array, u32le(0), new Uint8Array(4)))).toBe(22);
    expect(errno(() => kernel.deleteMapElement(array, u32le(0)))).toBe(22);
    kernel.freezeMap(array);
    expect(errno(() => kernel.updateMap(array, u32le(0), u64le(1)))).toBe(1);
    expect(() => kernel.map('x')).toThrow(/no map named 'x'; loaded maps: m/);
    expect(() => kernel.createMap(map(2))).toThrow(/exists already/);
  });
});

describe('helpers', () => {
  it('run from JITed code, leave events in order, and cannot be mistaken for code that keeps registers', () => {
    const kernel = fresh();
    load(
      kernel,
      'print',
      `
      *(u32 *)(r10 -8) = 0x0a6925
      r1 = r10
      r1 += -8
      *(u8 *)(r10 -8) = 0x25
      *(u8 *)(r10 -7) = 0x64
      *(u8 *)(r10 -6) = 0
      r2 = 3
      r3 = 42
      call bpf_trace_printk
      exit`,
    );
    const { output } = run(kernel, 'print');
    expect(output?.retval).toBe(2);
    const [printk, helper] = kernel.events;
    expect(printk).toMatchObject({ kind: 'printk', text: '42' });
    expect(helper).toMatchObject({ kind: 'helper', id: 6, name: 'bpf_trace_printk', result: 2n });
    expect(helper?.kind === 'helper' && kernel.functionAt(helper.pc)?.program.name).toBe('print');
    run(kernel, 'print');
    expect(kernel.events.length).toBe(2);
  });

  it('bpf_loop calls back, and a snapshot inside the callback can be gone on from', () => {
    const kernel = fresh();
    load(
      kernel,
      'sum',
      `
      r6 = r1
      *(u64 *)(r10 -8) = 0
      r1 = *(u32 *)(r6 +0)
      r2 = subprog[add]
      r3 = r10
      r3 += -8
      r4 = *(u32 *)(r6 +4)
      call bpf_loop
      r1 = *(u64 *)(r10 -8)
      *(u64 *)(r6 +8) = r1
      exit
    add:
      r3 = *(u64 *)(r2 +0)
      r3 += r1
      *(u64 *)(r2 +0) = r3
      r0 = 0
      exit`,
    );
    const program = kernel.program('sum');
    const input = { ctx: hexToBytes('05000000000000000000000000000000') };
    const callback = program.jit.functions[1]!.bpfFunc;
    kernel.beginRun(program, input);
    let seen = 0;
    let saved: { machine: MachineSnapshot; kernel: KernelSnapshot } | undefined;
    for (;;) {
      const stop = kernel.machine.step();
      if (stop.reason === 'trap') {
        if (kernel.handleTrap(stop).kind === 'exit') break;
      }
      if (kernel.machine.pc === callback && ++seen === 3) {
        saved = { machine: kernel.machine.snapshot(), kernel: kernel.snapshot() };
      }
    }
    const first = kernel.finishRun(program);
    expect(first.retval).toBe(5);
    expect(bytesToHex(first.ctxOut!.subarray(8))).toBe(bytesToHex(u64le(10)));
    const { events } = kernel;
    kernel.machine.restore(saved!.machine);
    kernel.restore(saved!.kernel);
    expect(kernel.eventCount).toBeLessThan(events.length);
    expect(runToEnd(kernel, 10_000).kind).toBe('exit');
    expect(kernel.finishRun(program)).toEqual(first);
    expect(kernel.eventCount).toBe(events.length);
    // Not only equal: the replay keeps nothing of its own.
    expect(kernel.events.every((event, i) => event === events[i])).toBe(true);
    const other = fresh();
    expect(() => other.restore(saved!.kernel)).toThrow(/taken of another kernel/);
  });

  it('stop a run at one that is not modelled, and at the limit', () => {
    const kernel = fresh();
    load(kernel, 'cgroup', 'call bpf_get_current_cgroup_id\nexit');
    expect(run(kernel, 'cgroup').end).toMatchObject({
      kind: 'stopped',
      reason: 'unknown',
      message: expect.stringContaining(
        'bpf_get_current_cgroup_id is a helper that Hartbeat does not model yet',
      ) as string,
    });
    load(kernel, 'print', 'r0 = 1\nr0 += 1\nr0 += 1\nexit');
    expect(run(kernel, 'print', {}, 3).end).toEqual({ kind: 'limit' });
  });
});

describe('execution of plain instructions', () => {
  it('gets memory in R1 and its length in R2, and gives back all 64 bits of R0', () => {
    const kernel = fresh();
    const program = load(
      kernel,
      'exec',
      `
      r3 = *(u8 *)(r1 +0)
      *(u8 *)(r1 +1) = r3
      r0 = r3
      r0 <<= 56
      exit`,
    );
    kernel.beginExec(program, hexToBytes('aa00'));
    expect(kernel.machine.getRegister(REG.a1)).toBe(2n);
    expect(runToEnd(kernel, 100)).toEqual({ kind: 'exit', returnValue: 0xaa00000000000000n });
    expect(bytesToHex(kernel.finishExec().mem!)).toBe('aaaa');
    kernel.beginExec(program);
    expect(kernel.machine.getRegister(REG.a0)).toBe(0n);
    expect(runToEnd(kernel, 100)).toMatchObject({ kind: 'stopped', reason: 'fault' });
  });

  it('faults at the first byte behind the memory', () => {
    const kernel = fresh();
    const program = load(kernel, 'exec', 'r0 = *(u8 *)(r1 +5)\nexit');
    kernel.beginExec(program, new Uint8Array(5));
    expect(runToEnd(kernel, 100)).toMatchObject({
      kind: 'stopped',
      message: expect.stringContaining('0x') as string,
    });
    kernel.beginExec(program, new Uint8Array(6));
    expect(runToEnd(kernel, 100).kind).toBe('exit');
  });
});

describe('objects', () => {
  const program = (name: string, text: string, more: Partial<BpfProgram> = {}): BpfProgram => {
    const { insns, maps } = assemble(text);
    return {
      name,
      section: 'tc',
      type: { id: TC, name: 'sched_cls' },
      attachType: 0,
      flags: 0,
      insns,
      functions: [],
      relocations: maps.map(({ insn, map: target, offset }) =>
        offset === undefined
          ? { kind: 'map', insn, map: target }
          : { kind: 'map-value', insn, map: target, offset },
      ),
      lines: [],
      ...more,
    };
  };
  const object: BpfObject = {
    name: 'o.o',
    license: 'GPL',
    programs: [
      program('entry', 'r2 = map[name:jmp]\nr3 = 1\ncall bpf_tail_call\nr0 = 7\nexit'),
      program('leaf', 'r1 = map[name:o.rodata][0]+4\nr0 = *(u32 *)(r1 +0)\nexit'),
      program('other', 'r0 = 1\nexit'),
      program('later', 'r0 = 1\nexit', { unsupported: 'it uses an arena.' }),
    ],
    maps: [
      {
        name: 'jmp',
        type: 3,
        keySize: 4,
        valueSize: 4,
        maxEntries: 2,
        flags: 0,
        slots: [{ index: 1, target: 'leaf' }],
      },
      {
        name: 'o.rodata',
        type: 2,
        keySize: 4,
        valueSize: 8,
        maxEntries: 1,
        flags: 0x80,
        initial: hexToBytes('0100000063000000'),
        readOnly: true,
      },
      { name: 'arena', type: 33, keySize: 0, valueSize: 0, maxEntries: 1, flags: 0 },
    ],
    globals: [],
    externs: [],
  };

  it('load what a program needs: its maps, data, and the programs of its prog arrays', () => {
    const kernel = fresh();
    kernel.loadObject(object, ['entry']);
    expect(kernel.programs.map(({ name }) => name)).toEqual(['entry', 'leaf']);
    expect(kernel.maps.map(({ name }) => name)).toEqual(['jmp', 'o.rodata']);
    expect(run(kernel, 'entry', { data: new Uint8Array(64) }).output?.retval).toBe(0x63);
  });

  it('say what they do not have, and what is not supported', () => {
    expect(() => fresh().loadObject(object, ['nothing'])).toThrow(
      /no program named 'nothing'; it has: entry, leaf, other, later/,
    );
    expect(() => fresh().loadObject(object, ['later'])).toThrow(
      'Program later cannot be loaded: it uses an arena.',
    );
    expect(() => fresh().loadObject(object)).toThrow(/cannot be loaded/);
  });
});
