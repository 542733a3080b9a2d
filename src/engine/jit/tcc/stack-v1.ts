import type { JitContext } from '../context';
import { RV, TCC } from '../registers';
import { loadTcc, storeTcc, tccSlot } from './frame-slot';
import { initTcc } from './init';
import { PASS_THROUGH, type BranchOut, type TccScheme } from './scheme';
import { loadFromTrampoline, storeInTrampoline } from './trampoline-slot';

/** Steps 4 and 5 with the counter in its slot, written back as soon as the budget is known to suffice. */
export function takeFromSlot(ctx: JitContext, branchOut: BranchOut): void {
  loadTcc(ctx);
  ctx.e.rule('tcc/take');
  ctx.e.addi(TCC, TCC, -1);
  ctx.e.rule('tcc/test');
  branchOut('jslt', TCC, RV.zero);
}

/**
 * Pu Lehui's first proposal (2023-09-19): the counter lives in a slot of every frame, is loaded before every call and in
 * every epilogue, so each function gives its caller the budget that the caller had.
 */
export const stackV1: TccScheme = {
  ...PASS_THROUGH,
  name: 'stack-v1',
  initMain: initTcc,
  slotAfterS5: () => tccSlot(true),

  beforeLeavingCall: loadTcc,
  beforeBpfCall: loadTcc,

  takeFromBudget(ctx, branchOut) {
    takeFromSlot(ctx, branchOut);
    storeTcc(ctx);
  },

  trampoline: {
    hasSlot: true,
    entered: storeInTrampoline,
    beforeOriginal: loadFromTrampoline,
    afterOriginal: () => undefined,
    withoutOriginal: () => undefined,
    leaving: loadFromTrampoline,
  },
};
