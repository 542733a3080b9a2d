import { RV, TCC } from '../registers';
import type { TrampolineContext } from '../trampoline/context';

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
