import { BPF_ALU_OP, BPF_CLASS, BPF_SRC, type BpfInsn } from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { insnClass, insnOp, readRegister, writeRegister } from './liveness';
import { describe } from './memory';
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
  UNKNOWN,
  zeroExtend32,
  type Draft,
  type Scalar,
} from './scalar';
import { scalarAlu } from './scalar-alu';
import { assignLink } from './stack-access';
import { tnumLow32 } from './tnum';

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
  const before = readRegister(env, insn.dst).value;
  const pointer = env.frame.reg(insn.dst).isPointer;
  const target = writeRegister(env, insn.dst);
  const isNeg = insnOp(insn.code) === BPF_ALU_OP.NEG;
  if (pointer || !(isNeg ? env.facts.negationTracked : env.facts.byteSwapTracked)) {
    target.setUnknown();
    return;
  }
  const is32 = insnClass(insn.code) === BPF_CLASS.ALU;
  const value = isNeg ? negated(env, is32, before) : swapped(env, insn, before);
  const { id } = target;
  target.setScalar(value);
  target.id = isNeg ? 0 : id;
  if (!isNeg) target.id = 0;
}

/** 0 - value */
function negated(env: VerifierEnv, is32: boolean, value: Scalar): Scalar {
  return scalarAlu(BPF_ALU_OP.SUB, is32, known(0n), value, false, env.arithmetic);
}

/** Byte order conversions move whole bytes, so what is known of each bit stays known; ranges do not. */
function swapped(env: VerifierEnv, insn: BpfInsn, value: Scalar): Scalar {
  const bits = insn.imm;
  const reverses = insnClass(insn.code) === BPF_CLASS.ALU64 || (insn.code & BPF_SRC.X) !== 0;
  const convert = (x: bigint): bigint => {
    const low = BigInt.asUintN(bits, x);
    if (!reverses) return low;
    let result = 0n;
    for (let i = 0; i < bits; i += 8) result = (result << 8n) | ((low >> BigInt(i)) & 0xffn);
    return result;
  };
  const d: Draft = { ...UNKNOWN, bits: { value: convert(value.bits.value), mask: convert(value.bits.mask) } };
  return sync(d, env.arithmetic);
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
  } else {
    if (source.isPointer)
      env.refuse('pointer', `r${insn.src} is ${describe(source)}; it cannot be sign-extended`);
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
  if (source.type === 'btf') {
    // some number or a kernel pointer: half of it is a number
    target.setUnknown();
    target.value = low32(env, UNKNOWN);
    return;
  }
  if (source.isPointer)
    env.refuse('pointer', `r${insn.src} is ${describe(source)}; half of it cannot be copied`);
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
export function unlink(reg: RegState): void {
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
  if (target.type === 'btf' || operand.type === 'btf') {
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
  const { id, delta, off } = target;
  target.value = scalarAlu(op, is32, target.value, operand.value, insn.off === 1, env.arithmetic);
  keepLink(env, insn, target, operand.value, { id, delta, off });
}

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
    target.type === 'btf' &&
    operand.isScalar &&
    isConst(operand.value);
  if (stays) return true;
  if (operand.isPointer && operand.type !== 'btf') return false;
  if (target.isPointer && target.type !== 'btf')
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
