import type { ContextAccess, ContextField, ContextRules } from './context';
import { convertSkb, SKB } from './ctx-skb';

/** What programs may do with the fields of struct __sk_buff, by program type (the …_is_valid_access functions of net/core/filter.c). */

const SCALAR: ContextField = { type: 'scalar' };
const within = (off: number, start: number, end: number): boolean => off >= start && off < end;
const isCb = (off: number): boolean => within(off, SKB.cb, SKB.cbEnd);
/** family to local_port: what lies in the socket. */
const isSockField = (off: number): boolean => within(off, SKB.family, SKB.dataMeta);
const isField = (off: number, field: number, size = 4): boolean => within(off, field, field + size);

/** Sizes and alignment that hold for all of them (bpf_skb_is_valid_access). */
function common({ off, size, write, signed }: ContextAccess): ContextField | undefined {
  if (off < 0 || off >= SKB.size || off % size !== 0) return undefined;
  if (isCb(off)) return off + size <= SKB.cbEnd ? SCALAR : undefined;
  if (isField(off, SKB.data) || isField(off, SKB.dataMeta) || isField(off, SKB.dataEnd)) {
    return signed || size !== 4 ? undefined : SCALAR;
  }
  if (within(off, SKB.remoteIp4, SKB.remotePort)) return size === 4 ? SCALAR : undefined;
  if (isField(off, SKB.flowKeys, 8)) return undefined;
  if (isField(off, SKB.tstamp, 8)) return size === 8 ? SCALAR : undefined;
  if (isField(off, SKB.sk, 8)) return write || size !== 8 ? undefined : { type: 'sock-common', orNull: true };
  if (isField(off, SKB.hwtstamp, 8)) return write || size !== 8 ? undefined : SCALAR;
  // tstamp_type is handled by the types that allow it; padding follows
  if (within(off, SKB.tstampType, SKB.hwtstamp)) return undefined;
  if (write) return size === 4 ? SCALAR : undefined;
  return size <= 4 ? { type: 'scalar', fieldSize: 4 } : undefined;
}

const packetPointers = (off: number): ContextField | undefined => {
  switch (off) {
    case SKB.data:
      return { type: 'packet' };
    case SKB.dataMeta:
      return { type: 'packet-meta' };
    case SKB.dataEnd:
      return { type: 'packet-end' };
    default:
      return undefined;
  }
};

/** The common rules, with pointers in place of the numbers where the type gives direct packet access. */
function withPacket(access: ContextAccess): ContextField | undefined {
  const field = common(access);
  return field && (packetPointers(access.off) ?? field);
}

function socketFilter(access: ContextAccess): ContextField | undefined {
  const { off, write } = access;
  const hidden =
    isField(off, SKB.tcClassid) ||
    isField(off, SKB.data) ||
    isField(off, SKB.dataMeta) ||
    isField(off, SKB.dataEnd) ||
    isSockField(off) ||
    isField(off, SKB.tstamp, 8) ||
    isField(off, SKB.wireLen) ||
    isField(off, SKB.hwtstamp, 8);
  if (hidden || (write && !isCb(off))) return undefined;
  return common(access);
}

function cgroupSkb(access: ContextAccess): ContextField | undefined {
  const { off, write } = access;
  if (isField(off, SKB.tcClassid) || isField(off, SKB.dataMeta) || isField(off, SKB.wireLen))
    return undefined;
  const writable =
    isField(off, SKB.mark) || isField(off, SKB.priority) || isCb(off) || isField(off, SKB.tstamp, 8);
  if (write && !writable) return undefined;
  return withPacket(access);
}

function trafficControl(access: ContextAccess): ContextField | undefined {
  const { off, size, write } = access;
  const writable =
    isField(off, SKB.mark) ||
    isField(off, SKB.tcIndex) ||
    isField(off, SKB.priority) ||
    isField(off, SKB.tcClassid) ||
    isCb(off) ||
    isField(off, SKB.tstamp, 8) ||
    isField(off, SKB.queueMapping);
  if ((write && !writable) || isSockField(off)) return undefined;
  if (off === SKB.tstampType) return size === 1 && !write ? SCALAR : undefined;
  return withPacket(access);
}

function lightweightTunnel(access: ContextAccess): ContextField | undefined {
  const { off, write } = access;
  const hidden =
    isField(off, SKB.tcClassid) ||
    isSockField(off) ||
    isField(off, SKB.dataMeta) ||
    isField(off, SKB.tstamp, 8) ||
    isField(off, SKB.wireLen) ||
    isField(off, SKB.hwtstamp, 8);
  const writable = isField(off, SKB.mark) || isField(off, SKB.priority) || isCb(off);
  if (hidden || (write && !writable)) return undefined;
  return withPacket(access);
}

const skb = (access: ContextRules['access']): ContextRules => ({
  what: 'struct __sk_buff',
  access,
  convert: convertSkb,
});

export const SOCKET_FILTER_CONTEXT = skb(socketFilter);
export const CGROUP_SKB_CONTEXT = skb(cgroupSkb);
export const TC_CONTEXT = skb(trafficControl);
export const LWT_CONTEXT = skb(lightweightTunnel);
