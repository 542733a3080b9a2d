import { hexAddress } from './address';
import type { ListingView, LocationView } from '../../shared/views';

/** Which rows of the three columns belong together, and where a location is in them. */

export type ColumnName = 'source' | 'bpf' | 'native';
export const COLUMNS: readonly ColumnName[] = ['source', 'bpf', 'native'];

/** A row of one column: an index into that column's rows of the listing. */
export interface RowRef {
  readonly column: ColumnName;
  readonly row: number;
}

/** Rows of each column, ascending. */
export type LinkedRows = Readonly<Record<ColumnName, readonly number[]>>;

export const NO_ROWS: LinkedRows = { source: [], bpf: [], native: [] };

export interface Links {
  /** All rows that belong to the same piece of the program as this one, itself included. */
  of(ref: RowRef): LinkedRows;
  /**
   * The rows of a location: at most one of BPF and native, the source line if it is in the listing.
   * @param waits the pc is a return address: the native row is that of the call before it
   */
  at(location: LocationView, waits?: boolean): LinkedRows;
  /** Native row that starts at this address, or that covers it. */
  nativeRow(address: string): number | undefined;
}

/**
 * Builds the index of a listing once. A source line belongs with every BPF instruction made from it, a BPF instruction
 * (with the second slot of ld_imm64) with the native instructions made from it. Prologue and epilogue stand alone.
 */
export function buildLinks(listing: ListingView): Links {
  const { source, bpf, native } = listing;
  const bpfOfSlot = new Map(bpf.map((row, index) => [row.slot, index]));
  const bpfOfSource = groupBy(bpf.map((row) => row.source));
  const nativeOfSlot = groupBy(native.map((row) => row.slot));
  const starts = native.map((row) => BigInt(row.address));

  /** An instruction's first slot and its continuation. */
  function slotsOf(bpfRow: number): number[] {
    const row = bpf[bpfRow];
    if (!row) return [];
    if (row.continuation) return [bpfRow - 1, bpfRow];
    return bpf[bpfRow + 1]?.continuation ? [bpfRow, bpfRow + 1] : [bpfRow];
  }

  function nativesOf(bpfRows: readonly number[]): number[] {
    return bpfRows.flatMap((row) => nativeOfSlot.get(bpf[row]?.slot ?? -1) ?? []).sort((a, b) => a - b);
  }

  function fromBpf(bpfRow: number): LinkedRows {
    const rows = slotsOf(bpfRow);
    const line = bpf[rows[0] ?? -1]?.source ?? -1;
    return { source: line >= 0 ? [line] : [], bpf: rows, native: nativesOf(rows) };
  }

  function fromSource(row: number): LinkedRows {
    const rows = bpfOfSource.get(row) ?? [];
    return { source: [row], bpf: rows, native: nativesOf(rows) };
  }

  function nativeRow(address: string): number | undefined {
    const value = BigInt(address);
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0n) <= value) low = middle + 1;
      else high = middle;
    }
    const row = native[low - 1];
    return row && value < (starts[low - 1] ?? 0n) + BigInt(row.bytes.length / 2) ? low - 1 : undefined;
  }

  return {
    of({ column, row }) {
      if (column === 'source') return fromSource(row);
      if (column === 'bpf') return fromBpf(row);
      const bpfRow = bpfOfSlot.get(native[row]?.slot ?? -1);
      return bpfRow === undefined ? { ...NO_ROWS, native: [row] } : fromBpf(bpfRow);
    },
    at(location, waits = false) {
      const bpfRow = location.slot === undefined ? undefined : bpfOfSlot.get(location.slot);
      const pcRow = nativeRow(waits ? hexAddress(BigInt(location.pc) - 1n) : location.pc);
      const line =
        location.line === undefined
          ? bpf[bpfRow ?? -1]?.source
          : source.findIndex((row) => row.line === location.line && row.file === (location.file ?? row.file));
      return {
        source: line === undefined || line < 0 ? [] : [line],
        bpf: bpfRow === undefined ? [] : [bpfRow],
        native: pcRow === undefined ? [] : [pcRow],
      };
    },
    nativeRow,
  };
}

/** Indices by value; -1 stands for none. */
function groupBy(values: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  values.forEach((value, index) => {
    if (value < 0) return;
    const group = groups.get(value);
    if (group) group.push(index);
    else groups.set(value, [index]);
  });
  return groups;
}
