import { ERRNO, minus } from '../errno';
import { ETH_HLEN } from '../sk-buff';
import { XDP_FRAME_BYTES, XdpBuff } from '../xdp-buff';
import { int, uint, type HelperTable } from './call';

const META_MAX = 255n;
const EACCES = 13n;

/** Where `length` bytes at `offset` lie, or a negative errno (bpf_xdp_pointer()). */
function packetRange(xdp: XdpBuff, offset: number, length: number): bigint | number {
  if (offset > 0xffff || length > 0xffff) return -ERRNO.EFAULT;
  if (offset + length > xdp.length) return -ERRNO.EINVAL;
  return xdp.data + BigInt(offset);
}

/** xdp_buff access (net/core/filter.c); one linear buffer. */
export const XDP_HELPERS: HelperTable = {
  bpf_xdp_adjust_head: ({ env }, [address, offset]) => {
    const xdp = new XdpBuff(env, address);
    const by = BigInt(int(offset));
    const metaLength = xdp.metaUnsupported ? 0n : xdp.data - xdp.dataMeta;
    const data = xdp.data + by;
    const first = xdp.hardStart + BigInt(XDP_FRAME_BYTES) + metaLength;
    if (data < first || data > xdp.dataEnd - BigInt(ETH_HLEN)) return minus('EINVAL');
    if (metaLength > 0n)
      env.memory.write(xdp.dataMeta + by, env.memory.read(xdp.dataMeta, Number(metaLength)));
    xdp.set('data_meta', xdp.dataMeta + by);
    xdp.set('data', data);
    return 0n;
  },

  bpf_xdp_adjust_tail: ({ env }, [address, offset]) => {
    const xdp = new XdpBuff(env, address);
    const by = int(offset);
    const end = xdp.dataEnd + BigInt(by);
    if (end > xdp.hardEnd || end < xdp.data + BigInt(ETH_HLEN)) return minus('EINVAL');
    if (by > 0) env.memory.write(xdp.dataEnd, new Uint8Array(by));
    xdp.set('data_end', end);
    return 0n;
  },

  bpf_xdp_adjust_meta: ({ env }, [address, offset]) => {
    const xdp = new XdpBuff(env, address);
    if (xdp.metaUnsupported) return minus('ENOTSUPP');
    const meta = xdp.dataMeta + BigInt(int(offset));
    if (meta < xdp.hardStart + BigInt(XDP_FRAME_BYTES) || meta > xdp.data) return minus('EINVAL');
    const length = xdp.data - meta;
    if (length % 4n !== 0n || length > META_MAX) return -EACCES;
    xdp.set('data_meta', meta);
    return 0n;
  },

  bpf_xdp_get_buff_len: ({ env }, [address]) => BigInt(new XdpBuff(env, address).length),

  bpf_xdp_load_bytes: ({ env }, [address, offset, target, length]) => {
    const at = packetRange(new XdpBuff(env, address), uint(offset), uint(length));
    if (typeof at === 'number') return BigInt(at);
    env.memory.write(target, env.memory.read(at, uint(length)));
    return 0n;
  },

  bpf_xdp_store_bytes: ({ env }, [address, offset, source, length]) => {
    const at = packetRange(new XdpBuff(env, address), uint(offset), uint(length));
    if (typeof at === 'number') return BigInt(at);
    env.memory.write(at, env.memory.read(source, uint(length)));
    return 0n;
  },
};
