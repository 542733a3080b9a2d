import type { Machine } from '../machine/types';
import type { PipelineEntry } from '../machine/timing/pipeline';
import { NO_INTEREST, type Execution } from './execution';
import type { History } from './history';
import { symbolText } from './locations';

/** One unit of time (Execution.time) of the past: an instruction in the pipeline, or the work of a kernel function. */
export type PipelineUnit =
  | { readonly kind: 'insn'; readonly time: number; readonly entry: PipelineEntry }
  | { readonly kind: 'kernel'; readonly time: number; readonly name: string };

/**
 * Looks at the pipeline around the present instant. Runs need not record anything for it: the past is replayed, the near
 * future is tried out and undone.
 */
export class PipelineLens {
  constructor(
    private readonly execution: Execution,
    private readonly history: History | undefined,
  ) {}

  private get machine(): Machine {
    return this.execution.machine;
  }

  /** The last `count` units of time before now (fewer at the start of the run), oldest first; none without a history. */
  past(count: number): readonly PipelineUnit[] {
    const { execution, history, machine } = this;
    const now = execution.time;
    const from = history ? Math.max(history.start, now - count) : now;
    if (!history || from === now) return [];
    history.goTo(from);
    machine.recordPipeline(true);
    const units: { time: number; name: string | undefined }[] = [];
    while (execution.time < now) {
      const { time } = execution;
      const { pc } = machine;
      const before = machine.instructions;
      history.replay(time + 1, NO_INTEREST);
      const executed = machine.instructions > before;
      units.push({ time, name: executed ? undefined : symbolText(execution.kernel, pc) });
    }
    const entries = this.recorded();
    let next = 0;
    return units.map(({ time, name }) =>
      name === undefined ? { kind: 'insn', time, entry: entries[next++]! } : { kind: 'kernel', time, name },
    );
  }

  /** The next `count` instructions; fewer where a kernel function is called, or where one faults. */
  ahead(count: number): readonly PipelineEntry[] {
    const { execution, machine } = this;
    const here = machine.snapshot();
    machine.recordPipeline(true);
    for (let i = 0; i < count && !execution.inKernel; i++) {
      const { reason } = machine.step();
      if (reason !== 'limit' && reason !== 'watch') break;
    }
    const entries = this.recorded();
    machine.restore(here);
    here.release();
    return entries;
  }

  private recorded(): readonly PipelineEntry[] {
    const entries = this.machine.pipeline();
    this.machine.recordPipeline(false);
    return entries;
  }
}

/**
 * The cycle in which an instruction retires, counted as the machine counts: an instruction with nothing to wait for retires
 * one cycle after that before it.
 */
export function retireCycle({ issue, held, heldFor }: PipelineEntry): number {
  return Number(issue) + (heldFor === 'dcache' ? held : 0);
}
