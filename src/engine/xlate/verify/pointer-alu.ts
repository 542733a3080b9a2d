import { BPF_ALU_OP, BPF_CLASS, type BpfInsn } from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { insnClass, insnOp } from './liveness';
import { describe } from './memory';
import type { RegState } from './reg';
import { isConst, isContradiction, sync, unbound32, type Draft, type Scalar } from './scalar';
import { difference, sum } from './scalar-alu';
import { MAX_VARIABLE_OFFSET } from './stack-access';

/**
 * Pointer plus or minus a number: `target` becomes `pointer` moved by `by` (adjust_ptr_min_max_vals). `target` is the
 * destination register, which may hold either operand now.
 */
export function pointerAlu(
  env: VerifierEnv,
  insn: BpfInsn,
  target: RegState,
  pointer: RegState,
  by: Scalar,
): void {
  const op = insnOp(insn.code);
  const pointerIsTarget = target.isPointer;
  if (isContradiction(by)) {
    // a number that no value can be, from a branch that is never taken
    target.setUnknown();
    return;
  }
  if (insnClass(insn.code) !== BPF_CLASS.ALU64) {
    // half of a pointer is a meaningless number, which only differences are allowed to be
    if (op !== BPF_ALU_OP.SUB) env.refuse('pointer', `${describe(pointer)} takes part in 32-bit arithmetic`);
    target.setUnknown();
    return;
  }
  if (pointer.orNull)
    env.refuse(
      'null',
      `${describe(pointer)} may be NULL; the program must test it before it calculates with it`,
    );
  refuseImmovable(env, pointer, by);
  if (op !== BPF_ALU_OP.ADD && op !== BPF_ALU_OP.SUB) {
    env.refuse('pointer', `${describe(pointer)} can only be added to and subtracted from`);
  }
  checkOffset(env, pointer, by);
  const { subregDef, precise } = target;
  target.assign(pointer);
  target.subregDef = subregDef;
  target.precise = precise;
  const known = isConst(by) ? BigInt.asIntN(64, by.bits.value) : undefined;
  const forwards = op === BPF_ALU_OP.ADD;
  if (!forwards) {
    if (!pointerIsTarget) env.refuse('pointer', 'a pointer cannot be subtracted from a number');
    if (pointer.type === 'stack') env.refuse('pointer', 'the stack pointer can only be added to');
  }
  move(env, target, pointer, by, known, forwards);
  checkOffset(env, target, target.value);
}

/** Pointers that must stay as they are. */
function refuseImmovable(env: VerifierEnv, pointer: RegState, by: Scalar): void {
  switch (pointer.type) {
    case 'map':
      if (isConst(by) && by.bits.value === 0n) return;
      return env.refuse('pointer', `${describe(pointer)} cannot be moved`);
    case 'packet-end':
    case 'socket':
    case 'sock-common':
    case 'tcp-sock':
    case 'xdp-sock':
    case 'func':
      return env.refuse('pointer', `${describe(pointer)} cannot be moved`);
    default:
      return;
  }
}

/** Offsets beyond half a gigabyte are not followed (check_reg_sane_offset). */
function checkOffset(env: VerifierEnv, pointer: RegState, by: Scalar): void {
  if (isConst(by)) {
    const value = BigInt.asIntN(64, by.bits.value);
    if (value >= MAX_VARIABLE_OFFSET || value <= -MAX_VARIABLE_OFFSET) {
      env.refuse('pointer', `${describe(pointer)} is moved by ${value}, which is too far`);
    }
  }
  if (pointer.off >= Number(MAX_VARIABLE_OFFSET) || pointer.off <= -Number(MAX_VARIABLE_OFFSET)) {
    env.refuse('pointer', `${describe(pointer)} has an offset of ${pointer.off}, which is too far`);
  }
  if (by.smin === -(1n << 63n)) {
    env.refuse(
      'pointer',
      `${describe(pointer)} is moved by a number without a lower bound; the program must test it first`,
    );
  }
  if (by.smin >= MAX_VARIABLE_OFFSET || by.smin <= -MAX_VARIABLE_OFFSET) {
    env.refuse(
      'pointer',
      `${describe(pointer)} is moved by a number that may be ${by.smin}, which is too far`,
    );
  }
}

const fitsOffset = (value: bigint): boolean => value === BigInt.asIntN(32, value);

/** `target` = pointer + by, or pointer - by. @param known the value of `by`, where there is one only */
function move(
  env: VerifierEnv,
  target: RegState,
  pointer: RegState,
  by: Scalar,
  known: bigint | undefined,
  forwards: boolean,
): void {
  const step = known === undefined || forwards ? known : -known;
  if (step !== undefined && fitsOffset(BigInt(pointer.off) + step)) {
    // a constant goes to the fixed part and leaves the rest as it was
    target.value = pointer.value;
    target.off = pointer.off + Number(step);
    return;
  }
  const d: Draft = { ...pointer.value };
  (forwards ? sum : difference)(d, pointer.value, by, env.arithmetic);
  unbound32(d);
  target.value = sync(d, env.arithmetic);
  target.off = pointer.off;
  if (!pointer.isPacket) return;
  target.id = env.newId();
  // the range that was shown holds for other variable parts only; a pointer that has gone back keeps it
  if (forwards || by.smin < 0n) target.range = 0;
}
