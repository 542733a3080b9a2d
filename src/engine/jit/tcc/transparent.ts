import { enc } from '../../rv64/encode';
import { savedRegister, type SavedSlot } from '../frame';
import { RV, TCC, TCC_SAVED } from '../registers';
import { SEEN_S6 } from '../seen';
import { initTcc } from './init';
import { PASS_THROUGH, type TccScheme } from './scheme';
import { KEPT_IN_SLOT } from './trampoline-slot';

/**
 * The scheme this project exists for (spec 5.4): the main program sets the counter, helper and kfunc calls move a6 to s6
 * and back, all other calls pass a6 through as argument and result. One budget per program entry; only a tail call that
 * succeeds is counted.
 */
export const transparent: TccScheme = {
  ...PASS_THROUGH,
  name: 'transparent',

  initMain(ctx) {
    if (ctx.unit.surroundings.isExtension === true) {
      // An extension replaces a function of a running program: it must not start a new budget.
      ctx.e.rule('tcc/keep-place');
      ctx.e.emit(enc.addi(RV.zero, RV.zero, 0));
    } else {
      initTcc(ctx);
    }
  },

  slotAfterS5(ctx): SavedSlot | undefined {
    return ctx.has(SEEN_S6)
      ? savedRegister(
          TCC_SAVED,
          'Helper and kfunc calls move the counter through s6, which belongs to the caller.',
        )
      : undefined;
  },

  leavingCallSeen(ctx) {
    if (!ctx.faults['tcc-clobbered-by-helper']) ctx.seen |= SEEN_S6;
  },
  beforeLeavingCall(ctx) {
    if (ctx.faults['tcc-clobbered-by-helper']) return;
    ctx.e.rule('tcc/save-around-call');
    ctx.e.mv(TCC_SAVED, TCC);
  },
  afterLeavingCall(ctx) {
    if (ctx.faults['tcc-clobbered-by-helper']) return;
    ctx.e.rule('tcc/restore-after-call');
    ctx.e.mv(TCC, TCC_SAVED);
  },

  takeFromBudget(ctx, branchOut) {
    ctx.e.rule('tcc/test');
    branchOut('jsle', TCC, RV.zero);
  },
  tailCallCertain(ctx) {
    ctx.e.rule('tcc/take');
    ctx.e.addi(TCC, TCC, -1);
  },

  trampoline: { ...KEPT_IN_SLOT, onEveryBpfTarget: true },
};
