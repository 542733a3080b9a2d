import type { UnwindRow } from './types';
import { RV } from './registers';

/** Four numbers a row: halfword position, CFA register, CFA offset, bits of the registers saved. */
const STRIDE = 4;

/** The state that a row describes; see {@link UnwindRow}. */
interface State {
  readonly register: 2 | 8;
  readonly offset: number;
  readonly saved: number;
}

/**
 * Collects, in the last pass, how to find the caller at each native instruction. Prologues and epilogues tell it what
 * each of their instructions does; positions are halfwords behind that instruction, since a row holds from there on.
 */
export class UnwindRecorder {
  private rows = new Int32Array(STRIDE * 32);
  private used = 0;
  private state: State = { register: RV.sp, offset: 0, saved: 0 };
  /** CFA-relative byte offset of each register's slot. */
  private readonly slots = new Int32Array(32);

  constructor(private readonly returnRegister: 1 | 5) {
    this.push(0);
  }

  /** From `at` on the caller's sp is `register + offset`. */
  cfa(at: number, register: 2 | 8, offset: number): void {
    this.state = { ...this.state, register, offset };
    this.push(at);
  }

  /** From `at` on the caller's value of `register` lies at CFA + `offset` (bytes, negative). */
  save(at: number, register: number, offset: number): void {
    this.slots[register] = offset;
    this.state = { ...this.state, saved: this.state.saved | (1 << register) };
    this.push(at);
  }

  /** From `at` on `register` holds the caller's value again. */
  restore(at: number, register: number): void {
    this.state = { ...this.state, saved: this.state.saved & ~(1 << register) };
    this.push(at);
  }

  /** The state now, for {@link resume} behind an epilogue in the middle of the code. */
  remember(): State {
    return this.state;
  }
  resume(at: number, state: State): void {
    this.state = state;
    this.push(at);
  }

  private push(at: number): void {
    if (this.used > 0 && this.rows[this.used - STRIDE] === at) this.used -= STRIDE;
    if (this.used + STRIDE > this.rows.length) {
      const larger = new Int32Array(this.rows.length * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    this.rows.set([at, this.state.register, this.state.offset, this.state.saved], this.used);
    this.used += STRIDE;
  }

  /** A function that builds the rows, once, when they are first asked for. */
  finish(): () => readonly UnwindRow[] {
    const { returnRegister, slots } = this;
    const packed = this.rows.slice(0, this.used);
    let rows: readonly UnwindRow[] | undefined;
    return () => (rows ??= build(packed, slots, returnRegister));
  }
}

function build(packed: Int32Array, slots: Int32Array, returnRegister: 1 | 5): readonly UnwindRow[] {
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
