import type { RuleName } from './rules';
import type { JitFunction, Piece } from './types';

/** A stretch of native code: byte offsets in the image, end exclusive. */
export interface NativeRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The native code of a function-relative BPF slot (spec 7.6). A slot whose code belongs to its predecessor — the second half
 * of ld_imm64, a zero extension that a load made superfluous — has an empty range at its predecessor's end.
 * @returns undefined for a slot outside the function
 */
export function nativeRangeOf(fn: JitFunction, slot: number): NativeRange | undefined {
  const to = fn.ends[slot];
  if (to === undefined) return undefined;
  return { from: slot > 0 ? (fn.ends[slot - 1] ?? 0) : fn.prologueLen, to };
}

/**
 * The function-relative BPF slot whose code covers a byte offset: the first of several that were translated together.
 * @returns undefined in prologue and epilogue and outside the code
 */
export function slotAt(fn: JitFunction, byteOffset: number): number | undefined {
  const { ends } = fn;
  if (byteOffset < fn.prologueLen || byteOffset >= (ends[ends.length - 1] ?? 0)) return undefined;
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) > byteOffset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** "Why are you here?": the piece that a byte offset belongs to; undefined outside the code. */
export function why(fn: Pick<JitFunction, 'pieces'>, byteOffset: number): Piece | undefined {
  const piece = fn.pieces[lastPieceBy(fn.pieces, byteOffset)];
  return piece !== undefined && byteOffset < piece.to ? piece : undefined;
}

/** The pieces made for one function-relative BPF slot, in code order; none for a slot outside the function. */
export function piecesOf(fn: JitFunction, slot: number): readonly Piece[] {
  const range = nativeRangeOf(fn, slot);
  if (!range) return [];
  const { pieces } = fn;
  const found: Piece[] = [];
  for (let at = Math.max(0, lastPieceBy(pieces, range.from)); at < pieces.length; at++) {
    const piece = pieces[at]!;
    if (piece.insn === slot) found.push(piece);
    else if (found.length > 0 || piece.insn > slot) break;
  }
  return found;
}

/** The stretch of the prologue that a rule made. */
export function prologuePiece(fn: JitFunction, rule: RuleName): Piece | undefined {
  for (const piece of fn.pieces) {
    if (piece.from >= fn.prologueLen) return undefined;
    if (piece.rule === rule) return piece;
  }
  return undefined;
}

/** Index of the last piece that begins at or before a byte offset, -1 if none does. */
function lastPieceBy(pieces: readonly Piece[], byteOffset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.from ?? 0) <= byteOffset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
