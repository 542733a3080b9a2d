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
  const { pieces } = fn;
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.from ?? 0) <= byteOffset) low = middle + 1;
    else high = middle;
  }
  const piece = pieces[low - 1];
  return piece !== undefined && byteOffset < piece.to ? piece : undefined;
}
