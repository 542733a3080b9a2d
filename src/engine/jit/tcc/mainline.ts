import type { JitContext } from '../context';
import { SEEN_CALL, SEEN_S6, SEEN_TAIL_CALL } from '../seen';
import { savedRegister, type SavedSlot } from '../frame';
import { prologuePiece } from '../lookup';
import { RV, TCC, TCC_SAVED } from '../registers';
import { inA6, inS6, nowhere, piecesAround, type TccHome } from './home';
import { initTcc } from './init';
import { NO_TRAMPOLINE_TCC, PASS_THROUGH, type TccScheme } from './scheme';

const RULES = {
  'tcc/copy-to-s6': 'The counter is kept in s6, which calls preserve.',
} as const;

/**
 * What kernels up to 7.2 do: every function starts with a budget of its own. A function with calls and tail calls keeps
 * the counter in s6 from its prologue on, others in a6. Mixing subprograms and tail calls is refused by the verifier,
 * because a subprogram would start again at 33.
 */
export const mainline: TccScheme<keyof typeof RULES> = {
  ...PASS_THROUGH,
  kernels: { '6.6': 'shipped', '6.12': 'shipped', '7.2': 'shipped' },
  budget: 'function',
  rules: RULES,

  home({ fn, makesTailCalls }, offset): TccHome {
    const take = piecesAround(fn, offset).find((piece) => piece.rule === 'tcc/take');
    if (take && offset >= take.to) return inA6('this tail call has taken one from it');
    const copy = prologuePiece(fn, 'tcc/copy-to-s6');
    if (copy) {
      if (offset < copy.to) return inA6('on its way into s6');
      if (offset < fn.epilogueOffset) return inS6('this function makes calls, which s6 survives');
      return nowhere('the function is done with it');
    }
    if (!makesTailCalls) return nowhere('this function makes no tail call');
    return inA6('this function makes no call that could change it');
  },

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
