import { BPF_ALU_OP } from '../../bpf/insn';
import { s64, u64 } from '../../base/u64';
import {
  bigMax,
  bigMin,
  isConst,
  isConst32,
  known,
  learn32FromBits,
  learnFromBits,
  low32s,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  sync,
  U32_MAX,
  U64_MAX,
  unbound32,
  unbound64,
  UNKNOWN,
  zeroExtend32,
  type DeductionRules,
  type Draft,
  type Scalar,
} from './scalar';
import {
  tnumAdd,
  tnumAnd,
  tnumArsh,
  tnumLow32,
  tnumLsh,
  tnumMul,
  tnumOr,
  tnumRsh,
  tnumSub,
  tnumXor,
  type Tnum,
} from './tnum';

/** How exactly a kernel follows arithmetic; see xlate-facts.ts. */
export interface ArithmeticRules extends DeductionRules {
  /** Products of ranges with negative ends are followed; before, only those of small non-negative ranges. */
  readonly signedProducts: boolean;
  /** An unsigned sum or difference that overflows at both ends keeps its range. */
  readonly wrappedSums: boolean;
  /** Quotients and remainders by a constant are followed. */
  readonly quotients: boolean;
}

/**
 * The result of `a op b` for the binary operations of ALU and ALU64 (adjust_scalar_min_max_vals).
 * `op` is a value of BPF_ALU_OP other than MOV, NEG and END; `signed` says that a division is a signed one.
 */
export function scalarAlu(
  op: number,
  is32: boolean,
  a: Scalar,
  b: Scalar,
  signed: boolean,
  rules: ArithmeticRules,
): Scalar {
  const shifts = op === BPF_ALU_OP.LSH || op === BPF_ALU_OP.RSH || op === BPF_ALU_OP.ARSH;
  const divides = op === BPF_ALU_OP.DIV || op === BPF_ALU_OP.MOD;
  if (divides) return rules.quotients ? quotient(op, is32, a, b, signed, rules) : UNKNOWN;
  if (shifts && !shiftIsKnown(is32, b)) return UNKNOWN;
  const d: Draft = { ...a };
  switch (op) {
    case BPF_ALU_OP.ADD:
      sum(d, a, b, rules);
      break;
    case BPF_ALU_OP.SUB:
      difference(d, a, b, rules);
      break;
    case BPF_ALU_OP.MUL:
      product(d, a, b, rules);
      break;
    case BPF_ALU_OP.AND:
      d.bits = tnumAnd(a.bits, b.bits);
      bitwiseRange(d, a, b, rules, { umax: bigMin(a.umax, b.umax), u32max: Math.min(a.u32max, b.u32max) });
      break;
    case BPF_ALU_OP.OR:
      d.bits = tnumOr(a.bits, b.bits);
      bitwiseRange(d, a, b, rules, { umin: bigMax(a.umin, b.umin), u32min: Math.max(a.u32min, b.u32min) });
      break;
    case BPF_ALU_OP.XOR:
      d.bits = tnumXor(a.bits, b.bits);
      bitwiseRange(d, a, b, rules, {});
      break;
    case BPF_ALU_OP.LSH:
      if (is32) leftShift32(d, Number(b.umin));
      else leftShift64(d, Number(b.umin), rules);
      break;
    case BPF_ALU_OP.RSH:
      if (is32) rightShift32(d, Number(b.umin));
      else rightShift64(d, Number(b.umin), rules);
      break;
    case BPF_ALU_OP.ARSH:
      if (is32) arithmeticShift32(d, b.u32min);
      else arithmeticShift64(d, Number(b.umin), rules);
      break;
    default:
      return UNKNOWN;
  }
  if (is32) zeroExtend32(d);
  return sync(d, rules);
}

/** A shift can be followed only by a constant within the width (is_safe_to_compute_dst_reg_range). */
function shiftIsKnown(is32: boolean, by: Scalar): boolean {
  if (is32) return isConst32(by) && by.s32min === by.s32max && by.u32min === by.u32max && by.umax < 32n;
  return isConst(by) && by.umax < 64n;
}

/** Adds ranges and bits of all widths (scalar_min_max_add and scalar32_min_max_add). */
export function sum(d: Draft, a: Scalar, b: Scalar, rules: ArithmeticRules): void {
  sumRanges32(d, a, b, rules);
  const smin = a.smin + b.smin;
  const smax = a.smax + b.smax;
  const signedFits = smin >= S64_MIN && smax <= S64_MAX;
  d.smin = signedFits ? smin : S64_MIN;
  d.smax = signedFits ? smax : S64_MAX;
  const minOver = a.umin + b.umin > U64_MAX;
  const maxOver = a.umax + b.umax > U64_MAX;
  const keeps = rules.wrappedSums ? minOver === maxOver : !minOver && !maxOver;
  d.umin = keeps ? u64(a.umin + b.umin) : 0n;
  d.umax = keeps ? u64(a.umax + b.umax) : U64_MAX;
  d.bits = tnumAdd(a.bits, b.bits);
}

function sumRanges32(d: Draft, a: Scalar, b: Scalar, rules: ArithmeticRules): void {
  const smin = a.s32min + b.s32min;
  const smax = a.s32max + b.s32max;
  const signedFits = smin >= S32_MIN && smax <= S32_MAX;
  d.s32min = signedFits ? smin : S32_MIN;
  d.s32max = signedFits ? smax : S32_MAX;
  const umin = a.u32min + b.u32min;
  const umax = a.u32max + b.u32max;
  const minOver = umin > U32_MAX;
  const maxOver = umax > U32_MAX;
  const keeps = rules.wrappedSums ? minOver === maxOver : !minOver && !maxOver;
  d.u32min = keeps ? umin >>> 0 : 0;
  d.u32max = keeps ? umax >>> 0 : U32_MAX;
}

/** Subtracts ranges and bits of all widths (scalar_min_max_sub and scalar32_min_max_sub). */
export function difference(d: Draft, a: Scalar, b: Scalar, rules: ArithmeticRules): void {
  const s32min = a.s32min - b.s32max;
  const s32max = a.s32max - b.s32min;
  const fits32 = s32min >= S32_MIN && s32max <= S32_MAX;
  d.s32min = fits32 ? s32min : S32_MIN;
  d.s32max = fits32 ? s32max : S32_MAX;
  const u32min = a.u32min - b.u32max;
  const u32max = a.u32max - b.u32min;
  const keeps32 = u32min >= 0 || (rules.wrappedSums && u32max < 0);
  d.u32min = keeps32 ? u32min >>> 0 : 0;
  d.u32max = keeps32 ? u32max >>> 0 : U32_MAX;

  const smin = a.smin - b.smax;
  const smax = a.smax - b.smin;
  const fits = smin >= S64_MIN && smax <= S64_MAX;
  d.smin = fits ? smin : S64_MIN;
  d.smax = fits ? smax : S64_MAX;
  const umin = a.umin - b.umax;
  const umax = a.umax - b.umin;
  const keeps = umin >= 0n || (rules.wrappedSums && umax < 0n);
  d.umin = keeps ? u64(umin) : 0n;
  d.umax = keeps ? u64(umax) : U64_MAX;
  d.bits = tnumSub(a.bits, b.bits);
}

function product(d: Draft, a: Scalar, b: Scalar, rules: ArithmeticRules): void {
  d.bits = tnumMul(a.bits, b.bits);
  if (rules.signedProducts) {
    const corners32 = [a.s32min * b.s32min, a.s32min * b.s32max, a.s32max * b.s32min, a.s32max * b.s32max];
    const min32 = Math.min(...corners32);
    const max32 = Math.max(...corners32);
    const fits32 = min32 >= S32_MIN && max32 <= S32_MAX;
    d.s32min = fits32 ? min32 : S32_MIN;
    d.s32max = fits32 ? max32 : S32_MAX;
    const top32 = a.u32max * b.u32max;
    d.u32min = top32 <= U32_MAX ? a.u32min * b.u32min : 0;
    d.u32max = top32 <= U32_MAX ? top32 : U32_MAX;
    const corners = [a.smin * b.smin, a.smin * b.smax, a.smax * b.smin, a.smax * b.smax];
    const min = corners.reduce(bigMin);
    const max = corners.reduce(bigMax);
    const fits = min >= S64_MIN && max <= S64_MAX;
    d.smin = fits ? min : S64_MIN;
    d.smax = fits ? max : S64_MAX;
    const top = a.umax * b.umax;
    d.umin = top <= U64_MAX ? a.umin * b.umin : 0n;
    d.umax = top <= U64_MAX ? top : U64_MAX;
    return;
  }
  if (a.s32min < 0 || b.s32min < 0 || a.u32max > 0xffff || b.u32max > 0xffff) {
    unbound32(d);
  } else {
    d.u32min = a.u32min * b.u32min;
    d.u32max = a.u32max * b.u32max;
    const positive = d.u32max <= S32_MAX;
    d.s32min = positive ? d.u32min : S32_MIN;
    d.s32max = positive ? d.u32max : S32_MAX;
  }
  if (a.smin < 0n || b.smin < 0n || a.umax > 0xffff_ffffn || b.umax > 0xffff_ffffn) {
    unbound64(d);
  } else {
    d.umin = a.umin * b.umin;
    d.umax = a.umax * b.umax;
    const positive = d.umax <= S64_MAX;
    d.smin = positive ? d.umin : S64_MIN;
    d.smax = positive ? d.umax : S64_MAX;
  }
}

/** The ends of ranges that the operands of a bitwise operation determine; the others come from its bits. */
interface KnownEnds {
  readonly umin?: bigint;
  readonly umax?: bigint;
  readonly u32min?: number;
  readonly u32max?: number;
}

/** Ranges of AND, OR and XOR, whose bits are in `d` already. */
function bitwiseRange(d: Draft, a: Scalar, b: Scalar, rules: DeductionRules, ends: KnownEnds): void {
  const low = tnumLow32(d.bits);
  if (isConst32(a) && isConst32(b)) {
    const value = low32s(low.value);
    d.s32min = d.s32max = value;
    d.u32min = d.u32max = value >>> 0;
  } else {
    d.u32min = ends.u32min ?? Number(low.value);
    d.u32max = ends.u32max ?? Number(low.value | low.mask);
    const proper = (d.u32min | 0) <= (d.u32max | 0);
    d.s32min = proper ? d.u32min | 0 : S32_MIN;
    d.s32max = proper ? d.u32max | 0 : S32_MAX;
  }
  if (isConst(a) && isConst(b)) {
    Object.assign(d, known(d.bits.value));
    return;
  }
  d.umin = ends.umin ?? d.bits.value;
  d.umax = ends.umax ?? d.bits.value | d.bits.mask;
  const proper = s64(d.umin) <= s64(d.umax);
  d.smin = proper ? s64(d.umin) : S64_MIN;
  d.smax = proper ? s64(d.umax) : S64_MAX;
  learnFromBits(d, rules);
}

function leftShiftRanges32(d: Draft, by: number): void {
  d.s32min = S32_MIN;
  d.s32max = S32_MAX;
  // a top bit may fall out: nothing is known
  if (by > 31 || d.u32max > 2 ** (31 - by)) {
    d.u32min = 0;
    d.u32max = U32_MAX;
  } else {
    d.u32min = (d.u32min << by) >>> 0;
    d.u32max = (d.u32max << by) >>> 0;
  }
}

function leftShift32(d: Draft, by: number): void {
  const low = tnumLow32(d.bits);
  leftShiftRanges32(d, by);
  rebuildFromLow(d, tnumLow32(tnumLsh(low, by)));
}

/** After a 32-bit shift only the low half counts; the whole is found again from bits and zero extension. */
function rebuildFromLow(d: Draft, bits: Tnum): void {
  d.bits = bits;
  unbound64(d);
  learn32FromBits(d);
}

function leftShift64(d: Draft, by: number, rules: DeductionRules): void {
  // << 32 of a low half with known sign, as in a sign extension by two shifts
  d.smax = by === 32 && d.s32max >= 0 ? BigInt(d.s32max) << 32n : S64_MAX;
  d.smin = by === 32 && d.s32min >= 0 ? BigInt(d.s32min) << 32n : S64_MIN;
  if (d.umax > 1n << BigInt(63 - by)) {
    d.umin = 0n;
    d.umax = U64_MAX;
  } else {
    d.umin <<= BigInt(by);
    d.umax <<= BigInt(by);
  }
  leftShiftRanges32(d, by);
  d.bits = tnumLsh(d.bits, by);
  learnFromBits(d, rules);
}

function rightShift32(d: Draft, by: number): void {
  d.s32min = S32_MIN;
  d.s32max = S32_MAX;
  d.u32min >>>= by;
  d.u32max >>>= by;
  rebuildFromLow(d, tnumRsh(tnumLow32(d.bits), by));
}

function rightShift64(d: Draft, by: number, rules: DeductionRules): void {
  d.smin = S64_MIN;
  d.smax = S64_MAX;
  d.bits = tnumRsh(d.bits, by);
  d.umin >>= BigInt(by);
  d.umax >>= BigInt(by);
  unbound32(d);
  learnFromBits(d, rules);
}

function arithmeticShift32(d: Draft, by: number): void {
  d.s32min >>= by;
  d.s32max >>= by;
  d.u32min = 0;
  d.u32max = U32_MAX;
  rebuildFromLow(d, tnumArsh(tnumLow32(d.bits), by, 32));
}

function arithmeticShift64(d: Draft, by: number, rules: DeductionRules): void {
  d.smin >>= BigInt(by);
  d.smax >>= BigInt(by);
  d.bits = tnumArsh(d.bits, by, 64);
  d.umin = 0n;
  d.umax = U64_MAX;
  unbound32(d);
  learnFromBits(d, rules);
}

/** Quotient or remainder by a constant divisor; an unknown divisor leaves nothing known. */
function quotient(
  op: number,
  is32: boolean,
  a: Scalar,
  b: Scalar,
  signed: boolean,
  rules: ArithmeticRules,
): Scalar {
  if (!(is32 ? isConst32(b) : isConst(b))) return UNKNOWN;
  const width = is32 ? 32 : 64;
  const divisor = signed ? BigInt.asIntN(width, b.bits.value) : BigInt.asUintN(width, b.bits.value);
  const divides = op === BPF_ALU_OP.DIV;
  if (divisor === 0n && divides) return known(0n);
  const d: Draft = { ...a };
  const [min, max] = ends(is32, signed, a);
  // x % 0 is x
  const range = divides
    ? quotientRange(min, max, divisor, width)
    : divisor === 0n
      ? undefined
      : remainderRange(min, max, divisor);
  if (range) {
    Object.assign(d, UNKNOWN);
    setEnds(d, is32, signed, range);
  }
  if (is32) zeroExtend32(d);
  return sync(d, rules);
}

function ends(is32: boolean, signed: boolean, a: Scalar): [bigint, bigint] {
  if (signed) return is32 ? [BigInt(a.s32min), BigInt(a.s32max)] : [a.smin, a.smax];
  return is32 ? [BigInt(a.u32min), BigInt(a.u32max)] : [a.umin, a.umax];
}

function setEnds(d: Draft, is32: boolean, signed: boolean, [min, max]: [bigint, bigint]): void {
  if (signed && is32) {
    d.s32min = Number(min);
    d.s32max = Number(max);
  } else if (signed) {
    d.smin = min;
    d.smax = max;
  } else if (is32) {
    d.u32min = Number(min);
    d.u32max = Number(max);
  } else {
    d.umin = min;
    d.umax = max;
  }
}

function quotientRange(min: bigint, max: bigint, divisor: bigint, width: number): [bigint, bigint] {
  const least = -(1n << BigInt(width - 1));
  // the one quotient that does not fit is the least number itself
  if (divisor === -1n && min === least) return max === least ? [least, least] : [least, -least - 1n];
  const [a, b] = [min / divisor, max / divisor];
  return [bigMin(a, b), bigMax(a, b)];
}

/** undefined when every value is its own remainder */
function remainderRange(min: bigint, max: bigint, divisor: bigint): [bigint, bigint] | undefined {
  const most = (divisor < 0n ? -divisor : divisor) - 1n;
  if (min >= -most && max <= most) return undefined;
  if (min >= 0n) return [0n, bigMin(max, most)];
  return max <= 0n ? [bigMax(min, -most), 0n] : [-most, most];
}
