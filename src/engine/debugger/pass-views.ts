import { isSecondSlot } from '../bpf/print';
import type { PassLog } from '../jit/types';
import type { Kernel } from '../kernel/types';
import type { CodeFunction } from './code-index';
import { bpfText } from './locations';
import type { PassesView, PassRowView, PassView } from './views';

/** Rows that an answer has at most. */
export const MOST_PASS_ROWS = 20_000;

/** What each pass of the JIT came to as a whole, rounds numbered from 1. */
export function passColumns({ passes }: PassLog): PassView[] {
  let rounds = 0;
  return passes.map(({ kind, prologue, total, sizes }) => {
    const body = sizes.reduce((sum, size) => sum + size, 0);
    const epilogue = total - prologue - body;
    return { kind, ...(kind === 'round' && { round: ++rounds }), prologue, epilogue, total };
  });
}

/**
 * The pass log of a function as a table, BPF instructions by passes. Of a function with more than `most` instructions
 * those alone have a row whose size differs between passes: they are what convergence waits for.
 */
export function passesView(
  kernel: Kernel,
  code: CodeFunction,
  most = MOST_PASS_ROWS,
): Omit<PassesView, 'session' | 'function'> {
  const log = code.fn.passes;
  const { insns } = code.program.xlated;
  const all = Array.from({ length: code.map.slotCount }, (_, slot) => slot).filter(
    (slot) => !isSecondSlot(insns, code.fn.start + slot),
  );
  const sizesOf = (slot: number): number[] => log.passes.map(({ sizes }) => sizes[slot] ?? 0);
  const wanted = all.length <= most ? all : all.filter((slot) => changes(sizesOf(slot))).slice(0, most);
  return {
    passes: passColumns(log),
    allocatedAfter: log.allocatedAfter,
    rows: wanted.map((slot): PassRowView => ({
      slot,
      text: bpfText(kernel, code, slot),
      sizes: sizesOf(slot),
    })),
    leftOut: all.length - wanted.length,
  };
}

const changes = (sizes: readonly number[]): boolean => sizes.some((size) => size !== sizes[0]);
