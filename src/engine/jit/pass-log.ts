import type { JitContext } from './context';
import type { PassKind, PassLog, PassRecord, SizeChange } from './types';

/** Bytes. The JIT counts halfwords, the log shows bytes. */
const HALFWORD = 2;

/** Where a pass that has ended leaves what it came to. */
type PassResults = Pick<JitContext, 'e' | 'prologueLen' | 'epilogueOffset'>;

/** What a pass came to as a whole, in halfwords. */
interface PassTotals {
  readonly kind: PassKind;
  readonly prologue: number;
  readonly epilogue: number;
  readonly total: number;
}

/**
 * Keeps the pass log of one function while it is compiled. Programs can have a million slots, of which few change their
 * size from pass to pass: only what differs from the pass before is kept.
 */
export class PassRecorder implements PassLog {
  readonly passes: Pass[];
  allocatedAfter = 0;
  private packed: number[] = [];

  /** @param sizes halfwords of each slot in the dry run, which has no prologue and no epilogue; kept, not copied */
  constructor(sizes: Int32Array, total: number) {
    this.passes = [new Pass({ kind: 'dry-run', prologue: 0, epilogue: 0, total }, [], sizes)];
  }

  /** Slot `slot` has another size than in the pass before. */
  changed(slot: number, halfwords: number): void {
    this.packed.push(slot, halfwords);
  }

  /** A pass behind the dry run has ended; its results still stand in the context. */
  ended(kind: PassKind, { e, prologueLen, epilogueOffset }: PassResults): void {
    const { ninsns: total } = e;
    const totals = { kind, prologue: prologueLen, epilogue: total - epilogueOffset, total };
    this.passes.push(new Pass(totals, this.packed, this.passes.at(-1)!));
    this.packed = [];
  }

  /** The image was allocated, as long as the pass that ended last. */
  allocated(): void {
    this.allocatedAfter = this.passes.length - 1;
  }
}

/** One pass: what it came to, and what differs from the pass before. */
class Pass implements PassRecord {
  readonly kind: PassKind;
  readonly prologue: number;
  readonly epilogue: number;
  readonly total: number;

  /**
   * @param packed slot and halfwords of each change, in turn
   * @param before the pass before, or all sizes in halfwords before there were any changes
   */
  constructor(
    { kind, prologue, epilogue, total }: PassTotals,
    private readonly packed: readonly number[],
    private readonly before: Pass | Int32Array,
  ) {
    this.kind = kind;
    this.prologue = HALFWORD * prologue;
    this.epilogue = HALFWORD * epilogue;
    this.total = HALFWORD * total;
  }

  get sizes(): Int32Array {
    const { before } = this;
    const sizes = before instanceof Pass ? before.sizes : inBytes(before);
    for (const { slot, size } of this.changes()) sizes[slot] = size;
    return sizes;
  }

  *changes(): Iterable<SizeChange> {
    const { packed } = this;
    for (let at = 0; at < packed.length; at += 2) {
      yield { slot: packed[at]!, size: HALFWORD * packed[at + 1]! };
    }
  }
}

function inBytes(sizes: Int32Array): Int32Array {
  const bytes = new Int32Array(sizes.length);
  for (let i = 0; i < sizes.length; i++) bytes[i] = HALFWORD * (sizes[i] ?? 0);
  return bytes;
}
