import type { JitContext } from '../context';
import type { SavedSlot } from '../frame';
import { RV, TCC } from '../registers';
import type { BranchOut } from './scheme';

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

/** Steps 4 and 5 of a tail call with the counter from its slot. When it is written back is the scheme's affair. */
export function takeFromSlot(ctx: JitContext, branchOut: BranchOut): void {
  loadTcc(ctx);
  ctx.e.rule('tcc/take');
  ctx.e.addi(TCC, TCC, -1);
  ctx.e.rule('tcc/test');
  branchOut('jslt', TCC, RV.zero);
}
