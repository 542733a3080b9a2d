import { loadTcc, storeTcc, takeFromSlot, tccSlot } from './frame-slot';
import { inSlot } from './home';
import { initTcc } from './init';
import { PASS_THROUGH, type TccScheme } from './scheme';
import { loadFromTrampoline, storeInTrampoline } from './trampoline-slot';

/**
 * Pu Lehui's first proposal (2023-09-19): the counter lives in a slot of every frame, is loaded before every call and in
 * every epilogue, so each function gives its caller the budget that the caller had.
 */
export const stackV1: TccScheme = {
  ...PASS_THROUGH,
  kernels: { '6.6': 'patch', '6.12': 'patch' },
  budget: 'frame',
  home: inSlot,

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
