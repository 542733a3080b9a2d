import type {
  CompareLineView,
  CompareMark,
  CompareRowView,
  CompareRunsView,
  CompareRunView,
  CompareSideView,
  CompareView,
  ProfileView,
} from './views';
import { columns } from './text-columns';

/** A comparison as text, the same from a window and from a terminal. */

/** The sign between two native instructions; nothing between equal ones. */
export const MARK_SIGNS: Readonly<Record<CompareMark, string>> = {
  same: '',
  placement: '~',
  changed: '≠',
  left: '<',
  right: '>',
};

/** What the signs mean, in the order of a legend. */
export const MARK_WORDS: Readonly<Record<Exclude<CompareMark, 'same'>, string>> = {
  changed: 'different',
  left: 'only left',
  right: 'only right',
  placement: 'differs by placement alone',
};

/** Why some bytes differ and are no difference. */
export const PLACEMENT_NOTE =
  'Jumps, calls and addresses of maps that lead to the same place are no difference, even where their bytes differ because images or maps lie elsewhere.';

/** `6.12 transparent rv64imac`, then what is unusual: `kCFI`, `fault=…` */
export const profileWords = ({ kernel, tcc, isa, cfi, faults = [] }: ProfileView): string =>
  [kernel, tcc, isa, cfi && 'kCFI', ...faults.map((fault) => `fault=${fault}`)].filter(Boolean).join(' ');

/** `+4`, `-2`, nothing for 0. */
export function signedDelta(delta: number): string {
  return delta === 0 ? '' : delta > 0 ? `+${delta}` : String(delta);
}

/** `12: r1 = r6`; both texts where they differ in more than a distance, both slots where these differ. */
function rowTitle({ part, left, right, rewritten }: CompareRowView): string {
  if (part !== 'body') return `[${part}]`;
  if (!left || !right) {
    const only = left ?? right;
    return only ? `${only.slot}: ${only.text}` : '';
  }
  const slots = left.slot === right.slot ? String(left.slot) : `${left.slot}|${right.slot}`;
  return `${slots}: ${rewritten ? `${left.text} | ${right.text}` : left.text}`;
}

/** The part of a comparison that a filter leaves: rows, and lines of native code in them. */
export interface TextOptions {
  /** Leaves out the rows that are the same. */
  readonly onlyDifferences?: boolean;
}

/** The whole comparison: totals, then rows with both sides' native code. */
export function compareText(view: CompareView, { onlyDifferences = false }: TextOptions = {}): string {
  const head = [view.function, '', ...totals(view)];
  const problems = [problemLine('left', view.left), problemLine('right', view.right)].filter(Boolean);
  if (problems.length > 0) return [...head, '', ...problems, ''].join('\n');
  const rows = view.rows.filter((row) => !onlyDifferences || !row.same);
  const table = columns([
    [
      'BPF',
      `left: ${profileWords(view.left.profile)}`,
      '',
      `right: ${profileWords(view.right.profile)}`,
      'bytes',
    ],
    ...rows.flatMap(rowLines),
  ]);
  const signs = Object.entries(MARK_WORDS)
    .map(([mark, words]) => `${MARK_SIGNS[mark as CompareMark]} ${words}`)
    .join('   ');
  return [...head, '', ...table, '', signs, PLACEMENT_NOTE, ''].join('\n');
}

function problemLine(side: 'left' | 'right', { profile, problem }: CompareSideView): string {
  return problem === undefined ? '' : `${side} (${profileWords(profile)}): ${problem}`;
}

function totals({ left, right, rows, differing, marks }: CompareView): string[] {
  const number = (value: number | undefined) => (value === undefined ? '-' : String(value));
  const line = (what: string, of: (side: CompareSideView) => number | undefined): string[] => {
    const [l, r] = [of(left), of(right)];
    return [what, number(l), number(r), l === undefined || r === undefined ? '' : signedDelta(r - l)];
  };
  const table = columns(
    [
      ['', `left: ${profileWords(left.profile)}`, `right: ${profileWords(right.profile)}`, ''],
      line('bytes', ({ total }) => total?.bytes),
      line('  prologue', ({ parts }) => parts?.prologue),
      line('  body', ({ parts }) => parts?.body),
      line('  epilogue', ({ parts }) => parts?.epilogue),
      line('instructions', ({ total }) => total?.instructions),
      line('frame bytes', ({ frameBytes }) => frameBytes),
    ],
    '  ',
  );
  if (rows.length === 0) return table;
  const { changed, left: onlyLeft, right: onlyRight, placement } = marks;
  return [
    ...table,
    `  ${differing} of ${rows.length} rows differ; instructions: ${changed} different, ${onlyLeft} only left, ${onlyRight} only right, ${placement} by placement alone`,
  ];
}

function rowLines(row: CompareRowView): string[][] {
  const bytes = `${row.leftSize.bytes} ${row.rightSize.bytes} ${signedDelta(row.delta)}`.trimEnd();
  const size = row.leftSize.bytes === row.rightSize.bytes ? String(row.leftSize.bytes) : bytes;
  const sides = row.part === 'body' ? (row.left ? (row.right ? '' : ' <') : ' >') : '';
  const first = `${rowTitle(row)}${sides}`;
  if (row.lines.length === 0) return [[first, '', '', '', size]];
  return row.lines.map((line, i) => [i === 0 ? first : '', ...lineCells(line), i === 0 ? size : '']);
}

function lineCells({ mark, left, right }: CompareLineView): [string, string, string] {
  return [left?.text ?? '', MARK_SIGNS[mark], right?.text ?? ''];
}

/** Both runs beside each other. */
export function compareRunsText(view: CompareRunsView): string {
  const rows = runRows(view).map(({ what, left, right, delta }) => [what, left, right, delta]);
  const head = [
    '',
    `left: ${profileWords(view.left.profile)}`,
    `right: ${profileWords(view.right.profile)}`,
    '',
  ];
  return [...columns([head, ...rows], '  '), '', runsVerdict(view), ''].join('\n');
}

export interface RunRow {
  readonly what: string;
  readonly left: string;
  readonly right: string;
  /** Right minus left, for numbers. */
  readonly delta: string;
  /** The row is a result, and the sides differ in it. */
  readonly differs: boolean;
}

const MOST_HEX = 32;

/**
 * The table of two runs: results first, then what they cost.
 * @param grouped how numbers are written
 */
export function runRows(
  { left, right, differences }: CompareRunsView,
  grouped: (value: number) => string = withCommas,
): RunRow[] {
  const text = (what: string, of: (run: CompareRunView) => string | undefined, result?: string): RunRow => ({
    what,
    left: of(left) ?? '-',
    right: of(right) ?? '-',
    delta: '',
    differs: differences.includes(result ?? what),
  });
  const number = (what: string, of: (run: CompareRunView) => number | null | undefined): RunRow => {
    const [l, r] = [of(left), of(right)];
    const known = typeof l === 'number' && typeof r === 'number';
    return {
      what,
      left: typeof l === 'number' ? grouped(l) : '-',
      right: typeof r === 'number' ? grouped(r) : '-',
      delta: known && r !== l ? (r > l ? '+' : '-') + grouped(Math.abs(r - l)) : '',
      differs: false,
    };
  };
  const maps = differences.filter((what) => what.startsWith('map '));
  return [
    text('ended with', ({ stop }) => stop?.kind),
    text('return value', ({ result }) => (result ? String(result.retval) : undefined)),
    text('data out', ({ result }) => bytesOut(result?.dataOut)),
    text('context out', ({ result }) => bytesOut(result?.ctxOut)),
    ...maps.map((what): RunRow => ({ what, left: 'differs', right: 'differs', delta: '', differs: true })),
    number('instructions', ({ counters }) => counters?.instructions),
    number('loads', ({ counters }) => counters?.loads),
    number('stores', ({ counters }) => counters?.stores),
    number('cycles', ({ counters }) => counters?.cycles),
    number('stack bytes', ({ stackBytes }) => stackBytes),
    number('tail calls', ({ counters }) => counters?.tailCalls),
    number('helper calls', ({ counters }) => counters?.helperCalls),
  ];
}

function bytesOut(hex: string | undefined): string | undefined {
  if (hex === undefined) return undefined;
  const shown = hex.length > MOST_HEX ? `${hex.slice(0, MOST_HEX)}…` : hex;
  return `${hex.length / 2} bytes ${shown}`.trimEnd();
}

/** Whether the results agree, in a sentence that says so if a run gave none. */
export function runsVerdict(
  { left, right, differences, limit }: CompareRunsView,
  grouped: (value: number) => string = withCommas,
): string {
  const unfinished = [
    ['left', left],
    ['right', right],
  ] as const;
  const said = unfinished.flatMap(([side, run]) => {
    if (run.problem !== undefined) return [`The ${side} profile refuses the program: ${run.problem}`];
    if (run.result) return [];
    if (run.stop?.kind === 'limit') {
      return [`The ${side} run did not end within ${grouped(limit)} instructions.`];
    }
    return [`The ${side} run did not return: ${run.stop?.text ?? ''}`];
  });
  if (left.result && right.result) {
    said.push(
      differences.length === 0
        ? 'Return value, data, context and maps agree.'
        : `The results differ in: ${differences.join(', ')}.`,
    );
  }
  return said.join(' ');
}

const withCommas = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
