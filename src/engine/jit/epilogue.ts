import { enc } from '../rv64/encode';
import type { JitContext } from './context';
import { savedSlots } from './frame';
import { RV } from './registers';
import type { Unit } from './unit';

/** Two entry nops and the initialisation of the counter. */
const SKIPPED_BY_TAIL_CALL = 12;
const TYPE_WORD_BYTES = 4;

/** Bytes from a program's bpf_func to where tail calls enter it (`RV_TAILCALL_OFFSET`, spec 2.4). */
export function tailCallOffset(
  ctx: Pick<JitContext, 'faults'> & { readonly unit: Pick<Unit, 'profile' | 'facts'> },
): number {
  const { unit, faults } = ctx;
  if (!unit.profile.cfi) return SKIPPED_BY_TAIL_CALL;
  if (faults['tail-call-forgets-type-word']) return SKIPPED_BY_TAIL_CALL - TYPE_WORD_BYTES;
  const twice = unit.facts.tailCallCountsTypeWordTwice || faults['tail-call-counts-type-word-twice'];
  return SKIPPED_BY_TAIL_CALL + (twice ? TYPE_WORD_BYTES : 0);
}

/**
 * Emits the way out of the function (`__build_epilogue`, spec 2.2): a return, or for a tail call a jump to the program
 * whose bpf_func is in t3.
 */
export function buildEpilogue(ctx: JitContext, kind: 'return' | 'tail-call'): void {
  const { e, unwind } = ctx;
  const size = ctx.stackSize;
  const inBody = unwind?.remember();

  const slots = savedSlots(ctx);
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (!slot.reloaded) continue;
    e.rule(slot.kind === 'tcc' ? 'tcc/load' : 'epilogue/restore');
    e.ld(slot.register, size - 8 * (i + 1), RV.sp);
    if (slot.register === RV.fp) unwind?.cfa(e.ninsns, RV.sp, size);
    if (slot.kind !== 'tcc') unwind?.restore(e.ninsns, slot.register);
  }
  e.rule('epilogue/raise-sp');
  e.addi(RV.sp, RV.sp, size);
  unwind?.cfa(e.ninsns, RV.sp, 0);

  if (kind === 'return' || ctx.faults['tail-call-overwrites-context']) {
    e.rule('epilogue/return-value');
    if (ctx.faults['result-not-sign-extended']) e.mv(RV.a0, RV.a5);
    else e.addiw(RV.a0, RV.a5, 0);
  }
  if (kind === 'return') {
    e.rule('epilogue/return');
    e.jalr(RV.zero, RV.ra, 0);
  } else {
    e.rule('tail-call/jump');
    e.emit(enc.jalr(RV.zero, RV.t3, tailCallOffset(ctx)));
    if (inBody) unwind?.resume(e.ninsns, inBody);
  }
}
