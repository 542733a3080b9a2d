import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import { decode } from '../rv64/decode';
import { REG } from '../rv64/registers';
import { Core } from './core';
import {
  ADDRESS,
  CAUSE,
  CAUSE_LOAD,
  HIGHEST_SP,
  INSTRET,
  LOADS,
  MISALIGNED,
  PC,
  REGS,
  REMAINING,
  RESERVATION,
  RESERVATION_SIZE,
  STOP_BREAK,
  STOP_DECODE,
  STOP_EBREAK,
  STOP_ECALL,
  STOP_FAULT,
  STOP_FENCE_I,
  STOP_FETCH,
  STOP_ILLEGAL,
  STOP_LIMIT,
  STOP_MEMORY,
  STOP_WATCH,
  STORES,
  WATCH_BY,
} from './core/layout';
import { PagedMemory } from './memory';
import { Predecoder } from './predecode';
import { HartSnapshot } from './hart-snapshot';
import { MemorySaver } from './snapshots';
import { Watches } from './watches';
import type { PipelineEntry } from './timing/pipeline';
import { TIMING_PROFILES, type TimingName, type TimingProfile } from './timing/profile';
import { Timer, type CpiStack } from './timing/timer';
import type {
  Machine,
  MachineCounters,
  MachineObserver,
  MachineSnapshot,
  MachineStop,
  Passage,
  RunOptions,
  TrapCause,
  Watch,
} from './types';

/** How a machine is made. */
export interface MachineOptions {
  /** Most bytes that written pages, tables and decoded instructions may take together; 1 GiB unless told. */
  readonly memoryLimit?: number;
  /** The timing profile; `none` unless told: then cycles are not counted and runs are fastest. */
  readonly timing?: TimingName | 'none';
  /** Whether the profile's instruction and data caches are part of the timing; they are not unless told. */
  readonly caches?: boolean;
}

/** Instructions that the core runs before it comes back, so that its code gets replaced by optimised code. */
const SLICE = 4_000_000;

/** A cycle that is never reached. */
const NEVER = 2n ** 64n - 1n;

/** Reasons after which a run goes on. */
const GOES_ON: ReadonlySet<number> = new Set([STOP_LIMIT, STOP_DECODE, STOP_FENCE_I]);

class HartMachine implements Machine {
  private readonly core: Core;
  readonly memory: PagedMemory;
  private readonly predecoder: Predecoder;
  private readonly saver: MemorySaver;
  private readonly watchList: Watches;
  private readonly timer: Timer;

  constructor(options: MachineOptions) {
    this.core = new Core(options.memoryLimit ?? 2 ** 30);
    this.memory = new PagedMemory(this.core);
    this.predecoder = new Predecoder(this.core, this.memory);
    this.saver = new MemorySaver(this.core, this.memory);
    this.memory.listener = this.predecoder;
    this.watchList = new Watches(this.core, (address) => this.memory.readU8(address));
    const timing = options.timing ?? 'none';
    this.timer = new Timer(
      this.core,
      timing === 'none' ? undefined : TIMING_PROFILES[timing],
      options.caches === true,
    );
  }

  get pc(): bigint {
    return this.core.getU64(PC);
  }
  set pc(value: bigint) {
    this.core.setU64(PC, value);
  }

  getRegister(index: number): bigint {
    return this.core.getU64(REGS + 8 * checkRegister(index));
  }
  setRegister(index: number, value: bigint): void {
    if (checkRegister(index) === 0) return;
    this.memory.observer?.register(index);
    this.core.setU64(REGS + 8 * index, value);
    if (index === REG.sp) this.noteSp();
  }
  private noteSp(): void {
    const sp = this.core.getU64(REGS + 8 * REG.sp);
    if (sp > this.core.getU64(HIGHEST_SP)) this.core.setU64(HIGHEST_SP, sp);
  }
  registers(): BigUint64Array {
    return new BigUint64Array(this.core.u8.slice(REGS, REGS + 32 * 8).buffer);
  }

  get instructions(): bigint {
    return this.core.getU64(INSTRET);
  }

  counters(): MachineCounters {
    this.core.settle();
    return {
      instructions: this.instructions,
      loads: this.core.getU64(LOADS),
      stores: this.core.getU64(STORES),
      cycles: this.timer.cycles(this.instructions),
    };
  }

  run(limit: number, options: RunOptions = {}): MachineStop {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new EngineError('machine/limit', `${limit} is no number of instructions to run.`, { limit });
    }
    const { untilCycle } = options;
    const passed = (): boolean => untilCycle !== undefined && this.now() >= untilCycle;
    if (limit === 0 || passed()) return { reason: 'limit', pc: this.pc };
    if (options.skipFirst === true && this.predecoder.hasBreakpoint(this.pc)) {
      const stop = this.step();
      return stop.reason === 'limit' && !passed() ? this.go(limit - 1, untilCycle) : stop;
    }
    return this.go(limit, untilCycle);
  }

  step(): MachineStop {
    return this.predecoder.withoutBreakpoint(this.pc, () => this.go(1));
  }

  /** The current cycle. */
  private now(): bigint {
    return this.timer.cycles(this.instructions) ?? this.instructions;
  }

  private go(limit: number, untilCycle?: bigint): MachineStop {
    const { core } = this;
    this.predecoder.fetchWhatWasWritten();
    let left = limit;
    while (left > 0) {
      const slice = Math.min(left, SLICE);
      const checked = untilCycle !== undefined || this.timer.recording || this.watchList.watchRegisters;
      const reason = checked ? core.runChecked(slice, untilCycle ?? NEVER) : core.run(slice);
      left -= slice - core.getU32(REMAINING);
      this.predecoder.fetchWhatWasWritten();
      if (untilCycle !== undefined && this.now() >= untilCycle && GOES_ON.has(reason)) left = 0;
      if (reason === STOP_LIMIT) continue;
      const stop = this.stopFor(reason, left > 0);
      if (stop) return stop;
    }
    return { reason: 'limit', pc: this.pc };
  }

  /** What the core's reason to stop means; undefined when the run may go on. */
  private stopFor(reason: number, more: boolean): MachineStop | undefined {
    const pc = this.pc;
    switch (reason) {
      case STOP_DECODE:
        return more ? this.fetchAt(pc) : undefined;
      case STOP_FENCE_I:
        this.fenceI();
        return undefined;
      case STOP_BREAK:
        return { reason: 'breakpoint', pc };
      case STOP_ECALL:
        return { reason: 'ecall', pc };
      case STOP_EBREAK:
        return { reason: 'ebreak', pc };
      case STOP_WATCH:
        return this.watchStop(pc, this.core.getU64(WATCH_BY));
      case STOP_FETCH:
        return this.fetchFault(pc, this.core.getU64(ADDRESS));
      case STOP_FAULT:
        return this.accessFault(pc);
      case STOP_ILLEGAL:
        return this.illegal(pc);
      case STOP_MEMORY:
        throw this.core.exhausted();
      default:
        throw new EngineError('machine/core', `The core stopped with the unknown reason ${reason}.`, {
          reason,
        });
    }
  }

  private watchStop(pc: bigint, by: bigint): MachineStop {
    return { reason: 'watch', pc, by, ...this.watchList.hitBy(this.destinations(by)) };
  }

  /** The registers that the instruction at pc writes: none, one, or a pair. */
  private destinations(pc: bigint): readonly number[] {
    const low = this.predecoder.fetch(pc) ?? 0;
    const high = (low & 3) === 3 ? (this.predecoder.fetch(pc + 2n) ?? 0) : 0;
    const { rd = 0, base } = decode(low | (high << 16)) ?? {};
    if (rd === 0) return [];
    return base?.shape.rd?.even === true ? [rd, rd + 1] : [rd];
  }

  /** The core has no instruction for pc: decodes it, or says why there is none. */
  private fetchAt(pc: bigint): MachineStop | undefined {
    const mapped = this.memory.table.find(pc);
    if (mapped?.region.trap === true) return { reason: 'trap', pc };
    if (!this.predecoder.executable(mapped) || this.predecoder.fetch(pc) === undefined)
      return this.fetchFault(pc, pc);
    this.predecoder.prepare(mapped, pc);
    return undefined;
  }

  private fault(pc: bigint, cause: TrapCause, address: bigint, message: string): MachineStop {
    return { reason: 'fault', pc, cause, address, message };
  }

  private fetchFault(pc: bigint, address: bigint): MachineStop {
    const region = this.memory.regionAt(address);
    const why = region ? `region '${region.name}' there is not executable` : 'nothing is mapped there';
    return this.fault(
      pc,
      'instruction-access-fault',
      address,
      `No instruction can be fetched from ${hex64(address)}: ${why}.`,
    );
  }

  private illegal(pc: bigint): MachineStop {
    const low = this.predecoder.fetch(pc) ?? 0;
    const word = (low & 3) === 3 ? (low | ((this.predecoder.fetch(pc + 2n) ?? 0) << 16)) >>> 0 : low;
    const digits = word.toString(16).padStart((low & 3) === 3 ? 8 : 4, '0');
    return this.fault(
      pc,
      'illegal-instruction',
      pc,
      `The word ${digits} at ${hex64(pc)} is no instruction of this hart.`,
    );
  }

  private accessFault(pc: bigint): MachineStop {
    const isLoad = this.core.getU32(CAUSE) === CAUSE_LOAD;
    const address = this.core.getU64(ADDRESS);
    const region = this.memory.regionAt(address);
    const { r, w } = region?.permissions ?? { r: false, w: false };
    const why = !region
      ? 'nothing is mapped there'
      : isLoad && !r
        ? `region '${region.name}' is not readable`
        : !isLoad && !w
          ? `region '${region.name}' is not writable`
          : `the atomic instruction needs a naturally aligned address in memory that can be read and written`;
    return this.fault(
      pc,
      isLoad ? 'load-access-fault' : 'store-access-fault',
      address,
      `The instruction at ${hex64(pc)} cannot ${isLoad ? 'load from' : 'store to'} ${hex64(address)}: ${why}.`,
    );
  }

  setBreakpoint(address: bigint): void {
    this.predecoder.setBreakpoint(u64(address));
  }
  clearBreakpoint(address: bigint): void {
    this.predecoder.clearBreakpoint(u64(address));
  }
  addWatch(watch: Watch): number {
    return this.watchList.add(watch);
  }
  removeWatch(number: number): void {
    this.watchList.remove(number);
  }
  watches(): ReadonlyMap<number, Watch> {
    return this.watchList.all;
  }
  setWaypoints(addresses: readonly bigint[]): void {
    this.predecoder.setWaypoints(addresses.map(u64));
    this.passage();
  }
  passage(): Passage {
    return this.predecoder.passage(this.getRegister(REG.sp));
  }
  observe(observer: MachineObserver | undefined): void {
    this.memory.observer = observer;
  }
  get timing(): TimingProfile | null {
    return this.timer.profile ?? null;
  }
  recordPipeline(on: boolean): void {
    this.timer.record(on);
  }
  pipeline(): readonly PipelineEntry[] {
    return this.timer.pipeline();
  }
  misalignedAccesses(): bigint {
    return this.core.getU64(MISALIGNED);
  }
  cpiStack(): CpiStack | null {
    return this.timer.profile ? this.timer.stack(this.instructions) : null;
  }
  fenceI(): void {
    this.predecoder.fenceI();
  }

  snapshot(): MachineSnapshot {
    const counters = this.counters();
    const image = this.saver.save();
    return new HartSnapshot(
      this,
      counters,
      image,
      this.saver,
      this.predecoder.view(),
      this.registers(),
      STATE_CELLS.map((cell) => this.core.getU64(cell)),
      this.core.getU32(RESERVATION_SIZE),
      this.timer.save(),
    );
  }

  restore(snapshot: MachineSnapshot): void {
    if (!(snapshot instanceof HartSnapshot) || snapshot.owner !== this) {
      throw new EngineError(
        'machine/snapshot',
        'This snapshot was taken of another machine; restore it there.',
      );
    }
    if (snapshot.released) {
      throw new EngineError('machine/snapshot', 'This snapshot was released; take another one.');
    }
    this.core.settle();
    this.saver.restore(snapshot.image);
    this.predecoder.restoreView(snapshot.view);
    snapshot.registers.forEach((value, index) => this.core.setU64(REGS + 8 * index, value));
    this.noteSp();
    STATE_CELLS.forEach((cell, index) => this.core.setU64(cell, snapshot.cells[index]!));
    this.core.setU32(RESERVATION_SIZE, snapshot.reservation);
    this.timer.restore(snapshot.timing);
  }
}

/** 64-bit cells of the core that are part of the hart's state. */
const STATE_CELLS = [PC, INSTRET, LOADS, STORES, MISALIGNED, RESERVATION] as const;

function checkRegister(index: number): number {
  if (!Number.isInteger(index) || index < 0 || index > 31) {
    throw new EngineError(
      'machine/register',
      `There is no register x${index}; registers are numbered 0 to 31.`,
      { index },
    );
  }
  return index;
}

/** A hart with empty memory, all registers 0. */
export function createMachine(options: MachineOptions = {}): Machine {
  return new HartMachine(options);
}
