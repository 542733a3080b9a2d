import { describe, expect, test } from 'vitest';
import { EngineError } from '../base/errors';
import { assemble } from '../rv64/assemble';
import { readElf } from '../elf/read';
import { describeBareMetalStop, loadBareMetal, RAM_BASE, RAM_SIZE } from './bare-metal';
import { buildElf, type TestSegment } from './testing/elf';

const BASE = 0x8000_0000n;

function load(
  source: string,
  base = BASE,
  symbols: Record<string, bigint> = {},
  more: readonly TestSegment[] = [],
) {
  const { bytes } = assemble(source, { base, symbols });
  const elf = buildElf(
    base,
    [{ address: base, bytes, memorySize: bytes.length + 64, flags: 7 }, ...more],
    symbols,
  );
  return loadBareMetal(readElf(elf, 'test.elf'), { timing: 'rocket' });
}

test('pc at the entry, sp at the top of RAM, RAM around the segments', () => {
  const program = load('nop', BASE + 0x1000n);
  const { machine } = program;
  expect([machine.pc, machine.getRegister(2)]).toEqual([BASE + 0x1000n, RAM_BASE + BigInt(RAM_SIZE)]);
  expect(machine.memory.regions().map(({ name, base, size }) => [name, base, size])).toEqual([
    ['RAM', BASE, RAM_SIZE],
  ]);
});

test('segments may reach into RAM from below and lie anywhere else, in whole pages', () => {
  const bytes = new Uint8Array(16).fill(1);
  const { machine } = load('nop', 0x10ff8n, {}, [
    { address: 0x12004n, bytes, flags: 6 },
    { address: BASE - 8n, bytes, flags: 6 },
    { address: 0xffff_ffff_8000_0000n, bytes, flags: 6 },
  ]);
  expect(machine.memory.regions().map(({ name, base, size }) => [name, base, size])).toEqual([
    ['program', 0x10000n, 0x3000],
    ['RAM', BASE - 0x1000n, RAM_SIZE + 0x1000],
    ['program', 0xffff_ffff_8000_0000n, 0x1000],
  ]);
  expect(machine.memory.readU64(BASE)).toBe(0x0101_0101_0101_0101n);
});

test('segments elsewhere leave all of RAM', () => {
  const { machine } = load('nop', 0x10000n);
  expect(machine.memory.regionAt(RAM_BASE)).toMatchObject({ base: RAM_BASE, size: RAM_SIZE });
});

describe('the ends of a program', () => {
  test.each([
    ['ecall', 'li a7, 93\nli a0, 42\necall', { reason: 'exit', exitCode: 42, by: 'ecall' }],
    ['ecall with a negative code', 'li a7, 93\nli a0, -3\necall', { reason: 'exit', exitCode: -3 }],
    ['another ecall', 'li a7, 64\necall', { reason: 'ecall', pc: BASE + 4n }],
    ['a store to nowhere', 'sd zero, 0(zero)', { reason: 'fault', cause: 'store-access-fault', address: 0n }],
    ['ebreak', 'ebreak', { reason: 'ebreak' }],
    ['running into zeros', 'nop', { reason: 'fault', cause: 'illegal-instruction', pc: BASE + 4n }],
  ] as const)('%s', (_name, source, expected) => {
    const program = load(source);
    const stop = program.run();
    expect(stop).toMatchObject(expected);
    expect(describeBareMetalStop(stop, program.machine)).toMatch(/\.$/);
  });

  test('odd values in tohost; even ones go on', () => {
    const tohost = BASE + 0x100000n;
    const program = load(
      'li t0, 2\nla t1, tohost\nsd t0, 0(t1)\nsd zero, 0(t1)\nli t0, 7\nsw t0, 0(t1)\nj .',
      BASE,
      { tohost },
    );
    expect(program.run()).toMatchObject({ reason: 'exit', exitCode: 3, by: 'tohost' });
  });

  test('the limit is exact, and a run can go on after it', () => {
    const program = load('li a7, 93\n1: addi a0, a0, 1\nslti a1, a0, 100\nbnez a1, 1b\necall');
    expect(program.run(11)).toMatchObject({ reason: 'limit' });
    expect(program.machine.counters().instructions).toBe(11n);
    expect(program.run()).toMatchObject({ reason: 'exit', exitCode: 100 });
    expect(program.machine.counters().instructions).toBe(1n + 300n);
  });
});

test('code can be written and executed after fence.i; there is no protection', () => {
  // Copies `li a0, 9; ret` to the top of RAM and calls it.
  const program = load(`
    la t0, 1f
    ld t1, 0(t0)
    addi sp, sp, -8
    sd t1, 0(sp)
    fence.i
    jalr ra, 0(sp)
    li a7, 93
    ecall
    .balign 8
  1: addi a0, zero, 9
    ret`);
  expect(program.run()).toMatchObject({ reason: 'exit', exitCode: 9 });
});

test('counters are read by their machine-level names, too, and cannot be written', () => {
  const difference = (after: string, before: string): string =>
    `csrr a1, ${before}\ncsrr a0, ${after}\nsub a0, a0, a1\nli a7, 93\necall`;
  expect(load(difference('minstret', 'instret')).run()).toMatchObject({ reason: 'exit', exitCode: 1 });
  expect(load(difference('cycle', 'mcycle')).run()).toMatchObject(load(difference('mcycle', 'cycle')).run());
  expect(load('csrw mcycle, zero').run()).toMatchObject({ reason: 'fault', cause: 'illegal-instruction' });
});

describe('files that are refused', () => {
  const code = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof EngineError) return error.code;
      throw error;
    }
    return 'none';
  };
  const elf = buildElf(BASE, [{ address: BASE, bytes: new Uint8Array(8), flags: 5 }]);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = elf.slice();
    copy[at] = value;
    return copy;
  };
  test.each([
    ['a relocatable file', changed(16, 1), 'machine/bare-metal'],
    ['another machine', changed(18, 62), 'elf/machine'],
    ['no segments', buildElf(BASE, []), 'machine/bare-metal'],
    [
      'overlapping segments',
      buildElf(
        BASE,
        [1n, 2n].map((address) => ({ address, bytes: new Uint8Array(8), flags: 4 })),
      ),
      'machine/bare-metal',
    ],
    ['an entry outside of all segments', changed(24, 0x10), 'machine/bare-metal'],
    ['an odd entry', changed(24, 1), 'machine/bare-metal'],
    ['more bytes in the file than in memory', changed(64 + 40, 4), 'machine/bare-metal'],
    [
      'a segment beyond all memory',
      buildElf(BASE, [{ address: 2n ** 64n - 4n, bytes: new Uint8Array(8), flags: 4 }]),
      'machine/bare-metal',
    ],
    [
      'a segment of absurd size',
      buildElf(BASE, [{ address: BASE, bytes: new Uint8Array(8), memorySize: 2 ** 50, flags: 4 }]),
      'machine/region',
    ],
  ] as const)('%s', (_name, bytes, expected) => {
    expect(code(() => loadBareMetal(readElf(bytes, 'bad.elf')))).toBe(expected);
  });
});
