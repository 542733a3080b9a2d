import type { JitContext } from '../context';
import { loadTcc, storeTcc, takeFromSlot, tccSlot } from './frame-slot';
import { inSlot } from './home';
import { initTcc } from './init';
import { PASS_THROUGH, type TccScheme } from './scheme';
import { KEPT_IN_SLOT } from './trampoline-slot';

/** Calls of BPF functions pass the counter on, where a tail call can be reached through them. */
const ifReachable =
  (step: (ctx: JitContext) => void) =>
  (ctx: JitContext): void => {
    if (ctx.unit.tailCallReachable) step(ctx);
  };

/**
 * What was merged (ec72848ca0ad, 2026-07-21) and what kernel 7.3 does: a slot in every frame, but one budget for a program
 * entry; a6 is argument and result of BPF calls. A tail call is counted when it is certain.
 */
export const stackV6: TccScheme = {
  ...PASS_THROUGH,
  kernels: { '6.12': 'patch', '7.3': 'shipped' },
  budget: 'entry',
  home: inSlot,

  initMain: initTcc,
  slotLast: () => tccSlot(true),

  beforeBpfCall: ifReachable(loadTcc),
  afterBpfCall: ifReachable(storeTcc),

  takeFromBudget: takeFromSlot,
  tailCallCertain: storeTcc,

  trampoline: KEPT_IN_SLOT,
};
