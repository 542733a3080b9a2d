import type { KernelVersion } from '../../profile/profile';
import { minus } from '../errno';
import { SkBuff } from '../sk-buff';
import { uint, type Helper, type HelperTable } from './call';

/**
 * Internet checksums as the kernel counts them: 32-bit one's complement sums over little-endian halfwords of network-order data
 * (include/net/checksum.h).
 */
const add32 = (a: number, b: number): number => {
  const sum = (a >>> 0) + (b >>> 0);
  return sum > 0xffffffff ? (sum + 1) >>> 0 : sum >>> 0;
};
const not32 = (a: number): number => ~a >>> 0;
/** Folds 32 bits to 16 without complementing (csum_from32to16()). */
const fold16 = (sum: number): number => {
  const once = (sum & 0xffff) + (sum >>> 16);
  return ((once & 0xffff) + (once >>> 16)) & 0xffff;
};
/** Folds and complements (csum_fold()). */
const fold = (sum: number): number => ~fold16(sum) & 0xffff;

/** csum_partial(): the folded sum of the bytes, added to the seed. */
function partial(bytes: Uint8Array, seed: number): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! | ((bytes[i + 1] ?? 0) << 8);
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return add32(folded, seed);
}

/** A checksum field with the value `from` in the covered data replaced by `to` (csum_replace4()). */
const replace4 = (check: number, from: number, to: number): number =>
  fold(add32(add32(~check & 0xffff, not32(from)), to));
const replaceByDifference = (check: number, difference: number): number =>
  fold(add32(difference, ~check & 0xffff));

/** Kernels whose bpf_csum_diff() folds its result to 16 bits on every architecture. */
const FOLDED_DIFFERENCE: ReadonlySet<KernelVersion> = new Set(['7.2', '7.3']);
/** Bytes that fit the scratch buffer of the others (MAX_BPF_STACK). */
const DIFFERENCE_LIMIT = 512;

const HDR_FIELD_MASK = 0xfn;
const F_PSEUDO_HDR = 0x10n;
const F_MARK_MANGLED_0 = 0x20n;
const F_MARK_ENFORCE = 0x40n;
const F_IPV6 = 0x80n;
const MANGLED_0 = 0xffff;

/** Address of the 16-bit checksum at `offset` of the packet; undefined when it is not there or odd. */
function checkAddress(skb: SkBuff, offset: bigint): bigint | undefined {
  const at = uint(offset);
  return at > 0xffff || at % 2 !== 0 || at + 2 > skb.len ? undefined : skb.data + BigInt(at);
}

/** The new checksum for the size in the low bits of flags: 0 = `to` is a difference, 2 or 4 = bytes of the value replaced. */
function replaced(check: number, from: bigint, to: bigint, flags: bigint): number | undefined {
  switch (flags & HDR_FIELD_MASK) {
    case 0n:
      return from === 0n ? replaceByDifference(check, uint(to)) : undefined;
    case 2n:
      return replace4(check, uint(from) & 0xffff, uint(to) & 0xffff);
    case 4n:
      return replace4(check, uint(from), uint(to));
    default:
      return undefined;
  }
}

const replaceL3: Helper = ({ env }, [address, offset, from, to, flags]) => {
  if ((flags & ~HDR_FIELD_MASK) !== 0n) return minus('EINVAL');
  const at = checkAddress(new SkBuff(env, address), offset);
  if (at === undefined) return minus('EFAULT');
  const check = replaced(env.memory.readU16(at), from, to, flags);
  if (check === undefined) return minus('EINVAL');
  env.memory.writeU16(at, check);
  return 0n;
};

const replaceL4: Helper = ({ env }, [address, offset, from, to, flags]) => {
  if ((flags & ~(HDR_FIELD_MASK | F_PSEUDO_HDR | F_MARK_MANGLED_0 | F_MARK_ENFORCE | F_IPV6)) !== 0n)
    return minus('EINVAL');
  const at = checkAddress(new SkBuff(env, address), offset);
  if (at === undefined) return minus('EFAULT');
  const old = env.memory.readU16(at);
  // UDP over IPv4: 0 means that there is no checksum.
  const zeroMeansNone = (flags & F_MARK_MANGLED_0) !== 0n;
  if (zeroMeansNone && (flags & F_MARK_ENFORCE) === 0n && old === 0) return 0n;
  const check = replaced(old, from, to, flags);
  if (check === undefined) return minus('EINVAL');
  env.memory.writeU16(at, zeroMeansNone && check === 0 ? MANGLED_0 : check);
  return 0n;
};

const difference: Helper = ({ env }, [from, fromSize, to, toSize, seed]) => {
  const [a, b] = [uint(fromSize), uint(toSize)];
  if ((a | b) % 4 !== 0) return minus('EINVAL');
  const { memory, profile } = env;
  const removed = a > 0 ? memory.read(from, a).map((byte) => ~byte) : new Uint8Array(0);
  const added = b > 0 ? memory.read(to, b) : new Uint8Array(0);
  if (!FOLDED_DIFFERENCE.has(profile.kernel)) {
    if (a + b > DIFFERENCE_LIMIT) return minus('EINVAL');
    const both = new Uint8Array(a + b);
    both.set(removed);
    both.set(added, a);
    return BigInt(partial(both, uint(seed)));
  }
  if (a > 0 && b > 0)
    return BigInt(fold16(add32(partial(added, uint(seed)), not32(partial(memory.read(from, a), 0)))));
  if (b > 0) return BigInt(fold16(partial(added, uint(seed))));
  if (a > 0) return BigInt(fold16(not32(partial(memory.read(from, a), not32(uint(seed))))));
  return BigInt(fold16(uint(seed)));
};

/** Checksum helpers (net/core/filter.c). */
export const CHECKSUM_HELPERS: HelperTable = {
  bpf_l3_csum_replace: replaceL3,
  bpf_l4_csum_replace: replaceL4,
  bpf_csum_diff: difference,
  /** Only a packet with CHECKSUM_COMPLETE has a sum to update; those of a test run have none. */
  bpf_csum_update: () => minus('ENOTSUPP'),
};
