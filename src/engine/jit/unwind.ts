import type { UnwindRow } from './types';
import { RV } from './registers';

/** Four numbers a row: halfword position, CFA register, CFA offset, bits of the registers saved. */
const STRIDE = 4;

/** What holds at a place: the numbers of a row without its position. */
export type UnwindState = readonly [register: number, offset: number, saved: number];

/**
 * Collects from the last pass how to find the caller at each native instruction. Prologues and epilogues tell it what
 * each of their instructions does; positions are halfwords behind that instruction, since a row holds from there on.
 */
export class UnwindRecorder {
  private readonly packed: number[] = [0, RV.sp, 0, 0];
  private register: number = RV.sp;
  private offset = 0;
  private saved = 0;
  /** CFA-relative byte offset of each register's slot. */
  private readonly slots: number[] = [];

  constructor(private readonly returnRegister: 1 | 5) {}

  /** From `at` on the caller's sp is `register + offset`. */
  cfa(at: number, register: 2 | 8, offset: number): void {
    this.register = register;
    this.offset = offset;
    this.push(at);
  }

  /** From `at` on the caller's value of `register` lies at CFA + `offset` (bytes, negative). */
  save(at: number, register: number, offset: number): void {
    this.slots[register] = offset;
    this.saved |= 1 << register;
    this.push(at);
  }

  /** From `at` on `register` holds the caller's value again. */
  restore(at: number, register: number): void {
    this.saved &= ~(1 << register);
    this.push(at);
  }

  /** The state now, for {@link resume} behind an epilogue in the middle of the code. */
  remember(): UnwindState {
    return [this.register, this.offset, this.saved];
  }
  resume(at: number, [register, offset, saved]: UnwindState): void {
    this.register = register;
    this.offset = offset;
    this.saved = saved;
    this.push(at);
  }

  private push(at: number): void {
    const { packed } = this;
    if (packed[packed.length - STRIDE] === at) packed.length -= STRIDE;
    packed.push(at, this.register, this.offset, this.saved);
  }

  /** What was collected. */
  rows(): readonly UnwindRow[] {
    return build(this.packed, this.slots, this.returnRegister);
  }
}

function build(
  packed: readonly number[],
  slots: readonly number[],
  returnRegister: 1 | 5,
): readonly UnwindRow[] {
  const rows: UnwindRow[] = [];
  for (let at = 0; at < packed.length; at += STRIDE) {
    const bits = packed[at + 3] ?? 0;
    const saved = new Map<number, number>();
    for (let register = 0; register < 32; register++) {
      if ((bits >>> register) & 1) saved.set(register, slots[register] ?? 0);
    }
    rows.push({
      from: (packed[at] ?? 0) * 2,
      cfa: { register: packed[at + 1] === RV.fp ? RV.fp : RV.sp, offset: packed[at + 2] ?? 0 },
      saved,
      returnRegister,
    });
  }
  return rows;
}

/** The row that holds at a byte offset of the image: the last one that begins at or before it. */
export function unwindRowAt(rows: readonly UnwindRow[], byteOffset: number): UnwindRow | undefined {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.from ?? 0) <= byteOffset) low = middle + 1;
    else high = middle;
  }
  return rows[low - 1];
}
