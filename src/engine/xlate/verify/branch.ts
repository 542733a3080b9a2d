import { BPF_CLASS, BPF_JMP_OP, BPF_SRC, type BpfInsn } from '../../bpf/insn';
import { isMapInMap } from '../../loader/map-types';
import { flipped, predict, refine } from './compare';
import type { VerifierEnv } from './env';
import type { LinkedPlace } from './history';
import { insnClass, insnOp, readRegister } from './liveness';
import { collectLinked, syncLinked } from './linked';
import { decidePacketComparison, matchPacketPointers } from './packet-pointers';
import { markPrecise, remember } from './precision';
import { pushPath } from './paths';
import { RegState } from './reg';
import { isConst, isConst32, isContradiction, known, sync, UNKNOWN, type Draft, type Scalar } from './scalar';
import type { VerifierState } from './state';

/**
 * Follows a conditional jump (check_cond_jmp_op): decides it where the values tell, otherwise keeps the other way for later.
 * @returns the slot to go on with
 */
export function walkBranch(env: VerifierEnv, insn: BpfInsn): number {
  const op = insnOp(insn.code);
  const is32 = insnClass(insn.code) === BPF_CLASS.JMP32;
  const fromRegister = (insn.code & BPF_SRC.X) !== 0;
  const target = env.insn + 1 + insn.off;
  const dst = readRegister(env, insn.dst);
  const src = fromRegister ? readRegister(env, insn.src) : constant(insn.imm);

  const taken = decide(env, op, is32, dst, src) ?? decideByContradiction(env, op, is32, dst, src);
  if (taken !== undefined) {
    if (!dst.isPointer) markPrecise(env, insn.dst);
    if (fromRegister && !src.isPointer) markPrecise(env, insn.src);
    return taken ? target : env.insn + 1;
  }

  const linked: LinkedPlace[] = [];
  if (fromRegister && src.isScalar && src.id !== 0) collectLinked(env, env.state, src.id, linked);
  if (dst.isScalar && dst.id !== 0) collectLinked(env, env.state, dst.id, linked);
  if (linked.length > 1) remember(env, env.state, undefined, linked);

  const other = pushPath(env, target);
  const otherDst = other.frame.reg(insn.dst);
  const otherSrc = fromRegister ? other.frame.reg(insn.src) : constant(insn.imm);
  learn(env, op, is32, { dst, src, otherDst, otherSrc });
  if (fromRegister && src.isScalar && src.id !== 0) {
    syncLinked(env, env.state, src, linked);
    syncLinked(env, other, otherSrc, linked);
  }
  if (dst.isScalar && dst.id !== 0) {
    syncLinked(env, env.state, dst, linked);
    syncLinked(env, other, otherDst, linked);
  }
  if (!is32) testPointers(env, insn, op, { dst, src, other, otherDst, otherSrc, fromRegister });
  return env.insn + 1;
}

function constant(imm: number): RegState {
  const reg = new RegState();
  reg.setScalar(known(BigInt(imm)));
  return reg;
}

/** Whether the jump is taken, where that is known (is_branch_taken). */
function decide(env: VerifierEnv, op: number, is32: boolean, a: RegState, b: RegState): boolean | undefined {
  if (a.isPacketOrEnd && b.isPacketOrEnd && !is32) return decidePacketComparison(op, a, b);
  if (!a.isPointer && !b.isPointer) return predict(op, is32, a.value, b.value, a === b, env.comparison);
  const isConstant = (reg: RegState): boolean =>
    reg.isScalar && (is32 ? isConst32(reg.value) : isConst(reg.value));
  const [pointer, number, way] = isConstant(b) ? [a, b, op] : [b, a, flipped(op)];
  if (!isConstant(number) || !isNeverNull(pointer) || number.value.bits.value !== 0n) return undefined;
  if (way === BPF_JMP_OP.JEQ) return false;
  return way === BPF_JMP_OP.JNE ? true : undefined;
}

/** Pointers that cannot be 0 (reg_not_null). */
function isNeverNull(reg: RegState): boolean {
  if (reg.orNull) return false;
  switch (reg.type) {
    case 'socket':
    case 'tcp-sock':
    case 'map-value':
    case 'map-key':
    case 'sock-common':
    case 'mem':
    case 'map':
      return true;
    default:
      return false;
  }
}

interface Sides {
  readonly dst: RegState;
  readonly src: RegState;
  readonly otherDst: RegState;
  readonly otherSrc: RegState;
}

/** Narrows numbers by what each way of the jump says (reg_set_min_max). */
function learn(env: VerifierEnv, op: number, is32: boolean, { dst, src, otherDst, otherSrc }: Sides): void {
  if (!dst.isScalar || !src.isScalar) return;
  if (dst === src && env.facts.sameRegisterDecides) return;
  [dst.value, src.value] = narrowed(env, op, is32, dst, src, false).map(sane) as [Scalar, Scalar];
  [otherDst.value, otherSrc.value] = narrowed(env, op, is32, otherDst, otherSrc, true).map(sane) as [
    Scalar,
    Scalar,
  ];
}

function narrowed(
  env: VerifierEnv,
  op: number,
  is32: boolean,
  a: RegState,
  b: RegState,
  taken: boolean,
): [Scalar, Scalar] {
  const x: Draft = { ...a.value };
  const y: Draft = a === b ? x : { ...b.value };
  refine(op, is32, x, y, taken);
  return [sync(x, env.arithmetic), sync(y, env.arithmetic)];
}

/** Ranges that contradict each other are forgotten (reg_bounds_sanity_check). */
const sane = (value: Scalar): Scalar => (isContradiction(value) ? { ...UNKNOWN, bits: value.bits } : value);

/** A way that leaves no value is never taken (simulate_both_branches_taken). */
function decideByContradiction(
  env: VerifierEnv,
  op: number,
  is32: boolean,
  a: RegState,
  b: RegState,
): boolean | undefined {
  if (!env.facts.contradictionIsDead || !a.isScalar || !b.isScalar || a === b) return undefined;
  if (narrowed(env, op, is32, a, b, false).some(isContradiction)) return true;
  return narrowed(env, op, is32, a, b, true).some(isContradiction) ? false : undefined;
}

interface PointerSides extends Sides {
  readonly other: VerifierState;
  readonly fromRegister: boolean;
}

/** What a comparison tells of pointers: null or not, and how much of the packet is there. */
function testPointers(env: VerifierEnv, insn: BpfInsn, op: number, sides: PointerSides): void {
  const { dst, src, other, otherDst, otherSrc, fromRegister } = sides;
  const equality = op === BPF_JMP_OP.JEQ || op === BPF_JMP_OP.JNE;
  const bothPointers = fromRegister && dst.isPointer && src.isPointer;
  if (
    bothPointers &&
    equality &&
    dst.orNull !== src.orNull &&
    !dst.type.endsWith('btf') &&
    !src.type.endsWith('btf')
  ) {
    // equal to a pointer that is not null: not null either
    const here = op === BPF_JMP_OP.JNE;
    notNull(here ? (dst.orNull ? dst : src) : otherDst.orNull ? otherDst : otherSrc);
    return;
  }
  if (!fromRegister && insn.imm === 0 && equality && dst.orNull) {
    const { id, refId } = dst;
    resolveNull(env.state, id, refId, op === BPF_JMP_OP.JNE);
    resolveNull(other, id, refId, op === BPF_JMP_OP.JEQ);
    return;
  }
  if (bothPointers)
    matchPacketPointers(env, op, { dst, src, dstNumber: insn.dst, srcNumber: insn.src, other });
}

/** A map or memory pointer that turned out to be there (mark_ptr_not_null_reg). */
function notNull(reg: RegState): void {
  reg.orNull = false;
  if (reg.type !== 'map-value') return;
  if (reg.map && isMapInMap(reg.map.type)) {
    reg.type = 'map';
    reg.map = reg.map.inner;
  }
}

/** Every copy of a tested pointer is null, or none is (mark_ptr_or_null_regs). */
function resolveNull(state: VerifierState, id: number, refId: number, isNull: boolean): void {
  if (isNull && refId !== 0 && refId === id) state.refs = state.refs.filter((ref) => ref.id !== refId);
  for (const reg of state.values()) {
    if (!reg.orNull || reg.id !== id) continue;
    if (isNull) {
      const { value, subregDef } = reg;
      reg.setScalar(value);
      reg.subregDef = subregDef;
    } else {
      notNull(reg);
      reg.id = 0;
    }
  }
}
