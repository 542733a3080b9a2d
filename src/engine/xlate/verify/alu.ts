import { BPF_ALU_OP, BPF_CLASS, BPF_SRC, type BpfInsn } from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { insnClass, insnOp, readRegister, writeRegister } from './liveness';
import { pointerAlu } from './pointer-alu';
import { markPrecise } from './precision';
import { NOT_A_SUBREG, RegState } from './reg';
import {
  isConst,
  known,
  S32_MAX,
  signExtend32,
  signExtend64,
  sync,
  truncate,
  UNKNOWN,
  zeroExtend32,
  type Draft,
  type Scalar,
} from './scalar';
import { scalarAlu } from './scalar-alu';
import { assignLink } from './stack-access';
import { pushPath } from './paths';
import { tnumConst, tnumLow32, tnumWithLow32 } from './tnum';

/** Follows an instruction of class ALU or ALU64 (check_alu_op). */
export function walkAlu(env: VerifierEnv, insn: BpfInsn): void {
  switch (insnOp(insn.code)) {
    case BPF_ALU_OP.END:
    case BPF_ALU_OP.NEG:
      return unary(env, insn);
    case BPF_ALU_OP.MOV:
      return move(env, insn);
    default:
      return binary(env, insn);
  }
}

function unary(env: VerifierEnv, insn: BpfInsn): void {
  const { value, isPointer } = readRegister(env, insn.dst);
  const target = writeRegister(env, insn.dst);
  const isNeg = insnOp(insn.code) === BPF_ALU_OP.NEG;
  if (isPointer || !(isNeg ? env.facts.negationTracked : env.facts.byteSwapTracked)) {
    target.setUnknown();
    return;
  }
  const is32 = insnClass(insn.code) === BPF_CLASS.ALU;
  target.value = isNeg
    ? scalarAlu(BPF_ALU_OP.SUB, is32, known(0n), value, false, env.arithmetic)
    : swapped(env, insn, value);
  if (target.value !== value) unlink(target);
}

/** Byte order conversions move whole bytes, so what is known of each bit stays known; ranges do not (scalar_byte_swap). */
function swapped(env: VerifierEnv, insn: BpfInsn, value: Scalar): Scalar {
  const bits = insn.imm;
  const reverses = insnClass(insn.code) === BPF_CLASS.ALU64 || (insn.code & BPF_SRC.X) !== 0;
  const swap = (x: bigint): bigint => {
    let result = 0n;
    for (let i = 0; i < bits; i += 8) result = (result << 8n) | ((x >> BigInt(i)) & 0xffn);
    return result;
  };
  const before: Scalar = reverses
    ? { ...UNKNOWN, bits: { value: swap(value.bits.value), mask: swap(value.bits.mask) } }
    : value;
  if (bits === 64) return reverses ? sync({ ...before }, env.arithmetic) : value;
  return truncate(before, bits / 8, env.arithmetic);
}

function move(env: VerifierEnv, insn: BpfInsn): void {
  const wide = insnClass(insn.code) === BPF_CLASS.ALU64;
  if ((insn.code & BPF_SRC.X) === 0) {
    const target = writeRegister(env, insn.dst);
    target.setScalar(known(wide ? BigInt(insn.imm) : BigInt(insn.imm >>> 0)));
    return;
  }
  if (wide && insn.off === 1)
    env.refuse('unsupported', 'casts between address spaces (arenas) are not supported yet');
  const source = readRegister(env, insn.src);
  const target = writeRegister(env, insn.dst);
  if (wide) move64(env, insn, source, target);
  else move32(env, insn, source, target);
}

function move64(env: VerifierEnv, insn: BpfInsn, source: RegState, target: RegState): void {
  if (insn.off === 0) {
    assignLink(env, source);
    target.assign(source);
  } else if (source.isPointer) {
    target.setUnknown();
  } else {
    const unchanged = source.value.umax < 1n << BigInt(insn.off - 1);
    if (unchanged) assignLink(env, source);
    target.assign(source);
    if (!unchanged) unlink(target);
    target.value = signExtend64(target.value, bytesOf(insn.off));
  }
  target.subregDef = NOT_A_SUBREG;
}

const bytesOf = (bits: number): 1 | 2 | 4 => (bits === 8 ? 1 : bits === 16 ? 2 : 4);

function move32(env: VerifierEnv, insn: BpfInsn, source: RegState, target: RegState): void {
  if (source.isPointer) {
    // half of a pointer is some number
    target.setUnknown();
    target.value = low32(env, UNKNOWN);
    return;
  }
  const fits = insn.off === 0 ? source.width <= 32 : source.value.umax < 1n << BigInt(insn.off - 1);
  if (fits) assignLink(env, source);
  target.assign(source);
  if (!fits) unlink(target);
  const value = insn.off === 0 ? target.value : signExtend32(target.value, insn.off === 8 ? 1 : 2);
  target.value = low32(env, value);
  target.subregDef = env.insn + 1;
}

function low32(env: VerifierEnv, value: Scalar): Scalar {
  const d: Draft = { ...value };
  zeroExtend32(d);
  return sync(d, env.arithmetic);
}

/** The value no longer follows those that it was copied from. */
function unlink(reg: RegState): void {
  reg.id = 0;
  reg.delta = 'none';
}

function binary(env: VerifierEnv, insn: BpfInsn): void {
  const fromRegister = (insn.code & BPF_SRC.X) !== 0;
  if (fromRegister) readRegister(env, insn.src);
  readRegister(env, insn.dst);
  const operandBefore = fromRegister ? env.frame.reg(insn.src) : constantOperand(insn.imm);
  const target = writeRegister(env, insn.dst);
  const operand = fromRegister && insn.src === insn.dst ? target : operandBefore;
  combine(env, insn, target, operand, fromRegister);
}

function constantOperand(imm: number): RegState {
  const reg = new RegState();
  reg.setScalar(known(BigInt(imm)));
  return reg;
}

/** adjust_reg_min_max_vals */
function combine(
  env: VerifierEnv,
  insn: BpfInsn,
  target: RegState,
  operand: RegState,
  fromRegister: boolean,
): void {
  const op = insnOp(insn.code);
  if (isKernelValue(target) || isKernelValue(operand)) {
    if (combineKernelValue(env, insn, target, operand)) return;
  }
  if (operand.isPointer) {
    if (target.isPointer) {
      // a difference of two pointers is a number; other combinations make no sense
      if (op !== BPF_ALU_OP.SUB) env.refuse('pointer', 'two pointers cannot be combined like this');
      target.setUnknown();
      return;
    }
    markPrecise(env, insn.dst);
    pointerAlu(env, insn, target, operand.clone(), target.value);
    return;
  }
  if (target.isPointer) {
    if (fromRegister) markPrecise(env, insn.src);
    pointerAlu(env, insn, target, target.clone(), operand.value);
    return;
  }
  if (fromRegister && target.precise) markPrecise(env, insn.src);
  const is32 = insnClass(insn.code) === BPF_CLASS.ALU;
  if ((op === BPF_ALU_OP.AND || op === BPF_ALU_OP.OR) && isConst(operand.value)) forkMask(env, target);
  const { id, delta, off } = target;
  target.value = scalarAlu(op, is32, target.value, operand.value, insn.off === 1, env.arithmetic);
  keepLink(env, insn, target, operand.value, { id, delta, off });
}

/**
 * A value that is 0 or -1, as a sign that was spread over a register, is followed as each of them on a path of its own
 * (maybe_fork_scalars). Here it is -1; the other path begins with this instruction again.
 */
function forkMask(env: VerifierEnv, target: RegState): void {
  if (!env.facts.signMasksForked) return;
  const { value } = target;
  const wide = value.smin === -1n && value.smax === 0n;
  if (!wide && !(value.s32min === -1 && value.s32max === 0)) return;
  const other = pushPath(env, env.insn).frame.reg(env.insnAt(env.insn).dst);
  other.value = wide ? known(0n) : withLow32(value, 0);
  target.value = wide ? known(-1n) : withLow32(value, -1);
}

/** The low half becomes known, the ranges of the whole stay as they were (__mark_reg32_known). */
function withLow32(value: Scalar, low: number): Scalar {
  const bits = tnumWithLow32(value.bits, tnumConst(BigInt(low >>> 0)));
  return { ...value, bits, s32min: low, s32max: low, u32min: low >>> 0, u32max: low >>> 0 };
}

const isKernelValue = (reg: RegState): boolean => reg.type === 'btf' || reg.type === 'trusted-btf';

/**
 * A value from a kernel object may be a number or a pointer. Adding a constant keeps it usable as an address; anything else
 * makes it a number. @returns false when both sides are handled as usual.
 */
function combineKernelValue(env: VerifierEnv, insn: BpfInsn, target: RegState, operand: RegState): boolean {
  const op = insnOp(insn.code);
  const moves = op === BPF_ALU_OP.ADD || op === BPF_ALU_OP.SUB;
  const stays =
    insnClass(insn.code) === BPF_CLASS.ALU64 &&
    moves &&
    isKernelValue(target) &&
    operand.isScalar &&
    isConst(operand.value);
  if (stays) return true;
  if (operand.isPointer && !isKernelValue(operand)) return false;
  if (target.isPointer && !isKernelValue(target))
    env.refuse('pointer', 'a kernel value cannot be added to a pointer');
  target.setUnknown();
  if (insnClass(insn.code) === BPF_CLASS.ALU) target.value = low32(env, UNKNOWN);
  return true;
}

/** `r += K` keeps the link to the value it was copied from, K apart; everything else ends it. */
function keepLink(
  env: VerifierEnv,
  insn: BpfInsn,
  target: RegState,
  operand: Scalar,
  before: Pick<RegState, 'id' | 'delta' | 'off'>,
): void {
  const op = insnOp(insn.code);
  const is32 = insnClass(insn.code) === BPF_CLASS.ALU;
  const adds = op === BPF_ALU_OP.ADD || (env.facts.linkedDeltas === 'any' && op === BPF_ALU_OP.SUB);
  const followed = adds && before.id !== 0 && (env.facts.linkedDeltas === 'any' || !is32);
  const constant = is32 ? tnumLow32(operand.bits) : operand.bits;
  if (!followed || constant.mask !== 0n) {
    unlink(target);
    return;
  }
  if (env.facts.linkedDeltas === 'positive-once') {
    if (before.delta !== 'none' || constant.value > BigInt(S32_MAX)) {
      target.off = 0;
      unlink(target);
    } else {
      target.delta = 'add64';
      target.off = Number(constant.value);
    }
    return;
  }
  linkAnyDelta(target, is32, op === BPF_ALU_OP.SUB, constant.value, before);
}

function linkAnyDelta(
  target: RegState,
  is32: boolean,
  negative: boolean,
  constant: bigint,
  before: Pick<RegState, 'id' | 'delta' | 'off'>,
): void {
  const width = is32 ? 32 : 64;
  const signed = BigInt.asIntN(width, constant);
  const step = negative ? -signed : signed;
  const kind = is32 ? 'add32' : 'add64';
  const total = Number(step) + (before.delta === 'none' ? 0 : before.off);
  const mixes = before.delta !== 'none' && before.delta !== kind;
  const fits = step >= -(1n << 31n) && step < 1n << 31n && total >= -(2 ** 31) && total < 2 ** 31;
  if (mixes || !fits) {
    target.off = 0;
    unlink(target);
    return;
  }
  target.delta = kind;
  target.off = total;
}
