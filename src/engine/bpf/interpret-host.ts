import type { BpfInsn } from './insn';
import type { BpfAccessSize } from './table';

/** Memory as the program sees it: byte addresses, little endian. */
export interface BpfMemory {
  /** The unsigned value of `size` bytes; undefined where nothing is mapped. */
  load(address: bigint, size: BpfAccessSize): bigint | undefined;
  /** Stores the low `size` bytes; false where nothing is mapped or writable. */
  store(address: bigint, size: BpfAccessSize, value: bigint): boolean;
}

/** A helper that wants a callback to run first (bpf_loop, bpf_for_each_map_elem …): resumable, not a JavaScript stack. */
export interface CallbackRequest {
  /** The function pointer that the program passed. */
  readonly callback: bigint;
  /** r1 to r5 of the callback, missing ones 0. */
  readonly args: readonly bigint[];
  /** Continues the helper with the callback's return value. */
  readonly then: (result: bigint) => HelperResult;
}

/** What a helper gives: r0, or a callback to run first. */
export type HelperResult = bigint | CallbackRequest;

/** Code that the interpreter executes, in one array with its subprograms. */
export interface BpfCode {
  readonly name: string;
  readonly insns: readonly BpfInsn[];
}

/** The world around the program. Only what a program uses need be there; the rest is refused with a clear error. */
export interface BpfHost {
  readonly memory: BpfMemory;
  /** r0 of a helper call; `imm` is the helper id, or an address difference in code behind the verifier. */
  readonly helper?: (imm: number, args: readonly bigint[], insn: BpfInsn) => HelperResult;
  /** r0 of a kfunc call. */
  readonly kfunc?: (imm: number, args: readonly bigint[], insn: BpfInsn) => HelperResult;
  /** The program to go on with, or undefined when the tail call is not taken and execution falls through. */
  readonly tailCall?: (ctx: bigint, map: bigint, index: bigint) => BpfCode | undefined;
  /** The value of a ld_imm64 with a pseudo source (a map, a map value, a BTF variable; not a function). */
  readonly pseudo?: (slot: number, insn: BpfInsn, next: BpfInsn | undefined) => bigint;
  /** Address of the function at a slot (callbacks); without it, `functionBase + slot`. */
  readonly functionAddress?: (slot: number) => bigint;
  /** Inverse of `functionAddress`. */
  readonly functionSlot?: (address: bigint) => number | undefined;
  /** r10 of a new frame: `depth` 0 is main, and each call goes one deeper. Without it, 512 bytes a frame down from `stackTop`. */
  readonly framePointer?: (depth: number, slot: number, code: BpfCode) => bigint;
  /** Upper end of the default stack (exclusive). */
  readonly stackTop?: bigint;
  /** Kernel address of the arena's byte 0, for probe_mem32; and the arena's user address, for casts to space 1. */
  readonly arena?: { readonly kernelBase: bigint; readonly userBase: bigint };
  /** Added by the per-cpu move. */
  readonly perCpuOffset?: bigint;
}

/** One function that runs. */
export interface BpfFrame {
  readonly code: BpfCode;
  /** Slot of the function's first instruction. */
  readonly start: number;
  /** Slot to go on at in the caller; 0 in main. */
  readonly returnTo: number;
  /** The caller's r6 to r10. */
  readonly saved: readonly bigint[];
  /** `undefinedRegisters` of the caller when it called. */
  readonly savedUndefined: number;
  /** Set in a callback: how the helper goes on when it returns. */
  readonly then?: (result: bigint) => HelperResult;
  /** may_goto steps left (the kernel's BPF_MAX_LOOPS at first). */
  mayGoto: number;
}
