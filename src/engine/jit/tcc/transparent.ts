import { enc } from '../../rv64/encode';
import { savedRegister, type SavedSlot } from '../frame';
import { RV, TCC, TCC_SAVED } from '../registers';
import { SEEN_S6 } from '../seen';
import { inA6, inS6, piecesAround, type TccHome } from './home';
import { initTcc } from './init';
import { PASS_THROUGH, type TccScheme } from './scheme';
import { KEPT_IN_SLOT } from './trampoline-slot';

const RULES = {
  'tcc/keep-place':
    'An extension keeps the budget of the program it replaces; the nop keeps the tail call entry in place.',
  'tcc/save-around-call': 'A helper or kfunc may change a6; s6 keeps the counter meanwhile.',
  'tcc/restore-after-call': 'Gives a6 the counter back after a helper or kfunc.',
} as const;

/**
 * The scheme this project exists for (spec 5.4): the main program sets the counter, helper and kfunc calls move a6 to s6
 * and back, all other calls pass a6 through as argument and result. One budget per program entry; only a tail call that
 * succeeds is counted.
 */
export const transparent: TccScheme<keyof typeof RULES> = {
  ...PASS_THROUGH,
  kernels: { '6.12': 'patch', '7.2': 'patch', '7.3': 'patch' },
  budget: 'entry',
  rules: RULES,

  home({ fn }, offset): TccHome {
    const pieces = piecesAround(fn, offset);
    const save = pieces.find((piece) => piece.rule === 'tcc/save-around-call');
    const restore = pieces.find((piece) => piece.rule === 'tcc/restore-after-call');
    if (save && restore && offset >= save.to && offset < restore.to) {
      return inS6('a helper or kfunc may change a6, s6 keeps the count meanwhile');
    }
    return inA6('passed through all functions of the run');
  },

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
