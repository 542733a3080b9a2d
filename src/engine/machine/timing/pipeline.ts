import type { TimingProfile } from './profile';

/** Why a cycle was lost. */
export type LostCause =
  | 'load-use'
  | 'mul'
  | 'div'
  | 'atomic'
  | 'csr-or-jump'
  | 'late-result'
  | 'branch'
  | 'flush'
  | 'icache'
  | 'dcache';

/** When one instruction was where, as the machine recorded it. Cycles count from 1. */
export interface PipelineEntry {
  readonly pc: bigint;
  /** The cycle in which it was issued: entered the profile's issue stage. */
  readonly issue: bigint;
  /** The last cycle in which nothing behind it could issue: `issue`, or later when it held up or flushed the pipeline. */
  readonly free: bigint;
  /** The first cycle in which an instruction that needs its result can issue. */
  readonly result: bigint;
  /** Cycles that it waited before issue, and for what. */
  readonly waited: number;
  readonly waitedFor?: LostCause;
  /** Cycles that it held up all others after issue, and why. */
  readonly held: number;
  readonly heldFor?: LostCause;
}

/** An entry with the cycle at which it entered each stage of the profile, and the cycle after its last. */
export interface PipelineRow {
  readonly entry: PipelineEntry;
  /** By stage. */
  readonly enter: readonly bigint[];
  readonly leave: bigint;
}

/** What is in a stage in one cycle. */
export interface StageView {
  readonly stage: string;
  /** Rows whose instruction is there: at most two, more than one only in dual-issue cores. */
  readonly rows: readonly PipelineRow[];
  /** True for an instruction that could not move on from the stage at the end of this cycle. */
  readonly stalled: boolean;
  /** Why there is no instruction; undefined where there is one, or before and after all rows. */
  readonly bubble?: LostCause;
}

const max = (...values: readonly bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b));

/**
 * Works out the stages of consecutive entries. Instructions move in order: one enters a stage when that before it has left
 * it; it waits for operands in the profile's wait stage and for the instruction cache in the first stage.
 */
export function layOutPipeline(
  entries: readonly PipelineEntry[],
  profile: TimingProfile,
): readonly PipelineRow[] {
  const rows: PipelineRow[] = [];
  for (const entry of entries) rows.push(layOutNext(entry, rows.at(-1), profile));
  return rows;
}

/** Works out the stages of the entry that follows `before`, the row of the entry executed before it. */
export function layOutNext(
  entry: PipelineEntry,
  before: PipelineRow | undefined,
  profile: TimingProfile,
): PipelineRow {
  const { stages, issueStage } = profile;
  const depth = stages.length;
  if (before && before.entry.issue === entry.issue && before.entry.free === entry.issue) {
    const leave = max(before.leave, BigInt(depth - issueStage) + entry.free);
    return { entry, enter: before.enter, leave };
  }
  // The front end runs ahead until it is full, but after a redirection it starts anew: just in time for the first cycle in
  // which this instruction could issue.
  const redirected = before?.entry.heldFor === 'branch' || before?.entry.heldFor === 'flush';
  const unhindered = before ? before.entry.free + 1n : entry.issue - BigInt(entry.waited);
  const first = unhindered - BigInt(issueStage);
  const inFetch = entry.waitedFor === 'icache' ? BigInt(entry.waited) : 0n;
  const enter: bigint[] = [];
  for (let stage = 0; stage < issueStage; stage++) {
    const available =
      stage === 0 ? (before && !redirected ? before.enter[1]! : first) : enter[stage - 1]! + 1n;
    const behind = before?.enter[stage + 1] ?? available;
    enter.push(max(available + (stage === 1 ? inFetch : 0n), behind));
  }
  enter.push(entry.issue);
  // A data cache miss holds the instruction in the stage after issue; what else holds others up does not hold it.
  const inMemory = entry.heldFor === 'dcache' ? BigInt(entry.held) : 0n;
  for (let stage = issueStage + 1; stage < depth; stage++) {
    enter.push(entry.issue + BigInt(stage - issueStage) + (stage > issueStage + 1 ? inMemory : 0n));
  }
  return { entry, enter, leave: enter[depth - 1]! + 1n };
}

/** All stages in one cycle, from the rows around it. */
export function pipelineAt(
  rows: readonly PipelineRow[],
  cycle: bigint,
  profile: TimingProfile,
): readonly StageView[] {
  return profile.stages.map((stage, index) => {
    const until = (row: PipelineRow): bigint => row.enter[index + 1] ?? row.leave;
    const there = rows.filter((row) => row.enter[index]! <= cycle && cycle < until(row));
    if (there.length > 0)
      return { stage, rows: there, stalled: there.some((row) => row.enter[index]! < cycle) };
    return { stage, rows: there, stalled: false, bubble: bubbleCause(rows, cycle, index) };
  });
}

/** A bubble in a stage was made by the next instruction to come, which waited, or by the last that was there, which held it up. */
function bubbleCause(rows: readonly PipelineRow[], cycle: bigint, stage: number): LostCause | undefined {
  const next = rows.findIndex((row) => row.enter[stage]! > cycle);
  if (next <= 0) return undefined;
  const before = rows[next - 1]!.entry;
  return before.heldFor ?? rows[next]!.entry.waitedFor;
}
