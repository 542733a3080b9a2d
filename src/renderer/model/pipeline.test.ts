import { expect, it } from 'vitest';
import { samplePipeline } from '../testing/sample-pipeline';
import { bareText, cycleShares, rowSentence, stageSpans } from './pipeline';

const view = samplePipeline(1, 12);

it('gives each instruction its stay in each stage', () => {
  expect(stageSpans(view.rows[0]!)).toEqual(
    [0, 1, 2, 3, 4].map((stage) => ({ stage, from: stage - 3, cycles: 1 })),
  );
  // It waited for its operand in ID.
  expect(stageSpans(view.rows[2]!).map(({ cycles }) => cycles)).toEqual([1, 2, 1, 1, 1]);
});

it('leaves out stages that are passed in no time', () => {
  expect(
    stageSpans({ ...view.rows[0]!, enter: [1, 1, 2, 3, 4], leave: 5 }).map(({ stage }) => stage),
  ).toEqual([1, 2, 3, 4]);
});

it('says in words where an instruction was and what it waited for', () => {
  expect(rowSentence(view.rows[2]!, view)).toMatch(
    /: IF -1, ID 0, EX 2, MEM 3, WB 4; 1 cycle late: waits for a value that is being loaded\.$/,
  );
  expect(rowSentence(view.rows[5]!, view)).toMatch(/; bpf_ktime_get_ns ran before it and takes no cycles\.$/);
});

it('prints instructions without the remark about their target', () => {
  expect(bareText('jalr 168(t1) # 0xffffffff780000f8 <f>')).toBe('jalr 168(t1)');
});

it('shares out all cycles', () => {
  expect(cycleShares(view)).toEqual([
    { name: 'instructions', cycles: 12, share: 12 / 13 },
    { name: 'load-use', cycles: 1, share: 1 / 13 },
  ]);
  expect(cycleShares(samplePipeline(1, 0))).toEqual([{ name: 'instructions', cycles: 0, share: 0 }]);
});
