import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { layOutPipeline, pipelineAt, type PipelineEntry, type PipelineRow } from '../machine/timing/pipeline';
import type { TimingProfile } from '../machine/timing/profile';
import type { LostCause } from '../machine/timing/pipeline';
import type { Execution } from './execution';
import { nativeText, symbolText } from './locations';
import { retireCycle, type PipelineLens } from './pipeline';
import type { PipelineRowView, PipelineStageView, PipelineView, StallCause } from './views';

/** Units of time of the past that a view goes back at most. */
const PAST = 320;

/** Why cycles are lost, for people. */
export const STALL_SENTENCES: Readonly<Record<LostCause, string>> = {
  'load-use': 'waits for a value that is being loaded',
  mul: 'waits for a product',
  div: 'waits for a quotient, or for the divider',
  atomic: 'waits for the result of an atomic operation',
  'csr-or-jump': 'waits for a CSR or for the link of a jump',
  'late-result': 'waits for a result that the late unit makes',
  branch: 'a branch or jump was predicted wrongly: what had been fetched behind it is thrown away',
  flush: 'the pipeline is emptied and filled again',
  icache: 'waits for the instruction cache to get the line',
  dcache: 'waits for the data cache to get the line',
};

/**
 * The pipeline around a cycle: the instructions that were executed last, those to come as far as they are in the pipeline
 * already, and what each stage holds. Cycles are counted as the machine counts them: in cycle n the instruction that brought
 * the count to n is in the last stage.
 * @throws EngineError `debugger/pipeline` without a timing profile
 */
export function pipelineView(
  execution: Execution,
  lens: PipelineLens,
  now: number | null,
): Omit<PipelineView, 'session' | 'stop'> {
  const { machine } = execution;
  const { timing } = machine;
  const totals = machine.cpiStack();
  if (!timing || !totals || now === null) {
    throw new EngineError(
      'debugger/pipeline',
      'This session counts no cycles; start it with a timing profile (rocket, u74 or ideal) to see the pipeline.',
    );
  }
  // What retires in the last stage in cycle n entered the stage of issue this much earlier.
  const shift = timing.stages.length - 1 - timing.issueStage;
  const past = lens.past(PAST);
  const ahead = lens.ahead(2 * timing.stages.length);
  const kernelBefore: (string | undefined)[] = [];
  const entries: PipelineEntry[] = [];
  let kernel: string | undefined;
  for (const unit of past) {
    if (unit.kind === 'kernel') {
      kernel = unit.name;
      continue;
    }
    entries.push(unit.entry);
    kernelBefore.push(kernel);
    kernel = undefined;
  }
  entries.push(...ahead);
  kernelBefore.push(kernel);
  const laidOut = layOutPipeline(entries, timing);
  const at = BigInt(now + shift);
  // What is not fetched yet in this cycle is not shown: it may still be left out by a jump.
  const shown = laidOut.filter((row) => row.enter[0]! <= at);
  const rows = shown.map((row, i) => rowView(execution, row, kernelBefore[i], shift, now));
  return {
    timing: { name: timing.name, title: timing.title, stages: timing.stages },
    cycle: now,
    rows,
    stages: stageViews(shown, laidOut, at, timing),
    causes: STALL_SENTENCES,
    totals: {
      instructions: Number(totals.instructions),
      paired: Number(totals.paired),
      cycles: Number(machine.counters().cycles ?? 0n),
      lost: numbers(totals.lost),
    },
    ...(execution.inKernel && { kernel: symbolText(execution.kernel, machine.pc) }),
  };
}

function rowView(
  execution: Execution,
  row: PipelineRow,
  kernel: string | undefined,
  shift: number,
  now: number,
): PipelineRowView {
  const { entry } = row;
  const code = execution.index.at(entry.pc);
  const offset = code?.offsetOf(entry.pc) ?? 0;
  const slot = code?.map.slotAt(offset) ?? -1;
  const cycle = (value: bigint): number => Number(value) - shift;
  return {
    pc: hex64(entry.pc),
    symbol: symbolText(execution.kernel, entry.pc),
    text: code ? nativeText(execution.kernel, code, offset) : '(kernel)',
    ...(code && { function: code.key }),
    ...(slot >= 0 && { slot }),
    enter: row.enter.map(cycle),
    leave: cycle(row.leave),
    retired: retireCycle(entry) <= now,
    waited: entry.waited,
    ...(entry.waitedFor && { waitedFor: entry.waitedFor }),
    held: entry.held,
    ...(entry.heldFor && { heldFor: entry.heldFor }),
    ...(kernel !== undefined && { kernelBefore: kernel }),
  };
}

function stageViews(
  shown: readonly PipelineRow[],
  laidOut: readonly PipelineRow[],
  cycle: bigint,
  timing: TimingProfile,
): readonly PipelineStageView[] {
  return pipelineAt(laidOut, cycle, timing).map(({ stage, rows, stalled, bubble }) => ({
    stage,
    rows: rows.map((row) => shown.indexOf(row)).filter((index) => index >= 0),
    stalled,
    ...(bubble && { bubble }),
  }));
}

function numbers(lost: Readonly<Record<LostCause, bigint>>): Readonly<Record<StallCause, number>> {
  const entries = Object.entries(lost).map(([cause, cycles]) => [cause, Number(cycles)] as const);
  return Object.fromEntries(entries) as Record<LostCause, number>;
}
