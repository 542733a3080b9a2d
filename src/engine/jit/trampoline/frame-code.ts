import { RV } from '../registers';
import type { TrampolineContext } from './context';

/** Bytes of the frame that the traced function would have made for itself. */
const PSEUDO_FRAME = 16;

/**
 * Makes the frames: entered from a patched function entry, first the one that the traced function would have made (ra, fp),
 * then the trampoline's own with t0, the way back into the traced function; entered directly, only its own with ra.
 */
export function enterFrame(t: TrampolineContext): void {
  const { e, unwind, model } = t;
  const { stackSize } = t.frame;
  if (model.structOps) {
    if (model.typeWord !== undefined && t.profile.cfi) {
      e.rule('trampoline/type-word');
      e.emit(model.typeWord >>> 0);
    }
    e.rule('trampoline/frame');
    e.addi(RV.sp, RV.sp, -stackSize);
    unwind?.cfa(e.ninsns, RV.sp, stackSize);
    e.sd(RV.sp, stackSize - 8, RV.ra);
    unwind?.save(e.ninsns, RV.ra, -8);
    e.sd(RV.sp, stackSize - 16, RV.fp);
    unwind?.save(e.ninsns, RV.fp, -16);
    e.addi(RV.fp, RV.sp, stackSize);
    unwind?.cfa(e.ninsns, RV.fp, 0);
    return;
  }
  e.rule('trampoline/frame');
  e.addi(RV.sp, RV.sp, -PSEUDO_FRAME);
  unwind?.cfa(e.ninsns, RV.sp, PSEUDO_FRAME);
  e.sd(RV.sp, 8, RV.ra);
  unwind?.save(e.ninsns, RV.ra, -8);
  e.sd(RV.sp, 0, RV.fp);
  unwind?.save(e.ninsns, RV.fp, -16);
  e.addi(RV.fp, RV.sp, PSEUDO_FRAME);
  e.addi(RV.sp, RV.sp, -stackSize);
  unwind?.cfa(e.ninsns, RV.sp, stackSize + PSEUDO_FRAME);
  e.sd(RV.sp, stackSize - 8, RV.t0);
  unwind?.save(e.ninsns, RV.t0, -PSEUDO_FRAME - 8);
  e.sd(RV.sp, stackSize - 16, RV.fp);
  e.addi(RV.fp, RV.sp, stackSize);
  unwind?.cfa(e.ninsns, RV.fp, PSEUDO_FRAME);
}

/** Gives the frames back and returns: to the caller of the traced function if that has run, otherwise into it. */
export function leaveFrame(t: TrampolineContext, skipsFrame: boolean): void {
  const { e, unwind, model } = t;
  const { stackSize } = t.frame;
  e.rule('trampoline/restore');
  if (model.structOps) {
    e.ld(RV.ra, stackSize - 8, RV.sp);
    unwind?.restore(e.ninsns, RV.ra);
    e.ld(RV.fp, stackSize - 16, RV.sp);
    unwind?.cfa(e.ninsns, RV.sp, stackSize);
    unwind?.restore(e.ninsns, RV.fp);
    e.addi(RV.sp, RV.sp, stackSize);
    unwind?.cfa(e.ninsns, RV.sp, 0);
    e.rule('trampoline/return');
    e.jalr(RV.zero, RV.ra, 0);
    return;
  }
  e.ld(RV.t0, stackSize - 8, RV.sp);
  unwind?.restore(e.ninsns, RV.t0);
  e.ld(RV.fp, stackSize - 16, RV.sp);
  unwind?.cfa(e.ninsns, RV.sp, stackSize + PSEUDO_FRAME);
  e.addi(RV.sp, RV.sp, stackSize);
  unwind?.cfa(e.ninsns, RV.sp, PSEUDO_FRAME);
  e.ld(RV.ra, 8, RV.sp);
  unwind?.restore(e.ninsns, RV.ra);
  e.ld(RV.fp, 0, RV.sp);
  unwind?.restore(e.ninsns, RV.fp);
  e.addi(RV.sp, RV.sp, PSEUDO_FRAME);
  unwind?.cfa(e.ninsns, RV.sp, 0);
  e.rule('trampoline/return');
  e.jalr(RV.zero, skipsFrame ? RV.ra : RV.t0, 0);
}
