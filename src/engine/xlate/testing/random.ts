import type { Random } from '../../base/testing/random';

const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0x7fffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 63n,
];

/** 64 bits, often near the edges where carries, signs and widths change. */
export function random64(random: Random): bigint {
  const any = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  const value = random.below(3) === 0 ? any : random.pick(EDGES) + BigInt(random.below(5)) - 2n;
  return BigInt.asUintN(64, random.below(4) === 0 ? -value : value);
}
