import type { PipelineEntry } from './timing/pipeline';
import type { TimingProfile } from './timing/profile';
import type { CpiStack } from './timing/timer';

/** The machine's face: one hart, sparse memory at kernel addresses, stops with exact reasons. */

/** Access rights of a region. */
export interface Permissions {
  readonly r: boolean;
  readonly w: boolean;
  readonly x: boolean;
}

/**
 * A stretch of mapped memory. `trap` regions hold no code: executing any address in one stops the machine with
 * reason `trap`; that is how helpers and the return to the kernel are reached.
 */
export interface Region {
  readonly name: string;
  readonly base: bigint;
  /** Bytes */
  readonly size: number;
  readonly permissions: Permissions;
  readonly trap?: boolean;
}

/** RISC-V exception causes (privileged manual, mcause) that the machine raises. */
export type TrapCause =
  | 'instruction-access-fault'
  | 'illegal-instruction'
  | 'breakpoint'
  | 'load-access-fault'
  | 'store-access-fault'
  | 'ecall';

/** Why a run ended. `pc` is the instruction that would execute next, or that faulted. */
export type MachineStop =
  /** The instruction or cycle limit given to run() was reached. */
  | { readonly reason: 'limit'; readonly pc: bigint }
  /** An address breakpoint: the instruction at pc has not executed yet. */
  | { readonly reason: 'breakpoint'; readonly pc: bigint }
  /** pc lies in a trap region. */
  | { readonly reason: 'trap'; readonly pc: bigint }
  | {
      readonly reason: 'fault';
      readonly pc: bigint;
      readonly cause: TrapCause;
      readonly address: bigint;
      readonly message: string;
    }
  | { readonly reason: 'ecall'; readonly pc: bigint }
  | { readonly reason: 'ebreak'; readonly pc: bigint }
  /** A watchpoint: the access has been made; `pc` is the next instruction, `by` the one that made it. */
  | {
      readonly reason: 'watch';
      readonly pc: bigint;
      readonly by: bigint;
      /** Every watchpoint that the instruction hit, in the order of their numbers; `watch` is the first. */
      readonly hits: readonly number[];
      readonly watch: number;
      /** The first watched byte that was accessed, if memory was. */
      readonly address?: bigint;
      readonly access?: WatchedAccess;
      /** The register written and its value before, where registers are watched. */
      readonly register?: { readonly index: number; readonly before: bigint };
    };

/** An access to watched memory. */
export interface WatchedAccess {
  readonly address: bigint;
  /** Bytes: 1, 2, 4 or 8 */
  readonly size: number;
  readonly read: boolean;
  readonly written: boolean;
  /** What the bytes were before the write, little-endian; 0 for a read. */
  readonly before: bigint;
}

/**
 * What a watchpoint watches. `written`: an instruction writes it, with whatever value; `changed`: with another value;
 * `equals`: it is written with this value. Accesses from outside (MachineMemory, setRegister) do not stop the machine; an
 * observer is told of them.
 */
export type Watch =
  | { readonly kind: 'register'; readonly register: number; readonly on: 'written' | 'changed' }
  | { readonly kind: 'register'; readonly register: number; readonly on: 'equals'; readonly value: bigint }
  /** `size` in bytes; an access that overlaps the range in any byte counts. */
  | {
      readonly kind: 'memory';
      readonly address: bigint;
      readonly size: number;
      readonly on: 'read' | 'written' | 'changed';
    };

/** Told of accesses from outside, by MachineMemory and setRegister, before a write is made. Reads may be told twice. */
export interface MachineObserver {
  register(index: number): void;
  read(address: bigint, length: number): void;
  write(address: bigint, length: number): void;
}

/** Counts of what was executed so far. An AMO is a load and a store, lr a load, a successful sc a store. */
export interface MachineCounters {
  readonly instructions: bigint;
  readonly loads: bigint;
  readonly stores: bigint;
  /** null when the machine runs without a timing profile. */
  readonly cycles: bigint | null;
}

/** Memory by kernel address. All accesses from outside ignore permissions; unmapped ranges throw EngineError `machine/unmapped`. */
export interface MachineMemory {
  map(region: Region, bytes?: Uint8Array): void;
  unmap(base: bigint): void;
  regions(): readonly Region[];
  regionAt(address: bigint): Region | undefined;
  /** A copy of `length` bytes; the range may span adjacent regions. */
  read(address: bigint, length: number): Uint8Array;
  /** As read, but undefined where any byte is unmapped. */
  tryRead(address: bigint, length: number): Uint8Array | undefined;
  /** Writing into an executable region does not change what is executed until fenceI(). */
  write(address: bigint, bytes: Uint8Array): void;
  readU8(address: bigint): number;
  readU16(address: bigint): number;
  readU32(address: bigint): number;
  readU64(address: bigint): bigint;
  writeU8(address: bigint, value: number): void;
  writeU16(address: bigint, value: number): void;
  writeU32(address: bigint, value: number): void;
  writeU64(address: bigint, value: bigint): void;
}

/** A saved state of hart and memory; opaque, cheap to make and to hold. It holds memory of the machine until it is released. */
export interface MachineSnapshot {
  readonly counters: MachineCounters;
  /**
   * Bytes (approximately, for history budgets) that this snapshot keeps alive and `other` does not: snapshots share what was
   * not written between them.
   */
  bytesBeyond(other?: MachineSnapshot): number;
  /** Gives its memory back to the machine; it cannot be restored any more. */
  release(): void;
}

/** What a machine has passed since it was asked last; possibly more, where what was executed has been undone since. */
export interface Passage {
  /** Bit i % 32 of word i / 32: the instruction at waypoint i was executed. */
  readonly waypoints: Uint32Array;
  /** The highest value that sp has had; 2^64 - 1 where that cannot be told. */
  readonly highestSp: bigint;
}

/** How to run. */
export interface RunOptions {
  /** A breakpoint at the first instruction is ignored. */
  readonly skipFirst?: boolean;
  /**
   * Stop with reason `limit` as soon as an instruction was issued in this cycle or a later one. Such runs look at every
   * instruction and are some ten times slower. Without a timing profile an instruction takes a cycle.
   */
  readonly untilCycle?: bigint;
}

/** One hart with its memory. Registers are numbered 0…31 (x0 reads 0). */
export interface Machine {
  readonly memory: MachineMemory;
  pc: bigint;
  getRegister(index: number): bigint;
  setRegister(index: number, value: bigint): void;
  /** All 32 registers at once. */
  registers(): BigUint64Array;
  /** Instructions executed so far; what counters() says without the rest, at hardly any cost. */
  readonly instructions: bigint;
  counters(): MachineCounters;
  /** Where the cycles went; null when the machine runs without a timing profile. */
  cpiStack(): CpiStack | null;
  /** The timing profile it was made with; null without one. */
  readonly timing: TimingProfile | null;
  /** Starts (with nothing recorded) or stops recording executed instructions. Runs that record are some ten times slower. */
  recordPipeline(on: boolean): void;
  /** The instructions recorded last, oldest first, at most 1024. restore() forgets them. */
  pipeline(): readonly PipelineEntry[];
  /** Misaligned loads and stores so far. They work, as the kernel's firmware emulates them. */
  misalignedAccesses(): bigint;
  /** Executes up to `limit` instructions. */
  run(limit: number, options?: RunOptions): MachineStop;
  /** Executes exactly one instruction, ignoring breakpoints; a stop with reason `limit` means it succeeded. */
  step(): MachineStop;
  setBreakpoint(address: bigint): void;
  clearBreakpoint(address: bigint): void;
  /** Gives the watchpoint's number, which a stop names as `watch`. Runs without watchpoints are not slower for it. */
  addWatch(watch: Watch): number;
  removeWatch(number: number): void;
  watches(): ReadonlyMap<number, Watch>;
  /** Tells an observer of accesses from outside from now on; undefined: nobody. */
  observe(observer: MachineObserver | undefined): void;
  /**
   * Sets the addresses whose passing is noted, in place of those before. An instruction at one is a little slower the first time
   * after each passage(), others never.
   */
  setWaypoints(addresses: readonly bigint[]): void;
  /** What was passed since this, or setWaypoints(), was called last. */
  passage(): Passage;
  /** Makes code written since the last call visible to instruction fetch. */
  fenceI(): void;
  snapshot(): MachineSnapshot;
  /** @throws EngineError `machine/snapshot` for one of another machine, or one that was released */
  restore(snapshot: MachineSnapshot): void;
}
