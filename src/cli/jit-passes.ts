import type { BpfRow } from '../engine/debugger/views';
import type { PassLog } from '../engine/jit/types';
import { table } from './table';

/** The pass log as `jit --json --passes` prints it: bytes. */
export function passesView({ passes }: PassLog) {
  return passes.map(({ kind, prologue, total, sizes }) => ({ kind, prologue, total, sizes: [...sizes] }));
}

const HEADS = { 'dry-run': 'dry', round: '', 'first-image': 'image', final: 'final' } as const;

/**
 * Bytes of every BPF instruction in every pass: one column a pass. What a pass leaves as it was stands as a dot, so that
 * what still moves is seen.
 * @param bpf the function's BPF rows
 */
export function passesText({ passes }: PassLog, bpf: readonly BpfRow[]): string {
  let rounds = 0;
  const heads = passes.map(({ kind }) => (kind === 'round' ? String(++rounds) : HEADS[kind]));
  const shown = passes.map(({ prologue, total, sizes }) => {
    const body = sizes.reduce((sum, size) => sum + size, 0);
    return { prologue, sizes, epilogue: total - prologue - body, total };
  });
  type Pass = (typeof shown)[number];
  const row = (of: (pass: Pass) => number): string[] =>
    shown.map((pass, i) => {
      const size = of(pass);
      const before = shown[i - 1];
      return before !== undefined && of(before) === size ? '.' : String(size);
    });
  const rows = [
    [...heads, 'bytes in each pass'],
    [...row(({ prologue }) => prologue), '[prologue]'],
    ...bpf
      .filter(({ continuation }) => !continuation)
      .map(({ slot, text }) => [...row(({ sizes }) => sizes[slot] ?? 0), `${slot}: ${text}`]),
    [...row(({ epilogue }) => epilogue), '[epilogue]'],
    [...shown.map(({ total }) => String(total)), 'total'],
  ];
  return `  Passes (a dot: as before):\n${table(rightAligned(rows, passes.length), '  ')}`;
}

/** The first `columns` cells of each row padded on the left. */
function rightAligned(rows: readonly (readonly string[])[], columns: number): string[][] {
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => (i < columns ? cell.padStart(widths[i]!) : cell)));
}
