import { RV, TCC } from '../registers';
import type { TrampolineContext } from '../trampoline/context';
import type { TrampolineTcc } from './scheme';

/** Stores the counter in the trampoline's slot. */
export function storeInTrampoline(t: TrampolineContext): void {
  t.e.rule('tcc/store');
  t.e.sd(RV.fp, -t.frame.tccOff, TCC);
}

/** Loads the counter from the trampoline's slot. */
export function loadFromTrampoline(t: TrampolineContext): void {
  t.e.rule('tcc/load');
  t.e.ld(TCC, -t.frame.tccOff, RV.fp);
}

/** The counter lies in the trampoline's slot while the trampoline calls others, and is back in its register before programs go on. */
export const KEPT_IN_SLOT: TrampolineTcc = {
  hasSlot: true,
  entered: storeInTrampoline,
  beforeOriginal: loadFromTrampoline,
  afterOriginal: storeInTrampoline,
  withoutOriginal: () => undefined,
  leaving: loadFromTrampoline,
};
