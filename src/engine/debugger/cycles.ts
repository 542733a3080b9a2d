import { EngineError } from '../base/errors';
import type { Machine } from '../machine/types';
import type { LostCause } from '../machine/timing/pipeline';
import type { Execution } from './execution';
import type { History } from './history';
import { retireCycle, type PipelineLens, type PipelineUnit } from './pipeline';
import type { Goal, Leg } from './stepping';

/**
 * The cycle that a session stands in. Several cycles can pass between two instructions, so one state of the machine can be
 * looked at in each of them: it is the state that the instructions retired up to that cycle have made.
 */
export class CycleClock {
  private shown: number | undefined;

  constructor(
    private readonly machine: Machine,
    private readonly lens: PipelineLens,
  ) {}

  /** The present cycle; null without a timing profile. */
  get now(): number | null {
    return this.shown ?? this.counted;
  }

  /** Cycles that the machine has counted for what it has executed. */
  get counted(): number | null {
    const { cycles } = this.machine.counters();
    return cycles === null ? null : Number(cycles);
  }

  /** The session moves on by something other than cycles. */
  forget(): void {
    this.shown = undefined;
  }

  set(cycle: number): void {
    this.shown = cycle;
  }

  /** @throws EngineError `debugger/step` without a timing profile */
  needNow(): number {
    const { now } = this;
    if (now !== null) return now;
    throw new EngineError(
      'debugger/step',
      'This session counts no cycles, so it cannot go by them; start it with a timing profile (rocket, u74 or ideal).',
    );
  }

  /** The cycle in which the next instruction retires; undefined where a kernel function or a fault comes next. */
  nextRetires(): number | undefined {
    const [next] = this.lens.ahead(1);
    return next && retireCycle(next);
  }

  /** Why nothing retires in a cycle before that in which the next instruction does. */
  bubble(cycle: number): LostCause | undefined {
    const [next] = this.lens.ahead(1);
    if (next?.waitedFor && cycle >= retireCycle(next) - next.waited) return next.waitedFor;
    const last = this.lens.past(4).findLast((unit) => unit.kind === 'insn');
    return last?.kind === 'insn' ? last.entry.heldFor : undefined;
  }
}

/** More cycles than any one instruction takes. */
const MOST_CYCLES = 200;
const NOWHERE: ReadonlySet<bigint> = new Set();
const SINGLE: Leg = { single: true, addresses: NOWHERE };

/** Runs until all instructions that retire by a cycle are done, and no other. */
export class CycleGoal implements Goal {
  readonly stopKind: 'step' | 'run-to';
  private readonly near: number;

  /** @param halting whether kernel functions, which take no cycles, end it too: so that a step does not hide one */
  constructor(
    private readonly execution: Execution,
    private readonly clock: CycleClock,
    private readonly target: number,
    private readonly halting: boolean,
  ) {
    this.stopKind = halting ? 'step' : 'run-to';
    this.near = target - MOST_CYCLES;
  }

  get text(): string {
    return this.halting ? `Cycle ${this.target}.` : `Reached cycle ${this.target}.`;
  }

  next(): Leg {
    if (this.isNear) return SINGLE;
    return { single: false, addresses: NOWHERE, untilCycle: BigInt(this.near) };
  }

  reached(): boolean {
    if (!this.isNear || !this.isDone) return false;
    this.clock.set(this.target);
    return true;
  }

  private get isDone(): boolean {
    if (this.execution.inKernel) return this.halting;
    const next = this.clock.nextRetires();
    return next !== undefined && next > this.target;
  }

  private get isNear(): boolean {
    return (this.clock.counted ?? 0) >= this.near;
  }
}

/** An instant and the cycle that it is looked at in. */
export interface CycleInstant {
  readonly time: number;
  readonly cycle: number;
}

/**
 * One cycle back: to the same instant where nothing retired in the present cycle, else to that before all that did. What a
 * kernel function did takes no cycle, and is undone on its own.
 * @param units what was done last, oldest first
 */
export function previousCycle(units: readonly PipelineUnit[], { time, cycle }: CycleInstant): CycleInstant {
  const before = cycle - 1;
  const retired = (unit: PipelineUnit): number | undefined =>
    unit.kind === 'insn' ? retireCycle(unit.entry) : undefined;
  const last = units.findLast((unit) => unit.kind === 'insn');
  const lastRetired = last && retired(last);
  if (lastRetired !== undefined && lastRetired <= before) return { time, cycle: before };
  if (units.at(-1)?.kind === 'kernel') return { time: units.at(-1)!.time, cycle };
  let first = units.length;
  while (first > 0) {
    const cycleOf = retired(units[first - 1]!);
    if (cycleOf === undefined || cycleOf <= before) break;
    first--;
  }
  return { time: units[first]?.time ?? time, cycle: before };
}

/**
 * Finds the instant of the past up to which all instructions that retire by a cycle are done.
 * @param now the present instant, behind the cycle
 * @returns the instant; yields between stretches of work, in units of time spent
 */
export function* instantOfCycle(
  execution: Execution,
  history: History,
  clock: CycleClock,
  cycle: number,
  now: number,
): Generator<number, number> {
  const from = history.checkpointAtCycle(cycle);
  history.goTo(from);
  const goal = new CycleGoal(execution, clock, cycle, false);
  while (execution.time < now) {
    const { single, addresses, untilCycle } = goal.next();
    const before = execution.time;
    const budget = single ? 1 : Math.min(now - before, STRETCH);
    execution.advance(budget, { addresses, wants: () => false, ...(untilCycle && { untilCycle }) });
    if (goal.reached()) break;
    if (!single) yield execution.time - before;
  }
  return execution.time;
}

/** Units of time that are gone through at once. */
const STRETCH = 1_000_000;
