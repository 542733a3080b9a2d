import type { PipelineRowView, PipelineView, StallCause } from '../../shared/views';

/** An instruction's stay in one stage: the cycle in which it comes, and how many it stays. */
export interface StageSpan {
  readonly stage: number;
  readonly from: number;
  readonly cycles: number;
}

/** Where an instruction is in each cycle; a stage that it only passes through in no time (dual issue) is left out. */
export function stageSpans({ enter, leave }: PipelineRowView): readonly StageSpan[] {
  return enter
    .map((from, stage) => ({ stage, from, cycles: (enter[stage + 1] ?? leave) - from }))
    .filter(({ cycles }) => cycles > 0);
}

/** The instruction without the printer's remark about its target. */
export const bareText = (text: string): string => text.split(' # ', 1)[0]!;

/** What a row says in words. */
export function rowSentence(row: PipelineRowView, { timing, causes }: PipelineView): string {
  const places = row.enter.map((cycle, stage) => `${timing.stages[stage]} ${cycle}`).join(', ');
  const parts = [`${bareText(row.text)}: ${places}`];
  if (row.waitedFor) parts.push(`${cyclesText(row.waited)} late: ${causes[row.waitedFor]}`);
  if (row.heldFor) parts.push(`held up all behind it for ${cyclesText(row.held)}: ${causes[row.heldFor]}`);
  if (row.kernelBefore !== undefined) parts.push(`${row.kernelBefore} ran before it and takes no cycles`);
  return `${parts.join('; ')}.`;
}

export const cyclesText = (count: number): string => (count === 1 ? '1 cycle' : `${count} cycles`);

/** One part of the CPI stack. */
export interface CycleShare {
  readonly name: 'instructions' | StallCause;
  readonly cycles: number;
  /** Of all cycles, 0 to 1. */
  readonly share: number;
}

/** Where all cycles went, the most first behind the instructions themselves; nothing that took none. */
export function cycleShares({ totals }: PipelineView): readonly CycleShare[] {
  const { cycles, instructions, paired, lost } = totals;
  const share = (part: number): number => (cycles === 0 ? 0 : part / cycles);
  const own = instructions - paired;
  const causes = (Object.entries(lost) as [StallCause, number][])
    .filter(([, part]) => part > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, part]) => ({ name, cycles: part, share: share(part) }));
  return [{ name: 'instructions', cycles: own, share: share(own) }, ...causes];
}
