import { minus } from '../errno';
import { ETH_HLEN, SkBuff } from '../sk-buff';
import { int, uint, type Helper, type HelperTable, type HelperWorld } from './call';

const INT_MAX = 0x7fffffff;
const F_RECOMPUTE_CSUM = 1n;
const F_INVALIDATE_HASH = 2n;
/** Classic BPF's negative offsets: from the network header, from the link-layer header. */
const SKF_NET_OFF = -0x100000;
const SKF_LL_OFF = -0x200000;
const PACKET_OTHERHOST = 3;
/** Largest packet that bpf_skb_change_tail() makes: link MTU and header (BPF_SKB_MAX_LEN for lo). */
const SKB_MAX_LEN = 65536 + ETH_HLEN;

const loadBytes = (
  { env }: HelperWorld,
  from: bigint,
  available: number,
  offset: number,
  target: bigint,
  length: number,
): bigint => {
  const fits = offset <= INT_MAX && offset + length <= available;
  env.memory.write(target, fits ? env.memory.read(from + BigInt(offset), length) : new Uint8Array(length));
  return fits ? 0n : minus('EFAULT');
};

/** Loads of ld_abs and ld_ind: a big-endian value of `size` bytes, or -EFAULT. */
const loadBigEndian =
  (size: 1 | 2 | 4): Helper =>
  ({ env }, [address, at]) => {
    const skb = new SkBuff(env, address);
    const offset = int(at);
    const start =
      offset >= 0
        ? skb.data + BigInt(offset)
        : offset >= SKF_NET_OFF
          ? skb.head + skb.get('network_header') + BigInt(offset - SKF_NET_OFF)
          : offset >= SKF_LL_OFF
            ? skb.head + skb.get('mac_header') + BigInt(offset - SKF_LL_OFF)
            : 0n;
    const first = offset >= 0 ? skb.data : skb.head;
    if (start < first || start + BigInt(size) > skb.head + skb.get('tail')) return minus('EFAULT');
    return env.memory.read(start, size).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  };

/** sk_buff access (net/core/filter.c); data is always linear here. */
export const SKB_HELPERS: HelperTable = {
  bpf_skb_load_bytes: (world, [address, offset, target, length]) => {
    const skb = new SkBuff(world.env, address);
    return loadBytes(world, skb.data, skb.len, uint(offset), target, uint(length));
  },

  bpf_skb_load_bytes_relative: (world, [address, offset, target, length, header]) => {
    const skb = new SkBuff(world.env, address);
    if (header > 1n) {
      world.env.memory.write(target, new Uint8Array(uint(length)));
      return minus('EFAULT');
    }
    const start = skb.head + skb.get(header === 0n ? 'mac_header' : 'network_header');
    const available = Number(skb.head + skb.get('tail') - start);
    return loadBytes(world, start, available, uint(offset), target, uint(length));
  },

  bpf_skb_store_bytes: ({ env }, [address, offset, source, length, flags]) => {
    if ((flags & ~(F_RECOMPUTE_CSUM | F_INVALIDATE_HASH)) !== 0n) return minus('EINVAL');
    const skb = new SkBuff(env, address);
    const [at, bytes] = [uint(offset), uint(length)];
    if (at > INT_MAX || at + bytes > skb.len) return minus('EFAULT');
    env.memory.write(skb.data + BigInt(at), env.memory.read(source, bytes));
    if ((flags & F_INVALIDATE_HASH) !== 0n) skb.set('hash', 0);
    return 0n;
  },

  bpf_skb_pull_data: ({ env }, [address, length]) => {
    const skb = new SkBuff(env, address);
    skb.computeDataPointers();
    return uint(length) > skb.len ? minus('ENOMEM') : 0n;
  },

  bpf_skb_change_type: ({ env }, [address, type]) => {
    const skb = new SkBuff(env, address);
    const flags = skb.getNumber('pkt_type');
    if ((flags & 7) > PACKET_OTHERHOST || uint(type) > PACKET_OTHERHOST) return minus('EINVAL');
    skb.set('pkt_type', (flags & ~7) | uint(type));
    return 0n;
  },

  /** Grows by zeros or cuts. The data area of a test packet takes what its allocation was rounded up to; beyond it -ENOMEM. */
  bpf_skb_change_tail: ({ env }, [address, length, flags]) => {
    const skb = new SkBuff(env, address);
    const wanted = uint(length);
    const least = Number(skb.head + skb.get('network_header') - skb.data);
    if (flags !== 0n || wanted > SKB_MAX_LEN || wanted < least) return minus('EINVAL');
    const more = wanted - skb.len;
    if (more > skb.tailroom) return minus('ENOMEM');
    if (more > 0) env.memory.write(skb.head + skb.get('tail'), new Uint8Array(more));
    skb.setLength(wanted);
    skb.computeDataPointers();
    return 0n;
  },

  bpf_set_hash: ({ env }, [address, hash]) => {
    new SkBuff(env, address).set('hash', uint(hash));
    return 0n;
  },
  bpf_set_hash_invalid: ({ env }, [address]) => {
    new SkBuff(env, address).set('hash', 0);
    return 0n;
  },

  bpf_skb_load_helper_8_no_cache: loadBigEndian(1),
  bpf_skb_load_helper_16_no_cache: loadBigEndian(2),
  bpf_skb_load_helper_32_no_cache: loadBigEndian(4),
};
