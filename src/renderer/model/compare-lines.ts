import type { CompareLineView, CompareRowView, CompareView } from '../../shared/views';

/** A BPF instruction as one line of the table names it, with the side that it belongs to when not to both. */
export interface BpfCell {
  readonly side: 'both' | 'left' | 'right';
  readonly slot: number;
  readonly text: string;
  readonly rule?: string;
}

/** One line of the table: all lines have one height, so that a table of any length can be shown by its window. */
export type DisplayLine =
  | {
      readonly kind: 'code';
      /** Index of the row in the view. */
      readonly row: number;
      /** The row's first line carries its BPF instruction and its sizes. */
      readonly first: boolean;
      readonly bpf?: BpfCell;
      readonly native?: CompareLineView;
    }
  /** Rows left out between two that differ. */
  | { readonly kind: 'gap'; readonly rows: number };

/** The table's lines: every row, or only those that differ with gaps between them. */
export function displayLines(view: CompareView, onlyDifferences: boolean): DisplayLine[] {
  const lines: DisplayLine[] = [];
  let left = 0;
  const closeGap = () => {
    if (left > 0) lines.push({ kind: 'gap', rows: left });
    left = 0;
  };
  view.rows.forEach((row, index) => {
    if (onlyDifferences && row.same) {
      left++;
      return;
    }
    closeGap();
    const cells = bpfCells(row);
    const count = Math.max(1, row.lines.length, cells.length);
    for (let i = 0; i < count; i++) {
      lines.push({ kind: 'code', row: index, first: i === 0, bpf: cells[i], native: row.lines[i] });
    }
  });
  closeGap();
  return lines;
}

function bpfCells({ left, right, rewritten }: CompareRowView): BpfCell[] {
  if (left && right) {
    if (!rewritten) return [{ ...left, side: 'both' }];
    return [
      { ...left, side: 'left' },
      { ...right, side: 'right' },
    ];
  }
  if (left) return [{ ...left, side: 'left' }];
  return right ? [{ ...right, side: 'right' }] : [];
}

/** Lines at which a row that differs begins, ascending: the stations of "next difference". */
export function differences(lines: readonly DisplayLine[], view: CompareView): number[] {
  return lines.flatMap((line, index) =>
    line.kind === 'code' && line.first && view.rows[line.row]?.same === false ? [index] : [],
  );
}

/** The next station after a line, going round at the end; undefined when there are none. */
export function nextDifference(stations: readonly number[], from: number, back = false): number | undefined {
  return back
    ? (stations.findLast((line) => line < from) ?? stations.at(-1))
    : (stations.find((line) => line > from) ?? stations[0]);
}

/** Lines above and below what is in sight that are on the page, too, so that scrolling does not show gaps. */
const AROUND = 16;

/**
 * The lines to put on the page, end exclusive.
 * @param sight what the scroller shows, and `lineHeight`: pixels
 */
export function linesInSight(
  sight: { readonly top: number; readonly height: number },
  lineHeight: number,
  count: number,
): { readonly first: number; readonly last: number } {
  const first = Math.floor(sight.top / lineHeight) - AROUND;
  const last = Math.ceil((sight.top + sight.height) / lineHeight) + AROUND;
  return { first: Math.max(0, Math.min(first, count)), last: Math.max(0, Math.min(last, count)) };
}
