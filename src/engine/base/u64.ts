/** Helpers for 64-bit values, which are `bigint` at every interface outside the machine core. */

/** The value modulo 2^64, as unsigned. */
export const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
/** The low 64 bits read as two's complement. */
export const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
/** The low 32 bits, as unsigned. */
export const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
/** The low 32 bits, sign-extended to 64 and given as unsigned 64-bit. */
export const sext32 = (value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(32, value));

/** `value` rounded up to a multiple of `to`, a power of two or any positive number. */
export const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;
/** As {@link roundUp}, for addresses; `to` must be a power of two. */
export const alignUp = (value: bigint, to: bigint): bigint => (value + to - 1n) & ~(to - 1n);
