import type { JitContext } from '../context';
import { SEEN_CALL, SEEN_S6, SEEN_TAIL_CALL } from '../seen';
import { savedRegister, type SavedSlot } from '../frame';
import { RV, TCC, TCC_SAVED } from '../registers';
import { initTcc } from './init';
import { NO_TRAMPOLINE_TCC, PASS_THROUGH, type TccScheme } from './scheme';

/**
 * What kernels up to 7.2 do: every function starts with a budget of its own. A function with calls and tail calls keeps
 * the counter in s6 from its prologue on, others in a6. Mixing subprograms and tail calls is refused by the verifier,
 * because a subprogram would start again at 33.
 */
export const mainline: TccScheme = {
  ...PASS_THROUGH,
  name: 'mainline',
  initMain: initTcc,
  initSubprog: initTcc,

  slotAfterS5(ctx): SavedSlot | undefined {
    return ctx.has(SEEN_S6)
      ? savedRegister(TCC_SAVED, 'The counter is kept in s6, which belongs to the caller.')
      : undefined;
  },

  prologueDone(ctx) {
    if (!ctx.has(SEEN_TAIL_CALL) || !ctx.has(SEEN_CALL)) return;
    ctx.e.rule('tcc/copy-to-s6');
    ctx.e.mv(TCC_SAVED, TCC);
  },

  takeFromBudget(ctx, branchOut) {
    const home = homeOfCounter(ctx);
    ctx.e.rule('tcc/take');
    ctx.e.addi(TCC, home, -1);
    ctx.e.rule('tcc/test');
    branchOut('jslt', TCC, RV.zero);
  },

  trampoline: NO_TRAMPOLINE_TCC,
};

/**
 * `rv_tail_call_reg`: s6 if a call was seen, in this pass or an earlier one. A tail call before the only call finds a6
 * in the first pass and s6 from then on.
 */
function homeOfCounter(ctx: JitContext): number {
  ctx.seen |= SEEN_TAIL_CALL;
  if (!ctx.has(SEEN_CALL)) return TCC;
  ctx.seen |= SEEN_S6;
  return TCC_SAVED;
}
