import { passColumns } from '../engine/debugger/pass-views';
import type { BpfRow } from '../engine/debugger/views';
import type { PassLog } from '../engine/jit/types';
import { table } from './table';

/** The pass log as `jit --json --passes` prints it: bytes. */
export function passesView({ passes }: PassLog) {
  return passes.map(({ kind, prologue, total, sizes }) => ({ kind, prologue, total, sizes: [...sizes] }));
}

const HEADS = { 'dry-run': 'dry', 'first-image': 'image', final: 'final' } as const;

/**
 * Bytes of every BPF instruction in every pass: one column a pass. What a pass leaves as it was stands as a dot, so that
 * what still moves is seen.
 * @param bpf the function's BPF rows
 */
export function passesText(log: PassLog, bpf: readonly BpfRow[]): string {
  const columns = passColumns(log);
  const sizes = log.passes.map((pass) => pass.sizes);
  const heads = columns.map(({ kind, round }) => (kind === 'round' ? String(round) : HEADS[kind]));
  const row = (of: (pass: number) => number): string[] =>
    columns.map((_, i) => (i > 0 && of(i - 1) === of(i) ? '.' : String(of(i))));
  const rows = [
    [...heads, 'bytes in each pass'],
    [...row((i) => columns[i]!.prologue), '[prologue]'],
    ...bpf
      .filter(({ continuation }) => !continuation)
      .map(({ slot, text }) => [...row((i) => sizes[i]![slot] ?? 0), `${slot}: ${text}`]),
    [...row((i) => columns[i]!.epilogue), '[epilogue]'],
    [...columns.map(({ total }) => String(total)), 'total'],
  ];
  const allocated = `the image was allocated after pass ${heads[log.allocatedAfter]}`;
  return `  Passes (a dot: as before; ${allocated}):\n${table(rightAligned(rows, columns.length), '  ')}`;
}

/** The first `columns` cells of each row padded on the left. */
function rightAligned(rows: readonly (readonly string[])[], columns: number): string[][] {
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => (i < columns ? cell.padStart(widths[i]!) : cell)));
}
