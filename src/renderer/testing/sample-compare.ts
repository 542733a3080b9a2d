import type { Params } from '../../shared/contract';
import type {
  CompareLineView,
  CompareMark,
  CompareNativeView,
  CompareRowView,
  CompareRunsView,
  CompareRunView,
  CompareSideView,
  CompareView,
  NativeRow,
  ProfileView,
} from '../../shared/views';
import { sampleListing, targetListing } from './sample-listing';

/** Comparisons as the debugger gives them: the right side is the sample listing without its moves between a6 and s6. */

/** What the right side has in the place of an instruction; null for nothing. */
function counterpart({ text }: NativeRow): string | null {
  if (/^mv (s6, a6|a6, s6)$/.test(text)) return null;
  return text.replace(/\bs6\b/, 'a6');
}

const ruleOf = ({ why }: NativeRow): string => why.split(':')[0] ?? '';

function lineOf(row: NativeRow): CompareLineView {
  const text = counterpart(row);
  const { offset, bytes } = row;
  const left: CompareNativeView = { offset, bytes, text: row.text, rule: ruleOf(row) };
  if (text === null) return { mark: 'left', left };
  const moved = text.startsWith('jalr') || text.startsWith('auipc');
  const mark: CompareMark = text === row.text ? (moved ? 'placement' : 'same') : 'changed';
  return { mark, left, right: { ...left, text } };
}

function rowOf(part: CompareRowView['part'], slot: number, rows: readonly NativeRow[]): CompareRowView {
  const bpf = sampleListing.bpf.find((b) => b.slot === slot);
  const cell = bpf && { slot, text: bpf.text, ...(bpf.rule !== undefined && { rule: bpf.rule }) };
  const lines = rows.map(lineOf);
  const size = (side: 'left' | 'right') => ({
    bytes: lines.reduce((sum, line) => sum + (line[side]?.bytes.length ?? 0) / 2, 0),
    instructions: lines.filter((line) => line[side]).length,
  });
  const [leftSize, rightSize] = [size('left'), size('right')];
  return {
    part,
    left: cell,
    right: cell,
    rewritten: false,
    lines,
    leftSize,
    rightSize,
    delta: rightSize.bytes - leftSize.bytes,
    same: lines.every(({ mark }) => mark === 'same' || mark === 'placement'),
  };
}

export function sampleComparison({ left, right, ...params }: Params<'session.compare'>): CompareView {
  const { native, bpf } = sampleListing;
  const of = (part: NativeRow['part']) => native.filter((row) => row.part === part);
  const rows = [
    rowOf('prologue', -1, of('prologue')),
    ...bpf.flatMap(({ slot, continuation }) =>
      continuation
        ? []
        : [
            rowOf(
              'body',
              slot,
              of('body').filter((row) => row.slot === slot),
            ),
          ],
    ),
    rowOf('epilogue', -1, of('epilogue')),
  ];
  const marks: Record<CompareMark, number> = { same: 0, placement: 0, changed: 0, left: 0, right: 0 };
  for (const row of rows) for (const { mark } of row.lines) marks[mark]++;
  const sum = (of: (row: CompareRowView) => number) => rows.reduce((total, row) => total + of(row), 0);
  const side = (profile: ProfileView, bytes: number, instructions: number): CompareSideView => ({
    profile,
    function: sampleListing.function,
    total: { bytes, instructions },
    parts: { prologue: 30, body: bytes - 50, epilogue: 20 },
    frameBytes: 64,
  });
  return {
    object: 'tailcall_dispatch.o',
    program: params.program ?? 'dispatch',
    function: params.function ?? sampleListing.function.key,
    functions: [sampleListing.function.key, targetListing.function.key],
    left: side(
      left,
      sum((r) => r.leftSize.bytes),
      sum((r) => r.leftSize.instructions),
    ),
    right: side(
      right,
      sum((r) => r.rightSize.bytes),
      sum((r) => r.rightSize.instructions),
    ),
    rows,
    rules: Object.fromEntries(native.map((row) => [ruleOf(row), row.why.split(': ')[1] ?? ''])),
    differing: rows.filter(({ same }) => !same).length,
    marks,
  };
}

/** Two runs that agree, or, where the right scheme keeps the count in a stack slot of each frame, one that does not end. */
export function sampleRuns({ left, right, limit, program }: Params<'session.compareRuns'>): CompareRunsView {
  const run = (profile: ProfileView): CompareRunView => {
    const endless = profile.tcc === 'stack-v1';
    return {
      profile,
      stop: endless
        ? { kind: 'limit', text: `The limit of ${limit} instructions is reached.`, breakpoints: [] }
        : { kind: 'exit', text: 'The program returned 2.', breakpoints: [] },
      ...(!endless && { result: { retval: 2, dataOut: '0102' } }),
      counters: {
        instructions: endless ? limit : 1200,
        loads: 100,
        stores: profile.tcc === 'transparent' ? 80 : 95,
        cycles: 2400,
        tailCalls: 3,
        helperCalls: 1,
      },
      stackBytes: 64,
    };
  };
  const [l, r] = [run(left), run(right)];
  return {
    object: 'tailcall_dispatch.o',
    program: program ?? 'dispatch',
    limit,
    left: l,
    right: r,
    differences: Boolean(l.result) === Boolean(r.result) ? [] : ['return value'],
  };
}
