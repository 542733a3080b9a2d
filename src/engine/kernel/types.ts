import type { BpfInsn } from '../bpf/insn';
import type { BpfObject, BpfProgram, BpfReloc } from '../loader/object';
import type { JitFunction, JitProgram } from '../jit/types';
import type { Machine, MachineStop } from '../machine/types';
import type { Profile } from '../jit/profile';
import type { XlatedProgram } from '../xlate/types';

/** A map in machine memory. */
export interface KernelMap extends Omit<MapAttributes, 'inner'> {
  readonly id: number;
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
  /** Whether the user asks for the context afterwards (default: yes); without `ctx` and this a sk_buff run has no user context at all. */
  readonly wantCtx?: boolean;
}

/** Attributes of bpf(BPF_MAP_CREATE). Sizes in bytes. */
export interface MapAttributes {
  readonly name: string;
  /** enum bpf_map_type */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Maps of maps: what an inner map must be like. */
  readonly inner?: MapAttributes;
}

/** A program given as instructions, without an object file. */
export interface RawProgram {
  readonly name: string;
  readonly insns: readonly BpfInsn[];
  /** enum bpf_prog_type */
  readonly progType: number;
  /** enum bpf_attach_type */
  readonly attachType?: number;
  /** prog_flags */
  readonly flags?: number;
  /** First slots of main and the other functions; found from the calls when absent. */
  readonly functions?: readonly { readonly start: number; readonly name: string }[];
  readonly relocations?: readonly BpfReloc[];
  /** The code is taken at its word instead of being checked as the verifier does (xlate/trusted.ts). */
  readonly trusted?: boolean;
}

/** What BPF_PROG_TEST_RUN hands back. */
export interface TestRunOutput {
  /** u32 */
  readonly retval: number;
  readonly dataOut?: Uint8Array;
  readonly ctxOut?: Uint8Array;
}

/**
 * What happened outside the BPF code, in order. `step` = instructions executed when it happened. Of a helper call, `pc` is the address
 * it returns to (the instruction behind the call), `id` the helper's id (0 for a kfunc) and `name` the kernel function that ran, which
 * for map helpers may be that of the map type (`htab_map_update_elem`).
 */
export type KernelEvent =
  | {
      readonly kind: 'helper';
      readonly step: bigint;
      readonly pc: bigint;
      readonly id: number;
      readonly name: string;
      readonly args: readonly bigint[];
      readonly result: bigint;
    }
  | { readonly kind: 'printk'; readonly step: bigint; readonly text: string }
  | {
      readonly kind: 'output';
      readonly step: bigint;
      readonly via: 'perf_event' | 'ringbuf';
      readonly map: string;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'redirect'; readonly step: bigint; readonly ifindex: number; readonly flags: number };

/** What the kernel model did about a stop in a trap region. */
export type TrapOutcome =
  /**
   * Handled; the machine may go on at its new pc. `helper` is the kernel function whose call has ended, if one has; `event` is its
   * event, if that is kept; what the helper printed or sent stands before it in `events`.
   */
  | { readonly kind: 'continue'; readonly helper?: string; readonly event?: KernelEvent }
  /** The program returned to its caller in the kernel (after the last of its repetitions). `returnValue` = all 64 bits of R0 (a5). */
  | { readonly kind: 'exit'; readonly returnValue: bigint }
  /** An address that stands for nothing we model. `message` is a sentence for people. */
  | { readonly kind: 'unknown'; readonly pc: bigint; readonly message: string };

/** A saved state of the kernel beside its memory; opaque. What grows with the run is shared with it and with other snapshots. */
export interface KernelSnapshot {
  /** Bytes (approximately, for history budgets) that this snapshot alone keeps alive. */
  readonly bytes: number;
}

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
  /** Creates one map. @throws EngineError `kernel/map-type`, `kernel/errno`, `kernel/duplicate` */
  createMap(attributes: MapAttributes): KernelMap;
  /** Loads one program whose maps exist. @throws EngineError as loadObject() */
  loadRaw(program: RawProgram): KernelProgram;
  /** @throws EngineError `kernel/no-program` naming those there are. */
  program(name: string): KernelProgram;
  /** @throws EngineError `kernel/no-map` naming those there are. */
  map(name: string): KernelMap;
  /** Keys and values as bpf(BPF_MAP_LOOKUP_ELEM) would give them from user space. */
  dumpMap(map: KernelMap): readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  /**
   * bpf(BPF_MAP_UPDATE_ELEM). Values of per-CPU maps are 8-byte-rounded slots, one a CPU, of which the first counts; those of prog
   * arrays and maps of maps are ids.
   * @param flags BPF_ANY 0 (default), BPF_NOEXIST 1, BPF_EXIST 2
   * @throws EngineError `kernel/errno` with the errno in data
   */
  updateMap(map: KernelMap, key: Uint8Array, value: Uint8Array, flags?: bigint): void;
  /** bpf(BPF_MAP_DELETE_ELEM) @throws EngineError `kernel/errno` */
  deleteMapElement(map: KernelMap, key: Uint8Array): void;
  /** bpf(BPF_MAP_FREEZE): user space may not change it any more; the verifier takes read-only contents as constants. */
  freezeMap(map: KernelMap): void;
  /** prog_array[index] = program @throws EngineError `kernel/errno` EINVAL for a program of another type */
  setProgArray(map: KernelMap, index: number, program: string): void;
  /** Prepares memory, registers and stack so that the machine stands at the program's entry. */
  beginRun(program: KernelProgram, input: TestRunInput): void;
  /**
   * As beginRun() without a test run around it: R1 = address of the given memory, R2 = its length; both 0 without. The memory
   * lies alone in its region, so that an access past it faults.
   */
  beginExec(program: KernelProgram, mem?: Uint8Array): void;
  /** After `exit` of beginExec(): the memory as the program left it. */
  finishExec(): { readonly mem?: Uint8Array };
  /** Called after each stop with reason `trap`. */
  handleTrap(stop: MachineStop & { readonly reason: 'trap' }): TrapOutcome;
  /**
   * Called after a stop with reason `fault`: applies an exception table entry of the faulting image, if there is one
   * (ex_handler_bpf), and says whether the run may go on.
   */
  handleFault(stop: MachineStop & { readonly reason: 'fault' }): boolean;
  /** After `exit`: what BPF_PROG_TEST_RUN would hand back. */
  finishRun(program: KernelProgram): TestRunOutput;
  /** The JITed function that an address lies in. */
  functionAt(address: bigint): { readonly program: KernelProgram; readonly fn: JitFunction } | undefined;
  /** `bpf_map_lookup_elem` and the like for an address, with offset; programs as `bpf_prog_<tag>_<name>`. */
  symbolAt(address: bigint): { readonly name: string; readonly offset: number } | undefined;
  /** Helper, kfunc … that the trap address stands for. */
  trapName(address: bigint): string | undefined;
  /**
   * Of the current run, oldest first; at most EVENT_LIMIT helper calls and as many others, and of these PAYLOAD_LIMIT bytes, then
   * no more are kept. A copy of the list.
   */
  readonly events: readonly KernelEvent[];
  /** How many events are kept of the run so far. */
  readonly eventCount: number;
  /** Those of `events` from number `from` on. */
  eventsSince(from: number): readonly KernelEvent[];
  /** How many events of the run were not kept. */
  readonly eventsDropped: number;
  /** State that is not in machine memory (ids, random numbers, free memory, events), to be kept with a machine snapshot. */
  snapshot(): KernelSnapshot;
  /** @throws EngineError `kernel/snapshot` for one of another kernel. */
  restore(snapshot: KernelSnapshot): void;
}
