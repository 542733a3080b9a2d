import type { Kernel } from '../kernel/types';
import type { Machine, MachineSnapshot } from '../machine/types';
import { NO_INTEREST, type Execution, type ExecutionState, type Halt, type Interest } from './execution';

/** A state that can be gone back to. */
interface Checkpoint {
  readonly time: number;
  readonly machine: MachineSnapshot;
  readonly kernel: unknown;
  readonly execution: ExecutionState;
}

/** Units of time between checkpoints: what is replayed at most to reach an instant near the end. */
const INTERVAL = 1_000_000;
/** Bytes that the checkpoints may keep alive together, and how many there may be. */
const MOST_BYTES = 160 * 2 ** 20;
const MOST_CHECKPOINTS = 256;

/**
 * The way that a run has come, as checkpoints between which it is replayed: with everything seeded, a replay is the run
 * itself. Time counts what has been done, an instruction or a kernel function each (Execution.time).
 *
 * Old history gets coarser, never lost: when the checkpoints are too many or too large, every second one of the older half
 * goes, so the way back to an instant long ago is replayed over a longer stretch. The first instant always stays.
 */
export class History {
  private checkpoints: Checkpoint[] = [];
  /** The latest instant that has been reached; what happens before it has been told already. */
  private reached = 0;

  constructor(
    private readonly machine: Machine,
    private readonly kernel: Kernel,
    private readonly execution: Execution,
  ) {}

  /** The run begins here. */
  begin(): void {
    this.checkpoints = [];
    this.reached = this.execution.time;
    this.take();
  }

  /** True while what is executed was executed before. */
  get replaying(): boolean {
    return this.execution.time <= this.reached;
  }

  /** Whether there is anything to go back to. */
  get canGoBack(): boolean {
    return this.checkpoints.length > 0 && this.execution.time > this.checkpoints[0]!.time;
  }

  /** Bytes that the checkpoints keep alive, approximately. */
  get bytes(): number {
    return this.checkpoints.reduce((sum, checkpoint) => sum + checkpoint.machine.bytes, 0);
  }

  /** Call before running on: takes a checkpoint when one is due. @returns how far to run until the next one is */
  prepare(): number {
    const last = this.checkpoints.at(-1)!;
    const { time } = this.execution;
    if (time >= last.time + INTERVAL) {
      this.take();
      return INTERVAL;
    }
    // On ground that was covered before, the checkpoints are there already.
    return last.time + INTERVAL - time;
  }

  /** Call when the run has halted. */
  note(): void {
    this.reached = Math.max(this.reached, this.execution.time);
  }

  private take(): void {
    this.checkpoints.push({
      time: this.execution.time,
      machine: this.machine.snapshot(),
      kernel: this.kernel.snapshot(),
      execution: this.execution.save(),
    });
    if (this.checkpoints.length > MOST_CHECKPOINTS || this.bytes > MOST_BYTES) this.thin();
  }

  private thin(): void {
    const half = this.checkpoints.length >> 1;
    this.checkpoints = this.checkpoints.filter((_, i) => i === 0 || i > half || i % 2 === 0);
  }

  /** The first instant. */
  get start(): number {
    return this.checkpoints[0]!.time;
  }

  /** The latest instant that has been reached. */
  get end(): number {
    return this.reached;
  }

  /** The last checkpoint's time at or before an instant. */
  checkpointBefore(time: number): number {
    return this.checkpointFor(time).time;
  }

  private checkpointFor(time: number): Checkpoint {
    let found = this.checkpoints[0]!;
    for (const checkpoint of this.checkpoints) if (checkpoint.time <= time) found = checkpoint;
    return found;
  }

  /**
   * Takes machine, kernel and execution to an instant of the past (or of a future that has been seen).
   * @returns what ends the run there, if something does
   */
  goTo(time: number): Halt | undefined {
    const checkpoint = this.checkpointFor(time);
    const { execution } = this;
    // Within reach of the present, running on is nearer than going back to the checkpoint.
    if (execution.time > time || execution.time < checkpoint.time) this.restore(checkpoint);
    return this.replay(time, NO_INTEREST);
  }

  /** Runs on to an instant at most. @returns what it halted for, undefined at the instant */
  replay(until: number, interest: Interest): Halt | undefined {
    while (this.execution.time < until) {
      const halt = this.execution.advance(until - this.execution.time, interest);
      if (halt.kind !== 'budget') return halt;
    }
    return undefined;
  }

  private restore(checkpoint: Checkpoint): void {
    this.machine.restore(checkpoint.machine);
    this.kernel.restore(checkpoint.kernel);
    this.execution.load(checkpoint.execution);
  }
}
