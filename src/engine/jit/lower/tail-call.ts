import { enc } from '../../rv64/encode';
import { emitBranch, type Condition } from '../branch';
import type { JitContext } from '../context';
import { buildEpilogue } from '../epilogue';
import { emitSh3add, emitZextw } from '../extend';
import { RV } from '../registers';

/**
 * 0xf5, a tail call (`emit_bpf_tail_call`, spec 3): a1 = struct bpf_array of the prog array, a2 = index. It falls through to
 * the next instruction when the index is out of bounds, the budget is used up or the slot is empty.
 */
export function lowerTailCall(ctx: JitContext, i: number): void {
  const { e } = ctx;
  const { layout } = ctx.unit.profile;
  const start = e.ninsns;
  const size = sizeInPreviousPass(ctx, i);
  // A debugger tells by the rule of a branch why a tail call was refused.
  const branchOut = (condition: Condition, a: number, b: number): void =>
    emitBranch(e, condition, a, b, 2 * (size - (e.ninsns - start)), true);

  e.rule('tail-call/index');
  emitZextw(e, RV.a2, RV.a2);
  e.rule('tail-call/bounds');
  e.emit(enc.lwu(RV.t1, RV.a1, layout.bpfArrayMaxEntries));
  branchOut('jge', RV.a2, RV.t1);

  ctx.scheme.takeFromBudget(ctx, branchOut);

  e.rule('tail-call/lookup');
  emitSh3add(e, RV.t2, RV.a2, RV.a1);
  e.ld(RV.t2, layout.bpfArrayPtrs, RV.t2);
  e.rule('tail-call/empty-slot');
  branchOut('jeq', RV.t2, RV.zero);

  ctx.scheme.tailCallCertain(ctx);
  e.rule('tail-call/target');
  e.ld(RV.t3, layout.bpfProgBpfFunc, RV.t2);
  buildEpilogue(ctx, 'tail-call');
}

/**
 * Halfwords of this instruction's code as the branches out of it see them. For the first instruction of a function the
 * kernel takes the prologue along, so its branches go too far; no verified program begins with a tail call.
 */
function sizeInPreviousPass(ctx: JitContext, i: number): number {
  return (ctx.offset[i] ?? 0) - (i > 0 ? (ctx.offset[i - 1] ?? 0) : 0);
}
