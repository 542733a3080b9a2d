import { piecesOf, prologuePiece, why } from '../lookup';
import { RV, TCC, TCC_SAVED } from '../registers';
import type { JitFunction, Piece } from '../types';
import { unwindRowAt } from '../unwind';

/** Where the tail call counter is kept just now (spec section 5). */
export type TccHome =
  | { readonly kind: 'register'; readonly register: typeof TCC | typeof TCC_SAVED; readonly why: string }
  /** Bytes from sp. */
  | { readonly kind: 'slot'; readonly spOffset: number; readonly why: string }
  | { readonly kind: 'none'; readonly why: string };

/** What a scheme needs to know of compiled code to say where the counter is. */
export interface TccCode {
  readonly fn: JitFunction;
  /** There is a tail call in the function. */
  readonly makesTailCalls: boolean;
}

/** @param why the reason, to follow a colon */
export const inA6 = (why: string): TccHome => ({ kind: 'register', register: TCC, why });
/** @param why the reason, to follow a colon */
export const inS6 = (why: string): TccHome => ({ kind: 'register', register: TCC_SAVED, why });
/** @param why the reason, to follow a colon */
export const nowhere = (why: string): TccHome => ({ kind: 'none', why });

/** The home of a scheme that gives the counter a slot in every frame; a6 carries it from function to function. */
export function inSlot({ fn }: TccCode, offset: number): TccHome {
  const spOffset = fn.tccSlot;
  if (spOffset === undefined) return inA6('this function has no slot for it');
  const row = unwindRowAt(fn.unwind, offset);
  const released = row?.cfa.register === RV.sp && row.cfa.offset === 0;
  const store = prologuePiece(fn, 'tcc/store');
  if (released || (store && offset < store.to)) {
    return inA6('handed over in a6, the frame does not hold it');
  }
  const pieces = piecesAround(fn, offset);
  const storeAgain = pieces.find((piece) => piece.rule === 'tcc/store');
  const isTailCall = pieces.some((piece) => piece.rule === 'tail-call/jump');
  if (storeAgain && !isTailCall && offset >= storeAgain.from && offset < storeAgain.to) {
    return inA6('the called function handed it back');
  }
  return { kind: 'slot', spOffset, why: 'every frame has a slot for it' };
}

/** The pieces of the BPF instruction that the code at `offset` belongs to; none in prologue and epilogue. */
export function piecesAround(fn: JitFunction, offset: number): readonly Piece[] {
  const slot = why(fn, offset)?.insn ?? -1;
  return slot < 0 ? [] : piecesOf(fn, slot);
}
