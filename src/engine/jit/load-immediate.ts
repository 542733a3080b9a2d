import { type Emitter, isSimm12 } from './emit';
import { RV } from './registers';

/** Trailing zero bits of a nonzero 32-bit pattern. */
const trailingZeros = (bits: number): number => 31 - Math.clz32(bits & -bits);

/**
 * Loads a constant of 32 bits, sign-extended to 64 (spec 6.2, the short arm of `emit_imm`).
 * @param value a signed 32-bit number
 */
export function emitImm32(e: Emitter, rd: number, value: number): void {
  const low = (value << 20) >> 20;
  // Not `(value + 2048) >> 12`: the sum may leave 32 bits, and then the kernel's 64-bit sum is 0x80000 and not negative.
  const upper = Math.floor((value + 2048) / 4096);
  if (upper === 0) {
    e.li(rd, low);
    return;
  }
  e.lui(rd, upper);
  e.addiw(rd, rd, low);
}

/**
 * Loads any 64-bit constant (`emit_imm`): the upper part without its trailing zeros first, then shifted into place and
 * the low 12 bits added.
 * @param high @param low the two halves as signed 32-bit numbers
 */
export function emitImm64(e: Emitter, rd: number, high: number, low: number): void {
  if (high === low >> 31) {
    emitImm32(e, rd, low);
    return;
  }
  const lower = (low << 20) >> 20;
  // upper = (value + 2048) >> 12, in 64 bits with wrap-around
  const sumLow = (low + 2048) | 0;
  const carry = low >>> 0 > sumLow >>> 0 ? 1 : 0;
  const sumHigh = (high + carry) | 0;
  let upperLow = (sumLow >>> 12) | (sumHigh << 20);
  let upperHigh = sumHigh >> 12;

  const shift = upperLow !== 0 ? trailingZeros(upperLow) : 32 + trailingZeros(upperHigh);
  if (shift >= 32) {
    upperLow = upperHigh >> (shift - 32);
    upperHigh >>= 31;
  } else if (shift > 0) {
    upperLow = (upperLow >>> shift) | (upperHigh << (32 - shift));
    upperHigh >>= shift;
  }
  emitImm64(e, rd, upperHigh, upperLow);
  e.slli(rd, rd, shift + 12);
  if (lower !== 0) e.addi(rd, rd, lower);
}

/** As {@link emitImm64} for a 64-bit value, taken modulo 2^64. */
export function emitImmBig(e: Emitter, rd: number, value: bigint): void {
  emitImm64(e, rd, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
}

/** Adds the constant `value` to `rs`, by way of t1 where it does not fit an immediate. */
export function emitAddImm(e: Emitter, rd: number, rs: number, value: number): void {
  if (isSimm12(value)) {
    e.addi(rd, rs, value);
  } else {
    emitImm32(e, RV.t1, value);
    e.add(rd, RV.t1, rs);
  }
}
