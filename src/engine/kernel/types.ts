import type { BpfObject, BpfProgram } from '../loader/object';
import type { JitFunction, JitProgram } from '../jit/types';
import type { Machine, MachineStop } from '../machine/types';
import type { Profile } from '../profile/profile';
import type { XlatedProgram } from '../xlate/types';

/** A map in machine memory. */
export interface KernelMap {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Address of struct bpf_map. */
  readonly address: bigint;
}

/** A program that is loaded: xlated, JITed, its images and struct bpf_prog in machine memory. */
export interface KernelProgram {
  readonly id: number;
  readonly name: string;
  readonly source: BpfProgram;
  readonly xlated: XlatedProgram;
  readonly jit: JitProgram;
  /** Address of struct bpf_prog. */
  readonly address: bigint;
}

/** Input of one BPF_PROG_TEST_RUN. */
export interface TestRunInput {
  /** Packet bytes for network types (the frame from the Ethernet header on). */
  readonly data?: Uint8Array;
  /** Raw bytes of the user-visible context; for syscall programs the memory that the context pointer points to. */
  readonly ctx?: Uint8Array;
  readonly repeat?: number;
}

export interface TestRunOutput {
  /** u32 */
  readonly retval: number;
  readonly dataOut?: Uint8Array;
  readonly ctxOut?: Uint8Array;
}

/** What happened outside the BPF code, in order. `step` = instructions executed when it happened. */
export type KernelEvent =
  | { readonly kind: 'helper'; readonly step: bigint; readonly pc: bigint; readonly id: number; readonly name: string; readonly args: readonly bigint[]; readonly result: bigint }
  | { readonly kind: 'printk'; readonly step: bigint; readonly text: string }
  | { readonly kind: 'output'; readonly step: bigint; readonly via: 'perf_event' | 'ringbuf'; readonly map: string; readonly data: Uint8Array }
  | { readonly kind: 'redirect'; readonly step: bigint; readonly ifindex: number; readonly flags: number };

/** What the kernel model did about a stop in a trap region. */
export type TrapOutcome =
  /** Handled; the machine may go on at its new pc. */
  | { readonly kind: 'continue'; readonly event?: KernelEvent }
  /** The program returned to its caller in the kernel. */
  | { readonly kind: 'exit'; readonly returnValue: bigint }
  /** An address that stands for nothing we model. `message` is a sentence for people. */
  | { readonly kind: 'unknown'; readonly pc: bigint; readonly message: string };

/** The kernel around the programs: address space, symbols, maps, helpers, contexts. */
export interface Kernel {
  readonly profile: Profile;
  readonly machine: Machine;
  readonly maps: readonly KernelMap[];
  readonly programs: readonly KernelProgram[];
  /**
   * Creates the object's maps and loads its programs (all, or those named and what their prog arrays need), fills prog
   * arrays given in the source.
   * @throws EngineError for what the verifier or JIT refuses, or what is not supported.
   */
  loadObject(object: BpfObject, programs?: readonly string[]): void;
  program(name: string): KernelProgram;
  map(name: string): KernelMap;
  /** Keys and values as bpf(BPF_MAP_LOOKUP_ELEM) would give them from user space. */
  dumpMap(map: KernelMap): readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  updateMap(map: KernelMap, key: Uint8Array, value: Uint8Array): void;
  deleteMapElement(map: KernelMap, key: Uint8Array): void;
  /** prog_array[index] = program */
  setProgArray(map: KernelMap, index: number, program: string): void;
  /** Prepares memory, registers and stack so that the machine stands at the program's entry. */
  beginRun(program: KernelProgram, input: TestRunInput): void;
  /** Called after each stop with reason `trap`. */
  handleTrap(stop: MachineStop & { readonly reason: 'trap' }): TrapOutcome;
  /**
   * Called after a stop with reason `fault`: applies an exception table entry of the faulting image, if there is one
   * (ex_handler_bpf), and says whether the run may go on.
   */
  handleFault(stop: MachineStop & { readonly reason: 'fault' }): boolean;
  /** After `exit`: what BPF_PROG_TEST_RUN would hand back. */
  finishRun(program: KernelProgram, input: TestRunInput): TestRunOutput;
  /** The JITed function that an address lies in. */
  functionAt(address: bigint): { readonly program: KernelProgram; readonly fn: JitFunction } | undefined;
  /** `bpf_map_lookup_elem` and the like for an address, with offset; programs as `bpf_prog_<tag>_<name>`. */
  symbolAt(address: bigint): { readonly name: string; readonly offset: number } | undefined;
  /** Helper, kfunc … that the trap address stands for. */
  trapName(address: bigint): string | undefined;
  readonly events: readonly KernelEvent[];
  /** State that is not in machine memory (ids, time, random numbers, queues), to be kept with a machine snapshot. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}
