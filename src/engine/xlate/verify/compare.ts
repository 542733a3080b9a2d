import { BPF_JMP_OP } from '../../bpf/insn';
import { bigMax, bigMin, isConst, isConst32, low32s, low32u, type Draft, type Scalar } from './scalar';
import { s64, u64 } from '../../base/u64';
import { tnumAnd, tnumConst, tnumIntersect, tnumLow32, tnumOr, tnumOverlap, tnumWithLow32 } from './tnum';

/** `JSET` being false: no bit of the operand is set. Not an opcode; only refinement uses it. */
const NOT_SET = -1;

/** The comparison with its operands exchanged: a < b is b > a. */
export function flipped(op: number): number {
  switch (op) {
    case BPF_JMP_OP.JGT:
      return BPF_JMP_OP.JLT;
    case BPF_JMP_OP.JLT:
      return BPF_JMP_OP.JGT;
    case BPF_JMP_OP.JGE:
      return BPF_JMP_OP.JLE;
    case BPF_JMP_OP.JLE:
      return BPF_JMP_OP.JGE;
    case BPF_JMP_OP.JSGT:
      return BPF_JMP_OP.JSLT;
    case BPF_JMP_OP.JSLT:
      return BPF_JMP_OP.JSGT;
    case BPF_JMP_OP.JSGE:
      return BPF_JMP_OP.JSLE;
    case BPF_JMP_OP.JSLE:
      return BPF_JMP_OP.JSGE;
    default:
      return op;
  }
}

/** What holds when the comparison is false. */
function reversed(op: number): number {
  switch (op) {
    case BPF_JMP_OP.JEQ:
      return BPF_JMP_OP.JNE;
    case BPF_JMP_OP.JNE:
      return BPF_JMP_OP.JEQ;
    case BPF_JMP_OP.JSET:
      return NOT_SET;
    case BPF_JMP_OP.JGE:
      return BPF_JMP_OP.JLT;
    case BPF_JMP_OP.JGT:
      return BPF_JMP_OP.JLE;
    case BPF_JMP_OP.JLE:
      return BPF_JMP_OP.JGT;
    case BPF_JMP_OP.JLT:
      return BPF_JMP_OP.JGE;
    case BPF_JMP_OP.JSGE:
      return BPF_JMP_OP.JSLT;
    case BPF_JMP_OP.JSGT:
      return BPF_JMP_OP.JSLE;
    case BPF_JMP_OP.JSLE:
      return BPF_JMP_OP.JSGT;
    case BPF_JMP_OP.JSLT:
      return BPF_JMP_OP.JSGE;
    default:
      return op;
  }
}

/** In what kernels differ when they compare registers. */
export interface ComparisonRules {
  /** Known bits that contradict each other decide an equality. */
  readonly bitsDecideEquality: boolean;
  /** A register compared with itself is decided. */
  readonly sameRegisterDecides: boolean;
}

/**
 * Whether the jump is taken: true, false, or undefined when it depends on the values (is_scalar_branch_taken).
 * `same` says that both operands are one register.
 */
export function predict(
  op: number,
  is32: boolean,
  a: Scalar,
  b: Scalar,
  same: boolean,
  rules: ComparisonRules,
): boolean | undefined {
  if (same && rules.sameRegisterDecides) return predictSame(op, is32, a);
  const ta = is32 ? tnumLow32(a.bits) : a.bits;
  const tb = is32 ? tnumLow32(b.bits) : b.bits;
  const ua = is32 ? ([a.u32min, a.u32max] as const) : ([a.umin, a.umax] as const);
  const ub = is32 ? ([b.u32min, b.u32max] as const) : ([b.umin, b.umax] as const);
  const sa = is32 ? ([a.s32min, a.s32max] as const) : ([a.smin, a.smax] as const);
  const sb = is32 ? ([b.s32min, b.s32max] as const) : ([b.smin, b.smax] as const);
  switch (op) {
    case BPF_JMP_OP.JEQ:
    case BPF_JMP_OP.JNE: {
      const equal = op === BPF_JMP_OP.JEQ;
      if (ta.mask === 0n && tb.mask === 0n) return (ta.value === tb.value) === equal;
      if (rules.bitsDecideEquality && !tnumOverlap(ta, tb)) return !equal;
      if (apart(ua, ub) || apart(sa, sb)) return !equal;
      if (
        !is32 &&
        (apart([a.u32min, a.u32max], [b.u32min, b.u32max]) ||
          apart([a.s32min, a.s32max], [b.s32min, b.s32max]))
      ) {
        return !equal;
      }
      return undefined;
    }
    case BPF_JMP_OP.JSET: {
      const constFirst = tb.mask !== 0n;
      const [value, constant] = constFirst ? [tb, ta] : [ta, tb];
      if (constant.mask !== 0n) return undefined;
      if ((value.value & constant.value) !== 0n) return true;
      return ((value.mask | value.value) & constant.value) === 0n ? false : undefined;
    }
    case BPF_JMP_OP.JGT:
      return order(ub[1] < ua[0], ua[1] <= ub[0]);
    case BPF_JMP_OP.JSGT:
      return order(sb[1] < sa[0], sa[1] <= sb[0]);
    case BPF_JMP_OP.JLT:
      return order(ua[1] < ub[0], ua[0] >= ub[1]);
    case BPF_JMP_OP.JSLT:
      return order(sa[1] < sb[0], sa[0] >= sb[1]);
    case BPF_JMP_OP.JGE:
      return order(ua[0] >= ub[1], ua[1] < ub[0]);
    case BPF_JMP_OP.JSGE:
      return order(sa[0] >= sb[1], sa[1] < sb[0]);
    case BPF_JMP_OP.JLE:
      return order(ua[1] <= ub[0], ua[0] > ub[1]);
    case BPF_JMP_OP.JSLE:
      return order(sa[1] <= sb[0], sa[0] > sb[1]);
    default:
      return undefined;
  }
}

const order = (always: boolean, never: boolean): boolean | undefined =>
  always ? true : never ? false : undefined;

type Range = readonly [number, number] | readonly [bigint, bigint];
const apart = (a: Range, b: Range): boolean => a[0] > b[1] || a[1] < b[0];

function predictSame(op: number, is32: boolean, a: Scalar): boolean | undefined {
  switch (op) {
    case BPF_JMP_OP.JEQ:
    case BPF_JMP_OP.JGE:
    case BPF_JMP_OP.JLE:
    case BPF_JMP_OP.JSGE:
    case BPF_JMP_OP.JSLE:
      return true;
    case BPF_JMP_OP.JNE:
    case BPF_JMP_OP.JGT:
    case BPF_JMP_OP.JLT:
    case BPF_JMP_OP.JSGT:
    case BPF_JMP_OP.JSLT:
      return false;
    case BPF_JMP_OP.JSET: {
      const bits = is32 ? tnumLow32(a.bits) : a.bits;
      if (bits.mask === 0n) return bits.value !== 0n;
      const mayBeZero = is32 ? a.s32min <= 0 && a.s32max >= 0 : a.smin <= 0n && a.smax >= 0n;
      return mayBeZero ? undefined : true;
    }
    default:
      return undefined;
  }
}

/**
 * Narrows both operands by the knowledge that `a op b` turned out as `taken` (regs_refine_cond_op for one branch). The
 * drafts are changed in place; the caller lets ranges and bits inform each other afterwards.
 */
export function refine(op: number, is32: boolean, a: Draft, b: Draft, taken: boolean): void {
  refineBy(taken ? op : reversed(op), is32, a, b);
}

function refineBy(op: number, is32: boolean, a: Draft, b: Draft): void {
  const constant = is32 ? isConst32 : isConst;
  switch (op) {
    case BPF_JMP_OP.JEQ:
      return is32 ? equal32(a, b) : equal64(a, b);
    case BPF_JMP_OP.JNE: {
      const [value, edge] = constant(b) ? [a, b] : [b, a];
      if (constant(edge)) unequal(is32, value, edge.bits.value);
      return;
    }
    case BPF_JMP_OP.JSET: {
      const [value, k] = constant(b) ? [a, b] : [b, a];
      if (!constant(k)) return;
      const bits = is32 ? tnumLow32(k.bits).value : k.bits.value;
      // which one of several bits is set cannot be known
      if (bits === 0n || (bits & (bits - 1n)) !== 0n) return;
      value.bits = is32
        ? tnumWithLow32(value.bits, tnumOr(tnumLow32(value.bits), tnumConst(bits)))
        : tnumOr(value.bits, tnumConst(bits));
      return;
    }
    case NOT_SET: {
      const [value, k] = constant(b) ? [a, b] : [b, a];
      if (!constant(k)) return;
      const bits = is32 ? tnumLow32(k.bits).value : k.bits.value;
      value.bits = is32
        ? tnumWithLow32(value.bits, tnumAnd(tnumLow32(value.bits), tnumConst(~bits)))
        : tnumAnd(value.bits, tnumConst(~bits));
      return;
    }
    case BPF_JMP_OP.JLE:
    case BPF_JMP_OP.JLT: {
      const strict = op === BPF_JMP_OP.JLT;
      if (is32) {
        a.u32max = Math.min(a.u32max, strict ? (b.u32max - 1) >>> 0 : b.u32max);
        b.u32min = Math.max(strict ? (a.u32min + 1) >>> 0 : a.u32min, b.u32min);
      } else {
        a.umax = bigMin(a.umax, strict ? u64(b.umax - 1n) : b.umax);
        b.umin = bigMax(strict ? u64(a.umin + 1n) : a.umin, b.umin);
      }
      return;
    }
    case BPF_JMP_OP.JSLE:
    case BPF_JMP_OP.JSLT: {
      const strict = op === BPF_JMP_OP.JSLT;
      if (is32) {
        a.s32max = Math.min(a.s32max, strict ? (b.s32max - 1) | 0 : b.s32max);
        b.s32min = Math.max(strict ? (a.s32min + 1) | 0 : a.s32min, b.s32min);
      } else {
        a.smax = bigMin(a.smax, strict ? s64(b.smax - 1n) : b.smax);
        b.smin = bigMax(strict ? s64(a.smin + 1n) : a.smin, b.smin);
      }
      return;
    }
    case BPF_JMP_OP.JGE:
    case BPF_JMP_OP.JGT:
    case BPF_JMP_OP.JSGE:
    case BPF_JMP_OP.JSGT:
      return refineBy(flipped(op), is32, b, a);
    default:
      return;
  }
}

function equal32(a: Draft, b: Draft): void {
  a.u32min = b.u32min = Math.max(a.u32min, b.u32min);
  a.u32max = b.u32max = Math.min(a.u32max, b.u32max);
  a.s32min = b.s32min = Math.max(a.s32min, b.s32min);
  a.s32max = b.s32max = Math.min(a.s32max, b.s32max);
  const low = tnumIntersect(tnumLow32(a.bits), tnumLow32(b.bits));
  a.bits = tnumWithLow32(a.bits, low);
  b.bits = tnumWithLow32(b.bits, low);
}

function equal64(a: Draft, b: Draft): void {
  a.umin = b.umin = bigMax(a.umin, b.umin);
  a.umax = b.umax = bigMin(a.umax, b.umax);
  a.smin = b.smin = bigMax(a.smin, b.smin);
  a.smax = b.smax = bigMin(a.smax, b.smax);
  a.bits = b.bits = tnumIntersect(a.bits, b.bits);
}

/** A constant at an edge of a range takes that edge away. */
function unequal(is32: boolean, d: Draft, value: bigint): void {
  if (is32) {
    if (d.u32min === low32u(value)) d.u32min = (d.u32min + 1) >>> 0;
    if (d.u32max === low32u(value)) d.u32max = (d.u32max - 1) >>> 0;
    if (d.s32min === low32s(value)) d.s32min = (d.s32min + 1) | 0;
    if (d.s32max === low32s(value)) d.s32max = (d.s32max - 1) | 0;
    return;
  }
  if (d.umin === u64(value)) d.umin = u64(d.umin + 1n);
  if (d.umax === u64(value)) d.umax = u64(d.umax - 1n);
  if (d.smin === s64(value)) d.smin = s64(d.smin + 1n);
  if (d.smax === s64(value)) d.smax = s64(d.smax - 1n);
}
