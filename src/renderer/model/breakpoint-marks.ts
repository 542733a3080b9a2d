import type { BreakpointView, ListingView } from '../../shared/views';
import type { BreakpointMark } from '../editor/gutters';
import type { ColumnName, Links } from './links';

/**
 * The breakpoint marks of one column by row: `own` where the breakpoint was set, `implied` where one of another column
 * stops (its native addresses, the instruction and line they were made from).
 */
export function breakpointMarks(
  column: ColumnName,
  listing: ListingView,
  links: Links,
  breakpoints: readonly BreakpointView[],
): Map<number, BreakpointMark> {
  const marks = new Map<number, BreakpointMark>();
  const put = (row: number, breakpoint: BreakpointView, kind: BreakpointMark['kind']) => {
    const known = marks.get(row);
    if (known && (known.kind === 'own' || kind === 'implied')) return;
    marks.set(row, {
      kind,
      enabled: breakpoint.enabled,
      problem: breakpoint.problem !== undefined,
      hits: breakpoint.hits,
      title: describe(breakpoint),
    });
  };

  for (const breakpoint of breakpoints) {
    const own = ownRow(column, listing, links, breakpoint);
    if (own !== undefined && own >= 0) put(own, breakpoint, 'own');
    for (const address of breakpoint.addresses) {
      const native = links.nativeRow(address);
      if (native === undefined) continue;
      if (column === 'native') put(native, breakpoint, 'implied');
      else
        for (const row of links.of({ column: 'native', row: native })[column].slice(0, 1))
          put(row, breakpoint, 'implied');
    }
  }
  return marks;
}

function ownRow(
  column: ColumnName,
  listing: ListingView,
  links: Links,
  { spec }: BreakpointView,
): number | undefined {
  switch (spec.kind) {
    case 'native':
      return column === 'native' ? links.nativeRow(spec.address) : undefined;
    case 'bpf':
      return column === 'bpf' && spec.function === listing.function.key
        ? listing.bpf.findIndex(({ slot }) => slot === spec.slot)
        : undefined;
    case 'line':
      return column === 'source'
        ? listing.source.findIndex(({ file, line }) => file === spec.file && line === spec.line)
        : undefined;
    default:
      return undefined;
  }
}

/** What a tooltip says of a breakpoint. */
export function describe({ id, label, enabled, hits, problem }: BreakpointView): string {
  const state = enabled ? '' : ', disabled';
  const count = hits === 1 ? '1 hit' : `${hits} hits`;
  return `Breakpoint ${id}: ${label}${state}, ${count}${problem ? `\n${problem}` : ''}`;
}
