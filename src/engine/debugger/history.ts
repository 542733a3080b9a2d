import type { Kernel, KernelSnapshot } from '../kernel/types';
import type { Machine, MachineSnapshot } from '../machine/types';
import { NO_INTEREST, type Execution, type ExecutionState, type Halt, type Interest } from './execution';
import { Trail, type Stretch } from './trail';

/** A state that can be gone back to. */
export interface Checkpoint {
  readonly time: number;
  readonly machine: MachineSnapshot;
  readonly kernel: KernelSnapshot;
  readonly execution: ExecutionState;
}

/** A checkpoint that is kept, with the bytes that it keeps alive and the one before does not. */
interface Kept {
  readonly checkpoint: Checkpoint;
  readonly bytes: number;
}

/**
 * A program that writes much gets longer intervals, so that copying takes a small part of the time: units per byte copied, and
 * how many times longer they get at most.
 */
const UNITS_PER_BYTE = 1;
const MOST_INTERVALS = 3;
/**
 * A program that halts often (for helpers, tail calls) replays slowly: it gets intervals up to so many times shorter. A halt, with
 * the kernel's work, takes about as long as so many instructions.
 */
const MOST_DENSITY = 8;
const HALT_UNITS = 1000;
/** A stretch of the trail takes about this part of the time by the clock that an interval takes: it is replayed in no time. */
const TRAIL_STRETCH = 1 / 8;
/** The last checkpoints on the way to an instant are taken where this part of the rest is left, until it is as short as that. */
const APPROACH = 16;
const NEAR = 16_384;
/** Units between two looks of whoever drives a journey at whether to go on: about a hundred microseconds. */
const STRETCH = 20_000;

/** How much history is kept. */
export interface HistoryLimits {
  /** Units of time between checkpoints: what is replayed at most to reach an instant near the present. */
  readonly interval: number;
  /** Bytes that the checkpoints may keep alive together. */
  readonly bytes: number;
  readonly checkpoints: number;
}

/** What a session keeps unless told otherwise. */
export const HISTORY_LIMITS: HistoryLimits = { interval: 2_000_000, bytes: 128 * 2 ** 20, checkpoints: 512 };

/**
 * The way that a run has come, as checkpoints between which it is replayed: with everything seeded, a replay is the run
 * itself. Time counts what has been done, an instruction or a kernel function each (Execution.time).
 *
 * History is thinned, never lost. When the checkpoints are too many or keep too much memory alive, those go that lie closest to
 * their neighbours in proportion to their distance from the present: near it they stay dense, far away the gaps are a small
 * part of the distance. Who goes back into a wide gap makes new checkpoints there. The first instant always stays.
 */
export class History {
  private kept: Kept[] = [];
  private bytesKept = 0;
  private interval: number;
  /** When {@link density} was looked at last. */
  private looked = { time: 0, halts: 0 };
  /** What the run has passed. */
  readonly trail: Trail;
  /** Units that a stretch of it takes. */
  private readonly stretch: number;
  /** When its last stretch ended. */
  private passedUntil = { time: 0, halts: 0 };
  /** The latest instant that has been reached; what happens before it has been told already. */
  private reached = 0;

  constructor(
    private readonly machine: Machine,
    private readonly kernel: Kernel,
    private readonly execution: Execution,
    private readonly limits: HistoryLimits = HISTORY_LIMITS,
  ) {
    this.interval = limits.interval;
    this.trail = new Trail(machine, execution.index);
    this.stretch = Math.ceil(limits.interval * TRAIL_STRETCH);
  }

  /** The run begins here. */
  begin(): void {
    for (const { checkpoint } of this.kept) checkpoint.machine.release();
    this.kept = [];
    this.bytesKept = 0;
    this.reached = this.execution.time;
    this.looked = this.passedUntil = { time: this.reached, halts: this.execution.halts };
    this.trail.begin(this.reached);
    this.take();
    // All of memory was new to the first checkpoint.
    this.interval = this.limits.interval;
  }

  /** True while what is executed was executed before. */
  get replaying(): boolean {
    return this.execution.time <= this.reached;
  }

  /** Whether there is anything to go back to. */
  get canGoBack(): boolean {
    return this.kept.length > 0 && this.execution.time > this.start;
  }

  /** Bytes that the checkpoints keep alive, approximately. */
  get bytes(): number {
    return this.bytesKept;
  }

  /** The instants of the checkpoints, in order. */
  get instants(): readonly number[] {
    return this.kept.map(({ checkpoint }) => checkpoint.time);
  }

  /** Call before running on: takes a checkpoint when one is due. @returns how far to run until the next one is */
  prepare(): number {
    const { time } = this.execution;
    let next = this.checkpointBefore(time) + this.interval;
    if (time >= next) {
      this.take();
      next = time + this.interval;
    }
    return Math.max(1, Math.min(next - time, this.stretch - this.untold));
  }

  /** Call when the run has halted. */
  note(): void {
    this.reached = Math.max(this.reached, this.execution.time);
    if (this.untold >= this.stretch) this.closeTrail();
  }

  /** What has been done since the trail's last stretch ended, in units as the clock takes them. */
  private get untold(): number {
    const { time, halts } = this.execution;
    return Math.max(0, time - this.passedUntil.time) + (halts - this.passedUntil.halts) * HALT_UNITS;
  }

  private closeTrail(): void {
    this.trail.close(this.reached);
    this.passedUntil = { time: this.reached, halts: this.execution.halts };
  }

  /** What was passed between two instants, in stretches, the last first; they may reach beyond. */
  passed(from: number, to: number): Iterable<Stretch> {
    this.closeTrail();
    return this.trail.between(from, to);
  }

  /** The present state, for a return to it that takes no replay. Whoever asks for it releases its machine's part. */
  present(): Checkpoint {
    return {
      time: this.execution.time,
      machine: this.machine.snapshot(),
      kernel: this.kernel.snapshot(),
      execution: this.execution.save(),
    };
  }

  private take(): void {
    const checkpoint = this.present();
    const at = this.indexBefore(checkpoint.time) + 1;
    this.kept.splice(at, 0, { checkpoint, bytes: 0 });
    const copied = this.measure(at);
    const density = this.density();
    this.measure(at + 1);
    const { interval } = this.limits;
    const wanted = Math.min(Math.max(interval, copied * UNITS_PER_BYTE), MOST_INTERVALS * interval);
    this.interval = Math.max(1, Math.round(wanted / density));
    while (this.kept.length > 2 && this.excessive) this.drop(this.leastUseful(checkpoint.time));
  }

  /** How many times slower than plain instructions what was done since the last look goes by. */
  private density(): number {
    const { time, halts } = this.execution;
    const units = time - this.looked.time;
    const extra = (halts - this.looked.halts) * HALT_UNITS;
    this.looked = { time, halts };
    return units > 0 ? Math.min(1 + extra / units, MOST_DENSITY) : 1;
  }

  private get excessive(): boolean {
    return this.kept.length > this.limits.checkpoints || this.bytesKept > this.limits.bytes;
  }

  /** Counts anew what the checkpoint at this index keeps alive. */
  private measure(index: number): number {
    const entry = this.kept[index];
    if (!entry) return 0;
    const { machine, kernel } = entry.checkpoint;
    const bytes = machine.bytesBeyond(this.kept[index - 1]?.checkpoint.machine) + kernel.bytes;
    this.bytesKept += bytes - entry.bytes;
    this.kept[index] = { checkpoint: entry.checkpoint, bytes };
    return bytes;
  }

  private drop(index: number): void {
    const { checkpoint, bytes } = this.kept[index]!;
    this.bytesKept -= bytes;
    this.kept.splice(index, 1);
    checkpoint.machine.release();
    this.measure(index);
  }

  /** The checkpoint, neither the first nor that of the present, without which the gap grows least for its distance. */
  private leastUseful(now: number): number {
    let [found, least] = [1, Infinity];
    for (let i = 1; i < this.kept.length; i++) {
      const { time } = this.kept[i]!.checkpoint;
      if (time === now) continue;
      const after = this.kept[i + 1]?.checkpoint.time ?? Math.max(this.reached, time);
      const gap = after - this.kept[i - 1]!.checkpoint.time;
      const distance = Math.max(Math.abs(now - time), this.limits.interval);
      if (gap / distance < least) [found, least] = [i, gap / distance];
    }
    return found;
  }

  /** The first instant. */
  get start(): number {
    return this.kept[0]!.checkpoint.time;
  }

  /** The latest instant that has been reached. */
  get end(): number {
    return this.reached;
  }

  /** The last checkpoint's time at or before an instant. */
  checkpointBefore(time: number): number {
    return this.checkpointFor(time).time;
  }

  /** Time of the last checkpoint by which all that has been done was counted by a cycle. */
  checkpointAtCycle(cycle: number): number {
    const at = BigInt(cycle);
    const found = this.kept.findLast(({ checkpoint }) => (checkpoint.machine.counters.cycles ?? 0n) <= at);
    return (found ?? this.kept[0]!).checkpoint.time;
  }

  private checkpointFor(time: number): Checkpoint {
    return this.kept[Math.max(0, this.indexBefore(time))]!.checkpoint;
  }

  /** Index of the last checkpoint at or before an instant; -1 if there is none. */
  private indexBefore(time: number): number {
    return this.kept.findLastIndex(({ checkpoint }) => checkpoint.time <= time);
  }

  /**
   * Takes machine, kernel and execution to an instant of the past (or of a future that has been seen).
   * @returns what ends the run there, if something does
   */
  goTo(time: number): Halt | undefined {
    const journey = this.travel(time);
    for (;;) {
      const { done, value } = journey.next();
      if (done === true) return value;
    }
  }

  /**
   * As goTo(), in pieces: yields the units of time that each took. On its way it takes checkpoints, half-way, after half of
   * the rest and so on, and a few more in the last interval, so that the surroundings of the instant are near from now on.
   */
  *travel(time: number): Generator<number, Halt | undefined> {
    const checkpoint = this.checkpointFor(time);
    const { execution } = this;
    // Within reach of the present, running on is nearer than going back to the checkpoint.
    if (execution.time > time || execution.time < checkpoint.time) this.restore(checkpoint);
    let mark = this.nextMark(time);
    while (execution.time < time) {
      const before = execution.time;
      const halt = this.replay(Math.min(mark, before + STRETCH), NO_INTEREST);
      if (halt) return halt;
      yield execution.time - before;
      if (execution.time < mark || mark === time) continue;
      this.take();
      mark = this.nextMark(time);
    }
    return undefined;
  }

  /** Where to take a checkpoint on the way to an instant; the instant itself if none is needed. */
  private nextMark(time: number): number {
    const rest = time - this.execution.time;
    if (rest < Math.min(NEAR, this.interval)) return time;
    return time - (rest < 2 * this.interval ? Math.floor(rest / APPROACH) : Math.floor(rest / 2));
  }

  /**
   * The stretch of the past that ends at an instant and begins at a checkpoint before it, no longer than what is replayed in a
   * moment: where checkpoints are sparse, some are taken first.
   * @returns where it begins; yields as travel() does
   */
  *stretchBefore(end: number): Generator<number, number> {
    const from = this.checkpointBefore(end - 1);
    if (end - from <= 2 * this.interval) return from;
    yield* this.travel(end - 1);
    return this.checkpointBefore(end - 1);
  }

  /** Runs on to an instant at most. @returns what it halted for, undefined at the instant */
  replay(until: number, interest: Interest): Halt | undefined {
    while (this.execution.time < until) {
      const halt = this.execution.advance(until - this.execution.time, interest);
      if (halt.kind !== 'budget') return halt;
    }
    return undefined;
  }

  /** Goes back, or forwards, to a state that present() gave in this run. */
  restore(checkpoint: Checkpoint): void {
    this.machine.restore(checkpoint.machine);
    this.kernel.restore(checkpoint.kernel);
    this.execution.load(checkpoint.execution);
    this.looked = { time: this.execution.time, halts: this.execution.halts };
  }
}
