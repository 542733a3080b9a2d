import { BPF_PSEUDO } from '../../bpf/insn';
import { emitJumpAndLink } from '../branch';
import type { JitContext } from '../context';
import { SEEN_CALL } from '../seen';
import { emitSextw, emitSignExtend } from '../extend';
import { RV } from '../registers';
import { emitCpuNumber } from './address-moves';

/** enum bpf_func_id of the helpers that become a few instructions (spec 6.9). */
const HELPER_GET_SMP_PROCESSOR_ID = 8;
const HELPER_GET_CURRENT_TASK = 35;
const HELPER_GET_CURRENT_TASK_BTF = 158;

/** 0x85: src 0 a helper, 1 a BPF function, 2 a kfunc (spec 4.1). */
export function lowerCall(ctx: JitContext, i: number): void {
  const { code } = ctx.unit;
  const kind = code.src(i);
  if (kind === 0 && emitInlinedHelper(ctx, code.imm(i))) return;
  ctx.seen |= SEEN_CALL;
  switch (kind) {
    case 0:
    case BPF_PSEUDO.KFUNC_CALL:
      lowerLeavingCall(ctx, i, kind === BPF_PSEUDO.KFUNC_CALL);
      return;
    case BPF_PSEUDO.CALL:
      lowerBpfCall(ctx, i);
      return;
    default:
      throw ctx.error(
        'jit/opcode',
        i,
        `a call has src 0 (helper), 1 (BPF function) or 2 (kfunc), not ${kind}.`,
      );
  }
}

/** These helpers keep their id as imm, since the verifier knows that this JIT inlines them (spec 9.3). */
function emitInlinedHelper(ctx: JitContext, id: number): boolean {
  const { facts } = ctx.unit;
  if (facts.inlinesSmpProcessorId && id === HELPER_GET_SMP_PROCESSOR_ID) {
    ctx.e.rule('call/inlined');
    emitCpuNumber(ctx, RV.a5);
    return true;
  }
  if (facts.inlinesCurrentTask && (id === HELPER_GET_CURRENT_TASK || id === HELPER_GET_CURRENT_TASK_BTF)) {
    ctx.e.rule('call/inlined');
    ctx.e.mv(RV.a5, RV.tp);
    return true;
  }
  return false;
}

/** A call of C code: imm is the distance of its address from __bpf_call_base. */
function lowerLeavingCall(ctx: JitContext, i: number, isKfunc: boolean): void {
  const { e, unit } = ctx;
  const imm = unit.code.imm(i);
  ctx.scheme.leavingCallSeen(ctx);
  if (isKfunc) extendArguments(ctx, i, imm);
  ctx.scheme.beforeLeavingCall(ctx);
  jumpToCallee(ctx, i, ctx.hasImage ? ctx.callBaseDistance + imm - 2 * e.ninsns : 0, true);
  ctx.scheme.afterLeavingCall(ctx);
  if (unit.facts.timedMayGoto && isTimedMayGoto(ctx, imm)) return; // answers in AX
  e.rule('call/result');
  e.mv(RV.a5, RV.a0);
}

/** A call of another function of this program; its address is known in the extra pass. */
function lowerBpfCall(ctx: JitContext, i: number): void {
  const callee = ctx.calleeAddress?.(i);
  ctx.scheme.beforeBpfCall(ctx);
  jumpToCallee(ctx, i, callee === undefined ? 0 : ctx.distanceTo(callee), false);
  ctx.scheme.afterBpfCall(ctx);
}

function jumpToCallee(ctx: JitContext, i: number, distance: number, leaving: boolean): void {
  if (emitJumpAndLink(ctx.e, RV.ra, distance, leaving, leaving ? 'call/leave' : 'call/bpf')) return;
  throw ctx.error(
    'jit/range',
    i,
    `the call goes ${distance} bytes away; auipc and jalr reach from -2 GiB - 2048 to 2 GiB - 2049. Place the images nearer to the kernel.`,
  );
}

function isTimedMayGoto(ctx: JitContext, imm: number): boolean {
  const { addresses, callBase } = ctx.unit.surroundings;
  return (
    addresses.timedMayGoto !== undefined &&
    BigInt.asUintN(64, callBase + BigInt(imm)) === addresses.timedMayGoto
  );
}

/** Brings narrow kfunc arguments into the form that the C calling convention asks for (spec 4.3). */
function extendArguments(ctx: JitContext, i: number, imm: number): void {
  const { e, unit } = ctx;
  const rule = unit.facts.kfuncArgumentExtension;
  if (rule === 'none' || ctx.faults['kfunc-arguments-not-extended']) return;
  const model = unit.kfuncs.get(imm);
  if (model === undefined) {
    throw ctx.error(
      'jit/kfunc',
      i,
      'the argument model of this kfunc is not known, so its arguments cannot be extended.',
    );
  }
  model.argSizes.forEach((size, k) => {
    const register = RV.a0 + k;
    e.rule('call/extend-argument');
    if (rule === 'int32-only') {
      if (size === 4) emitSextw(e, register, register);
    } else if (!emitSignExtend(e, register, register, size, model.argSigned[k] ?? false)) {
      throw ctx.error(
        'jit/kfunc',
        i,
        `argument ${k + 1} of this kfunc has ${size} bytes; the JIT takes 1, 2, 4 or 8.`,
      );
    }
  });
}
