import { s64, u64 } from '../../base/u64';
import {
  TNUM_UNKNOWN,
  tnumCast,
  tnumConst,
  tnumEqual,
  tnumHigh32,
  tnumIn,
  tnumIntersect,
  tnumIsConst,
  tnumLow32,
  tnumNext,
  tnumOr,
  tnumRange,
  type Tnum,
} from './tnum';

/**
 * What is known of a 64-bit number: bits, and ranges as signed and unsigned, of all 64 and of the low 32 bits (the value
 * part of the kernel's struct bpf_reg_state). For a pointer it describes the variable part of its offset.
 */
export interface Scalar {
  readonly bits: Tnum;
  readonly smin: bigint;
  readonly smax: bigint;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly s32min: number;
  readonly s32max: number;
  readonly u32min: number;
  readonly u32max: number;
}

/** A scalar that is being worked on. */
export type Draft = { -readonly [K in keyof Scalar]: Scalar[K] };

export const S64_MIN = -(1n << 63n);
export const S64_MAX = (1n << 63n) - 1n;
export const U64_MAX = (1n << 64n) - 1n;
export const S32_MIN = -0x8000_0000;
export const S32_MAX = 0x7fff_ffff;
export const U32_MAX = 0xffff_ffff;
const HIGH32 = 0xffff_ffff_0000_0000n;

export const UNKNOWN: Scalar = {
  bits: TNUM_UNKNOWN,
  smin: S64_MIN,
  smax: S64_MAX,
  umin: 0n,
  umax: U64_MAX,
  s32min: S32_MIN,
  s32max: S32_MAX,
  u32min: 0,
  u32max: U32_MAX,
};

/** The number itself; any bigint, taken modulo 2^64. */
export function known(value: bigint): Scalar {
  const unsigned = u64(value);
  const signed = s64(value);
  const low = Number(unsigned & 0xffff_ffffn);
  return {
    bits: { value: unsigned, mask: 0n },
    smin: signed,
    smax: signed,
    umin: unsigned,
    umax: unsigned,
    s32min: low | 0,
    s32max: low | 0,
    u32min: low,
    u32max: low,
  };
}

export const ZERO = known(0n);

export const isConst = (s: Scalar): boolean => tnumIsConst(s.bits);
export const isConst32 = (s: Scalar): boolean => tnumIsConst(tnumLow32(s.bits));

/** `BigInt.asIntN(32)` as a number. */
export const low32s = (value: bigint): number => Number(BigInt.asIntN(32, value));
/** `BigInt.asUintN(32)` as a number. */
export const low32u = (value: bigint): number => Number(BigInt.asUintN(32, value));

export const bigMin = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const bigMax = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Whether two scalars are known to the same extent. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  return (
    a === b ||
    (tnumEqual(a.bits, b.bits) &&
      a.smin === b.smin &&
      a.smax === b.smax &&
      a.umin === b.umin &&
      a.umax === b.umax &&
      a.s32min === b.s32min &&
      a.s32max === b.s32max &&
      a.u32min === b.u32min &&
      a.u32max === b.u32max)
  );
}

/** Whether everything `inner` may be is also allowed by `outer` (range_within and tnum_in). */
export function scalarWithin(outer: Scalar, inner: Scalar): boolean {
  return (
    outer.umin <= inner.umin &&
    outer.umax >= inner.umax &&
    outer.smin <= inner.smin &&
    outer.smax >= inner.smax &&
    outer.u32min <= inner.u32min &&
    outer.u32max >= inner.u32max &&
    outer.s32min <= inner.s32min &&
    outer.s32max >= inner.s32max &&
    tnumIn(outer.bits, inner.bits)
  );
}

/** Forgets the ranges of the low half. */
export function unbound32(d: Draft): void {
  d.s32min = S32_MIN;
  d.s32max = S32_MAX;
  d.u32min = 0;
  d.u32max = U32_MAX;
}

/** Forgets the ranges of the whole. */
export function unbound64(d: Draft): void {
  d.smin = S64_MIN;
  d.smax = S64_MAX;
  d.umin = 0n;
  d.umax = U64_MAX;
}

/** What the bits say of the ranges of the low half (__update_reg32_bounds). */
export function learn32FromBits(d: Draft): void {
  const value = low32u(d.bits.value);
  const mask = low32u(d.bits.mask);
  d.s32min = Math.max(d.s32min, value | (mask & S32_MIN));
  d.s32max = Math.min(d.s32max, value | (mask & S32_MAX));
  d.u32min = Math.max(d.u32min, value);
  d.u32max = Math.min(d.u32max, (value | mask) >>> 0);
}

function learn64FromBits(d: Draft, rules: DeductionRules): void {
  const { value, mask } = d.bits;
  d.smin = bigMax(d.smin, s64(value | (mask & (1n << 63n))));
  d.smax = bigMin(d.smax, s64(value | (mask & S64_MAX)));
  d.umin = bigMax(d.umin, value);
  d.umax = bigMin(d.umax, value | mask);
  if (!rules.singleValues) return;
  // one value only may be allowed by both the bits and the range
  const next = tnumNext(d.bits, d.umin);
  const minIsAllowed = (d.umin & ~mask) === value;
  const only = minIsAllowed
    ? next > d.umax
      ? d.umin
      : undefined
    : next === (value | mask)
      ? next
      : next <= d.umax && tnumNext(d.bits, next) > d.umax
        ? next
        : undefined;
  if (only !== undefined) Object.assign(d, known(only));
}

/** What the bits say of all ranges (__update_reg_bounds). */
export function learnFromBits(d: Draft, rules: DeductionRules): void {
  learn32FromBits(d);
  learn64FromBits(d, rules);
}

/** The low half's ranges from those of the whole, and from each other (__reg32_deduce_bounds). */
function deduce32(d: Draft): void {
  const uminLow = low32u(d.umin);
  const umaxLow = low32u(d.umax);
  const sminLow = low32u(d.smin);
  const smaxLow = low32u(d.smax);
  if (d.umin >> 32n === d.umax >> 32n) {
    d.u32min = Math.max(d.u32min, uminLow);
    d.u32max = Math.min(d.u32max, umaxLow);
    if ((uminLow | 0) <= (umaxLow | 0)) clampS32(d, uminLow | 0, umaxLow | 0);
  }
  if (d.smin >> 32n === d.smax >> 32n) {
    if (sminLow <= smaxLow) {
      d.u32min = Math.max(d.u32min, sminLow);
      d.u32max = Math.min(d.u32max, smaxLow);
    }
    if ((sminLow | 0) <= (smaxLow | 0)) clampS32(d, sminLow | 0, smaxLow | 0);
  }
  // upper halves follow each other (…ffffffff to 0 included) while the lower ones go from negative to positive
  const follows = (a: bigint, b: bigint): boolean => low32u((a >> 32n) + 1n) === low32u(b >> 32n);
  if (follows(d.umin, d.umax) && (uminLow | 0) < 0 && (umaxLow | 0) >= 0)
    clampS32(d, uminLow | 0, umaxLow | 0);
  if (follows(d.smin, d.smax) && (sminLow | 0) < 0 && (smaxLow | 0) >= 0)
    clampS32(d, sminLow | 0, smaxLow | 0);
  if ((d.u32min | 0) <= (d.u32max | 0)) clampS32(d, d.u32min | 0, d.u32max | 0);
  if (d.s32min >>> 0 <= d.s32max >>> 0) {
    d.u32min = Math.max(d.s32min >>> 0, d.u32min);
    d.u32max = Math.min(d.s32max >>> 0, d.u32max);
  }
}

function clampS32(d: Draft, min: number, max: number): void {
  d.s32min = Math.max(d.s32min, min);
  d.s32max = Math.min(d.s32max, max);
}

/** Signed and unsigned ranges of the whole from each other (__reg64_deduce_bounds). */
function deduce64(d: Draft, acrossSign: boolean): void {
  if (s64(d.umin) <= s64(d.umax)) {
    d.smin = bigMax(s64(d.umin), d.smin);
    d.smax = bigMin(s64(d.umax), d.smax);
  }
  if (u64(d.smin) <= u64(d.smax)) {
    d.umin = bigMax(u64(d.smin), d.umin);
    d.umax = bigMin(u64(d.smax), d.umax);
  } else if (acrossSign) {
    // the signed range goes from negative to positive: as unsigned it is [0, smax] and [smin, 2^64-1]
    if (d.umax < u64(d.smin)) {
      d.smin = 0n;
      d.umax = bigMin(d.umax, u64(d.smax));
    } else if (u64(d.smax) < d.umin) {
      d.smax = -1n;
      d.umin = bigMax(d.umin, u64(d.smin));
    }
  }
}

/** Ranges of the whole from those of the low half (__reg_deduce_mixed_bounds). */
function deduceMixed(d: Draft): void {
  const join = (high: bigint, low: number): bigint => (high & HIGH32) | BigInt(low);
  const tighten = (low: number, high: number): void => {
    d.umin = bigMax(d.umin, join(d.umin, low));
    d.umax = bigMin(d.umax, join(d.umax, high));
    d.smin = bigMax(d.smin, s64(join(u64(d.smin), low)));
    d.smax = bigMin(d.smax, s64(join(u64(d.smax), high)));
  };
  tighten(d.u32min, d.u32max);
  if (d.s32min >>> 0 <= d.s32max >>> 0) tighten(d.s32min >>> 0, d.s32max >>> 0);
  // a sign-extended 32-bit value whose low half is not negative is that low half
  if (d.s32min >= 0 && d.smin >= BigInt(S32_MIN) && d.smax <= BigInt(S32_MAX)) {
    d.smin = BigInt(d.s32min);
    d.smax = BigInt(d.s32max);
    d.umin = d.smin;
    d.umax = d.smax;
    d.bits = tnumIntersect(d.bits, tnumRange(d.smin, d.smax));
  }
}

/** How thoroughly a kernel lets ranges and bits inform each other. */
export interface DeductionRules {
  /** Rounds of deduction between ranges. */
  readonly rounds: number;
  /** Ranges that cross the sign boundary are used too. */
  readonly acrossSign: boolean;
  /** A range and bits that have one value in common give that value. */
  readonly singleValues: boolean;
}

/** Lets bits and ranges tell each other what they know, in the kernel's order (reg_bounds_sync). */
export function sync(d: Draft, rules: DeductionRules): Scalar {
  // one number, known in every respect: nothing more to learn
  if (d.bits.mask === 0n && !isContradiction(d)) return d;
  learnFromBits(d, rules);
  for (let round = 0; round < rules.rounds; round++) {
    deduce32(d);
    deduce64(d, rules.acrossSign);
    deduceMixed(d);
  }
  const whole = tnumIntersect(d.bits, tnumRange(d.umin, d.umax));
  const low = tnumIntersect(tnumLow32(whole), tnumRange(BigInt(d.u32min), BigInt(d.u32max)));
  d.bits = tnumOr(tnumHigh32(whole), low);
  learnFromBits(d, rules);
  return d;
}

/** Whether ranges and bits contradict each other, so that no value is left (the conditions of reg_bounds_sanity_check). */
export function isContradiction(s: Scalar): boolean {
  if (s.umin > s.umax || s.smin > s.smax || s.u32min > s.u32max || s.s32min > s.s32max) return true;
  const { value, mask } = s.bits;
  if (mask === 0n && (s.umin !== value || s.umax !== value || s.smin !== s64(value) || s.smax !== s64(value)))
    return true;
  if ((mask & 0xffff_ffffn) !== 0n) return false;
  const low = low32u(value);
  return s.u32min !== low || s.u32max !== low || s.s32min !== (low | 0) || s.s32max !== (low | 0);
}

/** The value after its upper half was set to 0 (zext_32_to_64, without the closing {@link sync}). */
export function zeroExtend32(d: Draft): void {
  d.bits = tnumLow32(d.bits);
  d.umin = BigInt(d.u32min);
  d.umax = BigInt(d.u32max);
  const positive = d.s32min >= 0 && d.s32max >= 0;
  d.smin = positive ? BigInt(d.s32min) : 0n;
  d.smax = positive ? BigInt(d.s32max) : BigInt(U32_MAX);
}

/** The value after a load or cast to `size` bytes without sign (coerce_reg_to_size). */
export function truncate(s: Scalar, size: number, rules: DeductionRules): Scalar {
  const d: Draft = { ...s, bits: tnumCast(s.bits, size) };
  const mask = (1n << BigInt(size * 8)) - 1n;
  if ((d.umin & ~mask) === (d.umax & ~mask)) {
    d.umin &= mask;
    d.umax &= mask;
  } else {
    d.umin = 0n;
    d.umax = mask;
  }
  d.smin = d.umin;
  d.smax = d.umax;
  if (size < 4) unbound32(d);
  return sync(d, rules);
}

/** The value after sign extension from `size` bytes to 64 bits (coerce_reg_to_size_sx). */
export function signExtend64(s: Scalar, size: 1 | 2 | 4): Scalar {
  const width = size * 8;
  if (isConst(s)) return known(BigInt.asIntN(width, s.bits.value));
  const shift = BigInt(width);
  if (s.smax >> shift === s.smin >> shift) {
    const a = BigInt.asIntN(width, s.smax);
    const b = BigInt.asIntN(width, s.smin);
    const max = bigMax(a, b);
    const min = bigMin(a, b);
    if (max >= 0n === min >= 0n) {
      return {
        bits: tnumRange(min, max),
        smin: min,
        smax: max,
        umin: u64(min),
        umax: u64(max),
        s32min: low32s(min),
        s32max: low32s(max),
        u32min: low32u(min),
        u32max: low32u(max),
      };
    }
  }
  const top = 1n << BigInt(width - 1);
  return { ...UNKNOWN, smin: -top, smax: top - 1n, s32min: Number(-top), s32max: Number(top - 1n) };
}

/** The low half after sign extension from 1 or 2 bytes to 32 bits (coerce_subreg_to_size_sx); the upper half is left alone. */
export function signExtend32(s: Scalar, size: 1 | 2): Scalar {
  const width = size * 8;
  const extend = (value: number): number => (value << (32 - width)) >> (32 - width);
  const low = tnumLow32(s.bits);
  if (tnumIsConst(low)) {
    const value = extend(Number(low.value));
    return {
      ...s,
      bits: tnumConst(BigInt(value)),
      s32min: value,
      s32max: value,
      u32min: value >>> 0,
      u32max: value >>> 0,
    };
  }
  if (s.s32max >>> width === s.s32min >>> width) {
    const a = extend(s.s32max);
    const b = extend(s.s32min);
    const max = Math.max(a, b);
    const min = Math.min(a, b);
    if (max >= 0 === min >= 0) {
      const bits = tnumLow32(tnumRange(BigInt(min), BigInt(max)));
      return { ...s, bits, s32min: min, s32max: max, u32min: min >>> 0, u32max: max >>> 0 };
    }
  }
  const top = 1 << (width - 1);
  return { ...s, bits: tnumLow32(TNUM_UNKNOWN), s32min: -top, s32max: top - 1, u32min: 0, u32max: U32_MAX };
}
