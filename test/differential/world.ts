import { u64 } from '../../src/engine/base/u64';
import { JIT_FACTS } from '../../src/engine/profile/jit-facts';
import type { KernelVersion } from '../../src/engine/profile/profile';

/**
 * The world around generated programs, the same for the reference interpreter and the machine: addresses, helpers and
 * kernel functions. Programs may compute with these addresses, so they must be the same on both sides; the stack's are not,
 * and no program lets a stack address out.
 */

/** Memory that r1 of the entry program points to, and every function keeps in r6. Bytes. */
export const BUFFER = { base: 0xffff_ffd6_0000_0000n, size: 512 } as const;
/** Memory of the second kind: reached by ld_imm64 constants. */
export const VALUES = { base: 0xffff_ffd6_0400_0040n, size: 256 } as const;
/** The arena: page 1 is there, everything else faults. */
export const ARENA = {
  kernelBase: 0xffff_ff90_0000_0000n,
  userBase: 0x7f12_0000_0000n,
  pageOffset: 0x1000,
  pageSize: 0x1000,
} as const;
/** Per-cpu memory of the first and of this CPU; the distance is what the per-cpu move adds. */
export const PER_CPU = {
  base: 0xffff_ffd7_0000_0000n,
  size: 128,
  offset: 0x1_2340_0000n,
  cpu: 3,
  offsetArray: 0xffff_ffff_8140_0000n,
} as const;
/** Where a probing load finds nothing. */
export const UNMAPPED = 0xffff_ffd9_0000_0000n;
/** struct task_struct: thread_info lies at its beginning. */
export const TASK = 0xffff_ffd8_0000_1240n;
export const STACK = { base: 0xffff_ffc6_0000_0000n, size: 0x4000 } as const;

/** BPF code. Helpers at {@link NEAR_CALLS} are in reach of jal from most of it, those at {@link CALL_BASE} are not. */
export const CODE = { base: 0xffff_ffff_7800_0000n, size: 0x100_0000 } as const;
export const NEAR_CALLS = { base: 0xffff_ffff_77ff_0000n, size: 0x1_0000 } as const;
export const CALL_BASE = 0xffff_ffff_8020_0000n;
export const FAR_CALLS = { base: CALL_BASE, size: 0x1_0000 } as const;
/** Where the entry program returns to. */
export const RETURN = 0xffff_ffff_8090_0000n;

/** struct bpf_array of the prog array, and the struct bpf_progs. */
export const PROG_ARRAY = 0xffff_ffd6_0800_0000n;
export const progAddress = (index: number): bigint => 0xffff_ffd6_0900_0000n + BigInt(index) * 0x400n;

/** Ids of the helpers that a JIT may inline. */
const GET_SMP_PROCESSOR_ID = 8;
const GET_CURRENT_TASK = [35, 158];

/** The helpers that a kernel's JIT inlines: their calls have the id as imm. */
export function inlinedHelpers(kernel: KernelVersion): readonly number[] {
  const facts = JIT_FACTS[kernel];
  return [
    ...(facts.inlinesSmpProcessorId ? [GET_SMP_PROCESSOR_ID] : []),
    ...(facts.inlinesCurrentTask ? GET_CURRENT_TASK : []),
  ];
}

/** imm of a call whose target is `address`. */
export const callImm = (address: bigint): number => Number(BigInt.asIntN(32, address - CALL_BASE));

/** A kernel function with typed arguments; one each for every argument width. */
export const KFUNC = {
  imm: callImm(FAR_CALLS.base + 0xc000n),
  argSizes: [4, 8, 1, 2],
  argSigned: [true, false, false, true],
} as const;

/** Arguments that a helper takes: its address says how many. */
export const helperArity = (imm: number): number => (imm >>> 4) % 6;

/** r0 of a helper: a pure function of its address and of the arguments it takes. */
export function helperResult(imm: number, args: readonly bigint[]): bigint {
  if (imm === GET_SMP_PROCESSOR_ID) return BigInt(PER_CPU.cpu);
  if (GET_CURRENT_TASK.includes(imm)) return TASK;
  if (imm === KFUNC.imm) return mix(imm, args.slice(0, KFUNC.argSizes.length).map(kfuncArgument));
  return mix(imm, args.slice(0, helperArity(imm)));
}

/** What a C function sees of an argument of its type. */
export function kfuncArgument(value: bigint, index: number): bigint {
  const bits = 8 * (KFUNC.argSizes[index] ?? 8);
  return KFUNC.argSigned[index] === true ? u64(BigInt.asIntN(bits, value)) : BigInt.asUintN(bits, value);
}

function mix(imm: number, args: readonly bigint[]): bigint {
  let hash = u64(BigInt(imm) * 0x9e37_79b9_7f4a_7c15n);
  for (const arg of args) hash = u64((hash ^ (arg >> 7n) ^ arg) * 0xd6e8_feb8_6659_fd93n + 0x2545n);
  return hash;
}

/** First contents of all memory, from a seed: a small counter-based sequence. */
export function fill(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (seed ^ 0x9e3779b9) >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
