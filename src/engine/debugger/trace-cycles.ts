import { EngineError } from '../base/errors';
import { layOutNext, pipelineAt, type PipelineRow } from '../machine/timing/pipeline';
import type { LostCause } from '../machine/timing/pipeline';
import { retireCycle } from './pipeline';
import type { Session } from './session';
import { traceSession, type TraceStep } from './trace';

/** What a stage holds in a cycle. */
export interface TracedStage {
  readonly stage: string;
  /** Instructions there: none in a bubble, two at most. */
  readonly steps: readonly TraceStep[];
  /** They cannot move on at the end of the cycle. */
  readonly stalled: boolean;
  readonly bubble: LostCause | undefined;
}

/** One cycle of a run. */
export interface TraceCycle {
  readonly cycle: number;
  readonly stages: readonly TracedStage[];
  /** Instructions whose results are there at the end of the cycle, and were not before. */
  readonly retired: readonly TraceStep[];
}

/** Instructions that are executed before their cycles are told. */
const BATCH = 64;

/**
 * Executes a session to its end and yields every cycle, from that in which the first instruction retires. Kernel functions
 * take no cycles; they come with the instruction that called them.
 * @throws EngineError `debugger/pipeline` without a timing profile
 */
export function* traceCycles(session: Session): Generator<TraceCycle, void> {
  const { machine } = session.execution;
  const { timing } = machine;
  if (!timing) {
    throw new EngineError(
      'debugger/pipeline',
      'A trace by cycle needs a timing profile: rocket, u74 or ideal, not none.',
    );
  }
  const shift = timing.stages.length - 1 - timing.issueStage;
  let rows: PipelineRow[] = [];
  const steps = new Map<PipelineRow, TraceStep>();
  let cycle = 1;

  function tell(): TraceCycle {
    const at = BigInt(cycle + shift);
    const stages = pipelineAt(rows, at, timing!).map(({ stage, rows: there, stalled, bubble }) => ({
      stage,
      steps: there.map((row) => steps.get(row)!),
      stalled,
      bubble,
    }));
    const retired = rows.filter(({ entry }) => retireCycle(entry) === cycle).map((row) => steps.get(row)!);
    cycle++;
    return { cycle: cycle - 1, stages, retired };
  }

  /** Rows that have left are needed no more, but for the last of them, which says why a bubble follows it. */
  function forget(): void {
    const left = rows.findIndex((row) => Number(row.leave) > cycle + shift);
    const drop = Math.max(0, left - 1);
    for (const row of rows.slice(0, drop)) steps.delete(row);
    rows = rows.slice(drop);
  }

  for (const batch of batches(session)) {
    for (const { step, entry } of batch) {
      const row = layOutNext(entry, rows.at(-1), timing);
      rows.push(row);
      steps.set(row, step);
    }
    // Nothing later can be in the pipeline before the last instruction was fetched.
    const known = Number(rows.at(-1)?.enter[0] ?? 0n) - shift;
    while (cycle < known) yield tell();
    forget();
  }
  const end = rows.at(-1);
  while (end && cycle <= retireCycle(end.entry)) yield tell();
}

/** Executes the session in batches, each instruction with its entry of the pipeline's record. */
function* batches(session: Session) {
  const { machine } = session.execution;
  const run = traceSession(session);
  for (;;) {
    machine.recordPipeline(true);
    const taken: TraceStep[] = [];
    while (taken.length < BATCH) {
      const next = run.next();
      if (next.done) break;
      taken.push(next.value);
    }
    const entries = machine.pipeline();
    const after = Number(machine.instructions);
    // An instruction that faulted has no entry; what comes next has the same number.
    const executed = taken.filter((step, i) => (taken[i + 1]?.number ?? after) > step.number);
    yield executed.map((step, i) => ({ step, entry: entries[i]! }));
    if (taken.length < BATCH) break;
  }
  machine.recordPipeline(false);
}
