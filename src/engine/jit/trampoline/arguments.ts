import { RV } from '../registers';
import type { TrampolineContext } from './context';
import { REGISTER_ARGS } from './frame';

/** Stores all arguments where the programs' context pointer reaches them; those beyond a7 come from the caller's stack. */
export function storeArguments(t: TrampolineContext): void {
  const { e, frame } = t;
  e.rule('trampoline/store-argument');
  for (let k = 0; k < frame.argSlots; k++) {
    const slot = -(frame.argsOff - 8 * k);
    if (k < REGISTER_ARGS) {
      e.sd(RV.fp, slot, RV.a0 + k);
    } else {
      // Above fp lie ra and fp of the pseudo frame, then what the caller pushed.
      e.ld(RV.t1, 16 + 8 * (k - REGISTER_ARGS), RV.fp);
      e.sd(RV.fp, slot, RV.t1);
    }
  }
}

/** Loads the argument registers again. */
export function loadArguments(t: TrampolineContext): void {
  const { e, frame } = t;
  e.rule('trampoline/load-argument');
  for (let k = 0; k < Math.min(frame.argSlots, REGISTER_ARGS); k++) {
    e.ld(RV.a0 + k, -(frame.argsOff - 8 * k), RV.fp);
  }
}

/** Copies the arguments beyond a7 to the low end of the frame, where the original expects them. */
export function passStackArguments(t: TrampolineContext): void {
  const { e, frame } = t;
  e.rule('trampoline/stack-argument');
  for (let k = REGISTER_ARGS; k < frame.argSlots; k++) {
    const beyond = 8 * (k - REGISTER_ARGS);
    e.ld(RV.t1, -(frame.argsOff - 8 * REGISTER_ARGS - beyond), RV.fp);
    e.sd(RV.fp, -(frame.stkArgOff - beyond), RV.t1);
  }
}
