import type { JitContext } from '../context';
import type { SavedSlot } from '../frame';
import { RV, TCC } from '../registers';

/** The counter's slot in a function's frame. @param reloaded the epilogues load it with the other registers */
export function tccSlot(reloaded: boolean): SavedSlot {
  return {
    register: TCC,
    reloaded,
    kind: 'tcc',
    name: 'tcc',
    why: 'The counter of this run lives here while the function works.',
  };
}

/** Loads the counter from its slot. */
export function loadTcc(ctx: JitContext): void {
  ctx.e.rule('tcc/load');
  ctx.e.ld(TCC, ctx.tccOffset, RV.sp);
}

/** Stores the counter in its slot. */
export function storeTcc(ctx: JitContext): void {
  ctx.e.rule('tcc/store');
  ctx.e.sd(RV.sp, ctx.tccOffset, TCC);
}
