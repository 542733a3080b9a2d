import { u64 } from '../../base/u64';

/**
 * A "tristate number": what is known of each bit of a 64-bit value. Bits set in `mask` are unknown; the others have the
 * value of that bit of `value`, which is 0 where the mask is 1. Both unsigned. (kernel: struct tnum)
 */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const LOW32 = 0xffff_ffffn;

export const TNUM_UNKNOWN: Tnum = { value: 0n, mask: U64_MAX };

export const tnumConst = (value: bigint): Tnum => ({ value: u64(value), mask: 0n });
export const tnumIsConst = (t: Tnum): boolean => t.mask === 0n;
export const tnumEqual = (a: Tnum, b: Tnum): boolean => a.value === b.value && a.mask === b.mask;

/** Number of bits up to and including the highest set one; 0 for 0. */
const bitLength = (x: bigint): number => (x === 0n ? 0 : x.toString(2).length);

/** The tightest tnum that holds every unsigned value from `min` to `max`. */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const low = u64(min);
  const bits = bitLength(low ^ u64(max));
  if (bits > 63) return TNUM_UNKNOWN;
  const free = (1n << BigInt(bits)) - 1n;
  return { value: low & ~free, mask: free };
}

export const tnumLsh = (t: Tnum, shift: number): Tnum => ({
  value: u64(t.value << BigInt(shift)),
  mask: u64(t.mask << BigInt(shift)),
});
export const tnumRsh = (t: Tnum, shift: number): Tnum => ({
  value: t.value >> BigInt(shift),
  mask: t.mask >> BigInt(shift),
});
/** Arithmetic shift right of a value of `bits` (32 or 64) bits; an unknown sign bit spreads as unknown. */
export function tnumArsh(t: Tnum, shift: number, bits: 32 | 64): Tnum {
  const by = BigInt(shift);
  return {
    value: BigInt.asUintN(bits, BigInt.asIntN(bits, t.value) >> by),
    mask: BigInt.asUintN(bits, BigInt.asIntN(bits, t.mask) >> by),
  };
}

export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const unknown = u64(a.mask + b.mask);
  const value = u64(a.value + b.value);
  // bits that differ between the sum with all unknown bits 0 and all 1 may have received a carry
  const mask = (u64(unknown + value) ^ value) | a.mask | b.mask;
  return { value: value & ~mask, mask };
}

export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const value = u64(a.value - b.value);
  const mask = (u64(value + a.mask) ^ u64(value - b.mask)) | a.mask | b.mask;
  return { value: value & ~mask, mask };
}

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  return { value, mask: (a.value | a.mask) & (b.value | b.mask) & ~value };
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return { value, mask: (a.mask | b.mask) & ~value };
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask;
  return { value: (a.value ^ b.value) & ~mask, mask };
}

/** Long multiplication: known bits of the product of the known parts, plus what each unknown bit may add. */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  const known = u64(a.value * b.value);
  let uncertain: Tnum = { value: 0n, mask: 0n };
  let { value, mask } = a;
  let row = b;
  while (value !== 0n || mask !== 0n) {
    if ((value & 1n) !== 0n) uncertain = tnumAdd(uncertain, { value: 0n, mask: row.mask });
    else if ((mask & 1n) !== 0n) uncertain = tnumAdd(uncertain, { value: 0n, mask: row.value | row.mask });
    value >>= 1n;
    mask >>= 1n;
    row = tnumLsh(row, 1);
  }
  return tnumAdd(tnumConst(known), uncertain);
}

/** What both say; where they contradict each other on a known bit the result is meaningless, as in the kernel. */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask & b.mask;
  return { value: (a.value | b.value) & ~mask, mask };
}

/** The low `size` bytes, the rest known 0. */
export function tnumCast(t: Tnum, size: number): Tnum {
  const keep = (1n << BigInt(size * 8)) - 1n;
  return { value: t.value & keep, mask: t.mask & keep };
}

/** Whether every value of the tnum is a multiple of `size`, a power of two. */
export const tnumIsAligned = (t: Tnum, size: number): boolean =>
  size === 0 || ((t.value | t.mask) & BigInt(size - 1)) === 0n;

/** Whether every value of `b` is a value of `a`. */
export const tnumIn = (a: Tnum, b: Tnum): boolean =>
  (b.mask & ~a.mask) === 0n && a.value === (b.value & ~a.mask);

/** Whether a value exists that both allow. */
export const tnumOverlap = (a: Tnum, b: Tnum): boolean => ((a.value ^ b.value) & ~(a.mask | b.mask)) === 0n;

export const tnumLow32 = (t: Tnum): Tnum => ({ value: t.value & LOW32, mask: t.mask & LOW32 });
export const tnumHigh32 = (t: Tnum): Tnum => ({ value: t.value & ~LOW32, mask: t.mask & ~LOW32 });
/** The upper half of `t` with the lower half of `low`. */
export const tnumWithLow32 = (t: Tnum, low: Tnum): Tnum => tnumOr(tnumHigh32(t), tnumLow32(low));

/** The smallest value of the tnum above `z`; the largest value of the tnum when there is none (tnum_step). */
export function tnumNext(t: Tnum, z: bigint): bigint {
  const { value, mask } = t;
  const largest = value | mask;
  if (z >= largest) return largest;
  const differing = bitLength((z & ~mask) ^ value);
  const low = (1n << BigInt(differing)) - 1n;
  // the highest known bit that is wrong must be set: below it everything is as small as it can be
  if (differing > 0 && (value >> BigInt(differing - 1)) & 1n) return (z & ~low & U64_MAX) | (value & low);
  // otherwise count the unknown bits above it up by one
  const counted = u64(((z & mask) | (U64_MAX & ~mask) | low) + 1n) & mask;
  return value | counted;
}
