import type { Piece } from './types';
import { RULE_NAMES, type RuleName } from './rules';

const RULE_INDEX: ReadonlyMap<string, number> = new Map(RULE_NAMES.map((name, index) => [name, index]));

/** Three numbers a piece: start in halfwords, rule, BPF slot. */
const STRIDE = 3;

/**
 * Collects from the last pass which rule made which stretch of code. A piece ends where the next begins; stretches that
 * turned out empty vanish. Compact, since programs can have a million instructions: the Piece objects are made when asked for.
 */
export class PieceRecorder {
  /** Function-relative BPF slot that is being translated; -1 in prologue and epilogue. */
  insn = -1;
  private readonly marks: number[] = [];

  /** The code from halfword `at` on is made by `rule`. */
  begin(at: number, rule: RuleName): void {
    const index = RULE_INDEX.get(rule) ?? 0;
    const { marks } = this;
    const last = marks.length - STRIDE;
    if (last >= 0) {
      if (marks[last] === at) {
        // Nothing came out of the rule before.
        marks[last + 1] = index;
        marks[last + 2] = this.insn;
        return;
      }
      if (marks[last + 1] === index && marks[last + 2] === this.insn) return; // the same rule goes on
    }
    marks.push(at, index, this.insn);
  }

  /** The pieces of code of `end` bytes. */
  pieces(end: number): readonly Piece[] {
    return build(this.marks, end);
  }
}

function build(marks: readonly number[], end: number): readonly Piece[] {
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
