import type { Piece } from './types';
import { RULE_NAMES, type RuleName } from './rules';

const RULE_INDEX: ReadonlyMap<string, number> = new Map(RULE_NAMES.map((name, index) => [name, index]));

/** Three numbers a piece: start in halfwords, rule, BPF slot. */
const STRIDE = 3;

/**
 * Collects, in the last pass, which rule made which stretch of code. A piece ends where the next begins; stretches that
 * turned out empty vanish. Compact, since programs can have a million instructions: the Piece objects are made on demand.
 */
export class PieceRecorder {
  /** Function-relative BPF slot that is being translated; -1 in prologue and epilogue. */
  insn = -1;
  private marks = new Int32Array(STRIDE * 256);
  private used = 0;

  /** The code from halfword `at` on is made by `rule`. */
  begin(at: number, rule: RuleName): void {
    const index = RULE_INDEX.get(rule) ?? 0;
    let place = this.used;
    if (place > 0 && this.marks[place - STRIDE] === at) {
      place -= STRIDE; // nothing came out of the previous rule
    } else if (place > 0 && this.marks[place - 2] === index && this.marks[place - 1] === this.insn) {
      return; // the same rule goes on
    }
    if (place + STRIDE > this.marks.length) this.grow();
    this.marks[place] = at;
    this.marks[place + 1] = index;
    this.marks[place + 2] = this.insn;
    this.used = place + STRIDE;
  }

  private grow(): void {
    const larger = new Int32Array(this.marks.length * 2);
    larger.set(this.marks);
    this.marks = larger;
  }

  /** A function that builds the pieces of code of `end` bytes, once, when they are first asked for. */
  finish(end: number): () => readonly Piece[] {
    const marks = this.marks.slice(0, this.used);
    let pieces: readonly Piece[] | undefined;
    return () => (pieces ??= build(marks, end));
  }
}

function build(marks: Int32Array, end: number): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < marks.length; at += STRIDE) {
    const from = (marks[at] ?? 0) * 2;
    const next = marks[at + STRIDE];
    const to = next === undefined ? end : next * 2;
    if (to > from)
      pieces.push({ from, to, rule: RULE_NAMES[marks[at + 1] ?? 0] ?? '', insn: marks[at + 2] ?? -1 });
  }
  return pieces;
}
