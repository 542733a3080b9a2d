import type { Core } from '../core';
import * as layout from '../core/layout';
import { CLASS_NUMBERS } from './classes';
import type { LostCause, PipelineEntry } from './pipeline';
import type { CacheShape, TimingClass, TimingProfile } from './profile';

const CAUSE_NUMBERS: Readonly<Record<LostCause, number>> = {
  'load-use': layout.LOST_LOAD,
  mul: layout.LOST_MUL,
  div: layout.LOST_DIV,
  atomic: layout.LOST_ATOMIC,
  'csr-or-jump': layout.LOST_OTHER,
  'late-result': layout.LOST_LATE,
  branch: layout.LOST_BRANCH,
  flush: layout.LOST_FLUSH,
  icache: layout.LOST_FETCH,
  dcache: layout.LOST_DATA,
};

/** Names of the causes, in the order in which stacks show them. */
export const LOST_CAUSES = Object.keys(CAUSE_NUMBERS) as readonly LostCause[];

const BY_NUMBER = new Map(LOST_CAUSES.map((cause) => [CAUSE_NUMBERS[cause], cause]));

/** The cause with a number of the core's; undefined for 0 and others. */
const lostCause = (number: number): LostCause | undefined => BY_NUMBER.get(number);

/** Where all cycles went: instructions that took their cycle, less those that shared one, plus what was lost. */
export interface CpiStack {
  readonly instructions: bigint;
  /** Instructions issued in the cycle of the one before (dual issue). */
  readonly paired: bigint;
  readonly lost: Readonly<Record<LostCause, bigint>>;
}

const CAUSE_OF_CLASS: Readonly<Partial<Record<TimingClass, number>>> = {
  mul: layout.LOST_MUL,
  cpop: layout.LOST_MUL,
  'alu-late': layout.LOST_LATE,
  'alu-b-late': layout.LOST_LATE,
  div: layout.LOST_DIV,
  load: layout.LOST_LOAD,
  'load-small': layout.LOST_LOAD,
  amo: layout.LOST_ATOMIC,
  lr: layout.LOST_ATOMIC,
  sc: layout.LOST_ATOMIC,
};

/** The core's timing model, set up from a profile. */
export class Timer {
  /** Bytes of the model's state that are in use. */
  private readonly stateBytes: number;

  /** Without a profile, or with the ideal one, the core counts no time: a cycle is an instruction. */
  constructor(
    private readonly core: Core,
    readonly profile: TimingProfile | undefined,
    caches: boolean,
  ) {
    this.stateBytes = caches
      ? layout.TIMING_END - layout.READY
      : layout.BRANCHES + layout.BRANCH_MAX - layout.READY;
    const mode = modeOf(profile, caches);
    core.setU32(layout.MODE, mode);
    core.setU32(layout.TIME_DIVIDER, profile?.cyclesPerTick ?? 1);
    core.setU32(layout.COHERENT, profile?.coherentFetch === true ? 1 : 0);
    // Where time is derived it begins at the end of cycle 0; where it is not, this is the cycle of the first instruction, from
    // which the cycle counter counts.
    core.setU64(layout.TIME, mode === layout.MODE_PLAIN && profile ? 15n : 7n);
    core.setU64(layout.FETCH_LINE, 2n ** 64n - 1n);
    if (profile) setParameters(core, profile);
  }

  /** Whether the core derives time; otherwise cycles are instructions. */
  get derived(): boolean {
    return this.core.getU32(layout.MODE) !== layout.MODE_PLAIN;
  }

  /** The cycle in which the last instruction was issued, plus what it held up; null without a profile. */
  cycles(instructions: bigint): bigint | null {
    if (!this.profile) return null;
    return this.derived ? this.core.getU64(layout.TIME) >> 3n : instructions;
  }

  stack(instructions: bigint): CpiStack {
    const { core } = this;
    const lost = Object.fromEntries(
      LOST_CAUSES.map((cause) => [cause, core.getU64(layout.LOST + 8 * CAUSE_NUMBERS[cause])]),
    ) as Record<LostCause, bigint>;
    return { instructions, paired: core.getU64(layout.PAIRED), lost };
  }

  /** Starts or stops recording executed instructions for {@link pipeline}. */
  record(on: boolean): void {
    this.core.setU32(layout.PIPELINE_ON, on ? 1 : 0);
    this.core.setU64(layout.PIPELINE_COUNT, 0n);
  }

  get recording(): boolean {
    return this.core.getU32(layout.PIPELINE_ON) !== 0;
  }

  /** The instructions executed last, oldest first, at most PIPELINE_MAX. */
  pipeline(): readonly PipelineEntry[] {
    const { core } = this;
    const count = Number(core.getU64(layout.PIPELINE_COUNT));
    const entries: PipelineEntry[] = [];
    for (let i = Math.max(0, count - layout.PIPELINE_MAX); i < count; i++) {
      const at = layout.PIPELINE + (i % layout.PIPELINE_MAX) * layout.PIPELINE_BYTES;
      entries.push({
        pc: core.getU64(at + layout.PIPELINE_PC),
        issue: core.getU64(at + layout.PIPELINE_ISSUE),
        free: core.getU64(at + layout.PIPELINE_FREE),
        result: core.getU64(at + layout.PIPELINE_RESULT),
        waited: core.getU32(at + layout.PIPELINE_WAITED),
        waitedFor: lostCause(core.u8[at + layout.PIPELINE_WAITED_FOR]!),
        held: core.getU32(at + layout.PIPELINE_HELD),
        heldFor: lostCause(core.u8[at + layout.PIPELINE_HELD_FOR]!),
      });
    }
    return entries;
  }

  save(): Uint8Array {
    return this.core.u8.slice(layout.READY, layout.READY + this.stateBytes);
  }
  restore(state: Uint8Array): void {
    this.core.u8.set(state, layout.READY);
    this.core.setU64(layout.PIPELINE_COUNT, 0n);
  }
}

function modeOf(profile: TimingProfile | undefined, caches: boolean): number {
  const costsNothing = profile?.name === 'ideal' && !caches;
  if (!profile || costsNothing) return layout.MODE_PLAIN;
  return (profile.dualIssue ? layout.MODE_DUAL : layout.MODE_SINGLE) + (caches ? layout.MODE_CACHES : 0);
}

const eighths = (cycles: number): bigint => BigInt(8 * cycles);

function setParameters(core: Core, profile: TimingProfile): void {
  for (const [name, number] of Object.entries(CLASS_NUMBERS) as [TimingClass, number][]) {
    const latency = profile.latency[name] ?? 1;
    const cause = latency > 1 ? (CAUSE_OF_CLASS[name] ?? layout.LOST_OTHER) : 0;
    core.setU64(layout.LATENCY + 8 * number, eighths(latency) + BigInt(cause) - 7n);
    setPipes(core, profile, name, number);
  }
  core.setU64(layout.MISPREDICT_COST, eighths(profile.mispredict));
  core.setU64(layout.FLUSH_COST, eighths(profile.flush));
  core.setU64(layout.DIVIDE_BASE, eighths(profile.divide.base));
  core.setU64(layout.DIVIDE_BIT, eighths(profile.divide.perBit));
  core.setU32(layout.BRANCH_MASK, profile.branchCounters === 0 ? 0 : profile.branchCounters - 1);
  core.setU32(layout.RETURN_ENTRIES, profile.returnStack);
  core.setU32(layout.TARGET_MASK, profile.jumpTargets - 1);
  setCache(core, layout.FETCH_SHAPE, profile.instructionCache);
  setCache(core, layout.DATA_SHAPE, profile.dataCache);
}

function setPipes(core: Core, { dualIssue }: TimingProfile, name: TimingClass, number: number): void {
  if (!dualIssue) return;
  const both = layout.PIPE_A | layout.PIPE_B;
  const pipe = dualIssue.pipes[name];
  const pipes = pipe === 'A' ? layout.PIPE_A : pipe === 'B' ? layout.PIPE_B : both;
  core.u8[layout.CLASS_PIPES + number] = pipes;
  // An instruction for either pipe takes the one that the next does not need.
  core.u8[layout.CLASS_LEAVES + number] = pipes === both ? both : both ^ pipes;
  const late = dualIssue.late[name];
  const delay = eighths(dualIssue.lateUnit);
  core.setU64(layout.LATE_1 + 8 * number, late?.rs1 ? delay : 0n);
  core.setU64(layout.LATE_2 + 8 * number, late?.rs2 ? delay : 0n);
  core.setU64(layout.LATE_RESULT + 8 * number, late?.result ? delay : 0n);
}

function setCache(core: Core, at: number, { size, ways, line, miss }: CacheShape): void {
  core.setU32(at, Math.log2(line));
  core.setU32(at + 4, size / line / ways - 1);
  core.setU32(at + 8, ways);
  core.setU32(at + 12, 8 * miss);
}
