import { describe, expect, test } from 'vitest';
import { assemble } from '../bpf/assemble';
import { createMachine } from '../machine/machine';
import { parseProfile } from '../jit/profile';
import { runToEnd } from './execute';
import { createKernel } from './kernel';
import { u64le } from './testing/parts';
import type { Kernel } from './types';

/*
 * Loads through pointers that a traced function received are probing loads: where nothing is mapped, the exception table sends the
 * program on behind the load, with 0 in the register (ex_handler_bpf). Other faults stay faults.
 */
const TRACING = 26;
const MODIFY_RETURN = 26;
const UNMAPPED = [
  ['null', 0n],
  ['a user address', 0x7fff_0000_1000n],
  ['a kernel address', 0xffff_ffe0_0000_0000n],
] as const;
const PROFILES = [
  { kernel: '6.6', tcc: 'mainline' },
  { kernel: '6.12', tcc: 'transparent' },
  { kernel: '6.12', tcc: 'transparent', isa: 'rv64ima' },
  { kernel: '7.2', tcc: 'mainline', isa: 'rv64imac_zba_zbb' },
] as const;
const LOADS = ['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32'] as const;
const BYTES = 0x8786_8584_8382_8180n;

const newKernel = (words: (typeof PROFILES)[number]): Kernel =>
  createKernel(parseProfile(words), createMachine());

/** Runs a program whose context is one pointer. */
function run(kernel: Kernel, text: string, pointer: bigint) {
  const { insns } = assemble(text);
  const name = `p${kernel.programs.length}`;
  const program = kernel.loadRaw({ name, insns, progType: TRACING, attachType: MODIFY_RETURN });
  kernel.beginExec(program, u64le(pointer));
  return { end: runToEnd(kernel, 1000), program };
}

/** r0 = what the load gave, plus 1 for every instruction behind it. Eight bytes are a pointer again, to four bytes. */
const probing = (load: string): string => `
  r2 = *(u64 *)(r1 +0)
  r0 = -1
  ${load === 'u64' ? 'r3 = *(u64 *)(r2 +8)\n  r0 = *(u32 *)(r3 +0)' : `r0 = *(${load} *)(r2 +8)`}
  r0 += 1
  r0 += 1
  exit`;

function signed(load: (typeof LOADS)[number]): bigint {
  const bits = Number(load.slice(1));
  const value = BYTES & ((1n << BigInt(bits)) - 1n);
  return load.startsWith('s') ? BigInt.asUintN(64, BigInt.asIntN(bits, value)) : value;
}

describe.each(PROFILES)('$kernel $tcc $isa', (words) => {
  const loads = words.kernel === '6.6' ? LOADS.filter((load) => load.startsWith('u')) : LOADS;

  test.each(loads)('%s', (load) => {
    const kernel = newKernel(words);
    for (const [, address] of UNMAPPED) {
      const { end, program } = run(kernel, probing(load), address);
      expect(end).toEqual({ kind: 'exit', returnValue: 2n });
      expect(program.jit.functions[0]!.extable.length).toBeGreaterThanOrEqual(1);
    }
    const { memory } = kernel.machine;
    const place = memory.regions().find(({ permissions: { r, w }, trap }) => r && w && trap !== true)!.base;
    memory.writeU64(place + 9n, load === 'u64' ? place + 32n : BYTES);
    memory.writeU64(place + 32n, BYTES);
    const { end } = run(kernel, probing(load), place + 1n);
    expect(end).toEqual({
      kind: 'exit',
      returnValue: BigInt.asUintN(64, signed(load === 'u64' ? 'u32' : load) + 2n),
    });
  });

  test('a chain of them, and the counters: a load that faulted is no load', () => {
    const kernel = newKernel(words);
    const { end } = run(
      kernel,
      'r2 = *(u64 *)(r1 +0)\nr2 = *(u64 *)(r2 +0)\nr2 = *(u64 *)(r2 +16)\nr0 = *(u32 *)(r2 +0)\nexit',
      0n,
    );
    expect(end).toEqual({ kind: 'exit', returnValue: 0n });
    const { loads: all } = kernel.machine.counters();
    const { extable } = kernel.programs[0]!.jit.functions[0]!;
    expect(extable).toHaveLength(3);
    // The context's pointer, and what the epilogue restores.
    const restored = kernel.programs[0]!.jit.functions[0]!.frame.slots.filter(
      (slot) => slot.register !== undefined,
    );
    expect(Number(all)).toBe(1 + restored.length);
  });

  test('the table in memory, behind the image, is the one that is looked up', () => {
    const kernel = newKernel(words);
    const { program } = run(kernel, probing('u64'), 0n);
    const fn = program.jit.functions[0]!;
    const at = fn.base + BigInt(fn.extableOffset);
    expect(kernel.machine.memory.read(at, fn.extableBytes.length)).toEqual(fn.extableBytes);
  });
});
