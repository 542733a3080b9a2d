import type { PipelineRowView, PipelineView, StallCause } from '../../shared/views';
import { sampleListing, SESSION } from './sample-listing';

const CAUSES: Readonly<Record<StallCause, string>> = {
  'load-use': 'waits for a value that is being loaded',
  mul: 'waits for a product',
  div: 'waits for a quotient, or for the divider',
  atomic: 'waits for the result of an atomic operation',
  'csr-or-jump': 'waits for a CSR or for the link of a jump',
  'late-result': 'waits for a result that the late unit makes',
  branch: 'a branch or jump was predicted wrongly',
  flush: 'the pipeline is emptied and filled again',
  icache: 'waits for the instruction cache to get the line',
  dcache: 'waits for the data cache to get the line',
};

const NONE = Object.fromEntries(Object.keys(CAUSES).map((cause) => [cause, 0])) as Record<StallCause, number>;

/** The pipeline of the fake debugger: one instruction a cycle, but that the third waited a cycle for a load. */
export function samplePipeline(stop: number, executed: number): PipelineView {
  const rows = sampleListing.native.slice(0, executed + 4).map((native, i): PipelineRowView => {
    const late = i >= 2 ? 1 : 0;
    const retires = i + 1 + late;
    const at = (stage: number) => retires - (4 - stage) - (i === 2 && stage < 2 ? 1 : 0);
    return {
      pc: native.address,
      symbol: `dispatch+0x${native.offset.toString(16)}`,
      text: native.text,
      function: sampleListing.function.key,
      enter: [0, 1, 2, 3, 4].map(at),
      leave: retires + 1,
      retired: i < executed,
      waited: i === 2 ? 1 : 0,
      ...(i === 2 && { waitedFor: 'load-use' as const }),
      held: 0,
      ...(i === 5 && { kernelBefore: 'bpf_ktime_get_ns' }),
    };
  });
  const cycle = executed + (executed >= 3 ? 1 : 0);
  return {
    session: SESSION,
    stop,
    timing: {
      name: 'rocket',
      title: 'Rocket: 5 stages, in order, one instruction a cycle',
      stages: ['IF', 'ID', 'EX', 'MEM', 'WB'],
    },
    cycle,
    rows,
    stages: ['IF', 'ID', 'EX', 'MEM', 'WB'].map((stage, i) => {
      const there = rows.findIndex(
        (row) => row.enter[i]! <= cycle && cycle < (row.enter[i + 1] ?? row.leave),
      );
      return {
        stage,
        rows: there < 0 ? [] : [there],
        stalled: false,
        ...(there < 0 && { bubble: 'load-use' as const }),
      };
    }),
    causes: CAUSES,
    totals: {
      instructions: executed,
      paired: 0,
      cycles: cycle,
      lost: { ...NONE, 'load-use': cycle - executed },
    },
  };
}
