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
  return passes.map(({ kind, prologue, epilogue, total }) => {
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
  const instructions = countInstructions(code);
  const shown = instructions <= most ? instructionSlots(code) : movingSlots(log).slice(0, most);
  const sizes = sizesThrough(log, shown);
  return {
    passes: passColumns(log),
    allocatedAfter: log.allocatedAfter,
    rows: shown.map((slot, i): PassRowView => ({
      slot,
      text: bpfText(kernel, code, slot),
      sizes: sizes[i]!,
    })),
    leftOut: instructions - shown.length,
  };
}

/** Second slots of ld_imm64 have no code: of a long function only the few slots without any are looked at. */
function countInstructions(code: CodeFunction): number {
  const { ends, prologueLen } = code.fn;
  let count = 0;
  let before = prologueLen;
  for (let slot = 0; slot < ends.length; slot++) {
    const end = ends[slot]!;
    if (end !== before || !isSecond(code, slot)) count++;
    before = end;
  }
  return count;
}

/** All slots but the second ones of ld_imm64. */
function instructionSlots(code: CodeFunction): number[] {
  const slots = Array.from({ length: code.fn.end - code.fn.start }, (_, slot) => slot);
  return slots.filter((slot) => !isSecond(code, slot));
}

const isSecond = ({ fn, program }: CodeFunction, slot: number): boolean =>
  isSecondSlot(program.xlated.insns, fn.start + slot);

/** The slots whose size differs between passes, in ascending order. */
function movingSlots({ passes }: PassLog): number[] {
  const moving = new Set<number>();
  for (const pass of passes) for (const { slot } of pass.changes()) moving.add(slot);
  return [...moving].sort((a, b) => a - b);
}

/** The sizes of each of these slots in every pass. */
function sizesThrough({ passes }: PassLog, slots: readonly number[]): number[][] {
  const rows = slots.map((): number[] => []);
  const now = passes[0]?.sizes ?? new Int32Array();
  for (const pass of passes) {
    for (const { slot, size } of pass.changes()) now[slot] = size;
    slots.forEach((slot, i) => rows[i]!.push(now[slot] ?? 0));
  }
  return rows;
}
