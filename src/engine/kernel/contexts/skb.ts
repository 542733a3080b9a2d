import { EngineError } from '../../base/errors';
import { SKB } from '../../xlate/ctx-skb';
import { PAGE_SIZE } from '../addresses';
import { AddressSpace } from '../address-space';
import { errnoError } from '../errno';
import type { KernelEnv } from '../env';
import { ETH_HLEN, SKB_HEADROOM, SkBuff, skbDataAlign } from '../sk-buff';
import { userContext, type ContextInput, type RunContext } from './context';
import { TEST_RUN_FACTS, type TestRunFacts } from './test-run-facts';

/** Bytes of __sk_buff.cb (QDISC_CB_PRIV_LEN). */
const CB_BYTES = 20;
const GSO_LEGACY_MAX_SIZE = 65536;
const GSO_MAX_SEGS = 65535;

const PROG_TYPE = {
  SCHED_CLS: 3,
  SCHED_ACT: 4,
  CGROUP_SKB: 8,
  LWT_IN: 10,
  LWT_OUT: 11,
  LWT_XMIT: 12,
} as const;

const ETH_P = {
  IP: 0x0800,
  IPV6: 0x86dd,
  ETH_802_3: 0x0001,
  ETH_802_2: 0x0004,
  ETH_802_3_MIN: 0x0600,
} as const;
const PACKET = { HOST: 0, BROADCAST: 1, MULTICAST: 2, OTHERHOST: 3 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const TCP_CLOSE = 7;
const NO_QUEUE_MAPPING = 0xffff;
const NO_HEADER = 0xffff;
const IPV4_HEADER = { bytes: 20, source: 12, destination: 16 } as const;
const IPV6_HEADER = { bytes: 40, source: 8, destination: 24 } as const;

/**
 * A sk_buff around the frame as bpf_prog_test_run_skb() makes it: eth_type_trans() has taken the Ethernet header off (traffic control
 * programs get it back), a socket without a connection belongs to it, device is lo.
 * @throws EngineError `kernel/errno` EINVAL, ENODEV, E2BIG as the kernel returns them.
 */
export function skbContext({ env, net, program, input }: ContextInput): RunContext {
  const { space, structs, memory } = env;
  const frame = input.data ?? new Uint8Array(0);
  const facts = TEST_RUN_FACTS[env.profile.kernel];
  const sharedInfo = skbDataAlign(structs.size('skb_shared_info'));
  if (frame.length < ETH_HLEN) {
    throw errnoError(
      'EINVAL',
      `A frame needs at least the ${ETH_HLEN} bytes of an Ethernet header; there are ${frame.length}`,
      {
        length: frame.length,
      },
    );
  }
  const room = PAGE_SIZE - SKB_HEADROOM - sharedInfo;
  if (frame.length > room) {
    throw errnoError(
      'EINVAL',
      `The frame of ${frame.length} bytes is longer than the ${room} bytes that a test run takes`,
      {
        length: frame.length,
      },
    );
  }
  const user = userContext(input, SKB.size, '__sk_buff');
  const type = program.source.type.id;
  const isL2 = type === PROG_TYPE.SCHED_CLS || type === PROG_TYPE.SCHED_ACT;
  const lwt = type === PROG_TYPE.LWT_IN || type === PROG_TYPE.LWT_OUT || type === PROG_TYPE.LWT_XMIT;
  const direct = isL2 || lwt || (type === PROG_TYPE.CGROUP_SKB && facts.cgroupSkbDataPointers);
  const ifindex = user ? userField(user, SKB.ifindex) : 0;
  const device = ifindex > 1 ? net.deviceByIndex(ifindex) : net.loopback;
  if (device === 0n) throw errnoError('ENODEV', `There is no network device ${ifindex}`, { ifindex });

  const headBytes = AddressSpace.kmallocSize(skbDataAlign(frame.length) + SKB_HEADROOM + sharedInfo);
  const head = space.kmalloc(headBytes);
  const socket = newSocket(env);
  const address = space.kmalloc(structs.size('sk_buff'));
  const skb = new SkBuff(env, address);
  memory.write(head + BigInt(SKB_HEADROOM), frame);
  skb.set('head', head);
  skb.set('data', head + BigInt(SKB_HEADROOM));
  skb.set('tail', SKB_HEADROOM + frame.length);
  skb.set('end', headBytes - sharedInfo);
  skb.set('len', frame.length);
  skb.set('truesize', headBytes + 256);
  skb.set('users', 1);
  skb.set('transport_header', NO_HEADER);
  skb.set('sk', socket);
  skb.set('dev', device);
  ethTypeTrans(skb, frame);
  addressSocket(env, socket, skb, frame, facts);
  if (isL2) skb.push(ETH_HLEN);
  if (direct) skb.computeDataPointers();
  if (user) fromUser(env, skb, user, input.ctx !== undefined, facts);

  return {
    address,
    finish: (retval) => {
      if (!isL2) {
        skb.push(ETH_HLEN);
        memory.write(skb.data, new Uint8Array(ETH_HLEN));
      }
      return { retval, dataOut: skb.bytes(), ctxOut: user && toUser(env, skb, user) };
    },
    release: () => {
      space.kfree(address, structs.size('sk_buff'));
      space.kfree(socket, structs.size('sock'));
      space.kfree(head, headBytes);
    },
  };
}

const userField = (user: Uint8Array, offset: number): number =>
  new DataView(user.buffer, user.byteOffset).getUint32(offset, true);

/** sk_alloc() and sock_init_data() as far as programs can see. */
function newSocket(env: KernelEnv): bigint {
  const { structs } = env;
  const socket = env.space.kmalloc(structs.size('sock'));
  structs.set(socket, 'sock_common.skc_state', TCP_CLOSE);
  structs.set(socket, 'sock_common.skc_rx_queue_mapping', NO_QUEUE_MAPPING);
  structs.set(socket, 'sock_common.skc_tx_queue_mapping', NO_QUEUE_MAPPING);
  structs.set(socket, 'sock_common.skc_refcnt', 1);
  return socket;
}

/** eth_type_trans(): packet type, protocol, and the Ethernet header off. */
function ethTypeTrans(skb: SkBuff, frame: Uint8Array): void {
  skb.set('mac_header', SKB_HEADROOM);
  skb.set('network_header', SKB_HEADROOM + ETH_HLEN);
  skb.pull(ETH_HLEN);
  // Device lo has the address 00:00:00:00:00:00, for broadcasts as well.
  const toDevice = frame.subarray(0, 6).every((byte) => byte === 0);
  const multicast = (frame[0]! & 1) !== 0;
  skb.set('pkt_type', toDevice ? PACKET.HOST : multicast ? PACKET.MULTICAST : PACKET.OTHERHOST);
  skb.set('protocol', protocolField(frame));
}

/** The value of skb->protocol, whose bytes are in network order. */
function protocolField(frame: Uint8Array): number {
  const type = etherType(frame);
  return ((type & 0xff) << 8) | (type >> 8);
}

function etherType(frame: Uint8Array): number {
  const type = (frame[12]! << 8) | frame[13]!;
  if (type >= ETH_P.ETH_802_3_MIN) return type;
  // Novell's raw 802.3 begins with ffff where a service access point would be.
  const raw = frame.length >= ETH_HLEN + 2 && frame[14] === 0xff && frame[15] === 0xff;
  return raw ? ETH_P.ETH_802_3 : ETH_P.ETH_802_2;
}

/** Gives the socket the packet's addresses, where the frame holds an IP header. @throws EngineError `kernel/errno` EINVAL */
function addressSocket(
  env: KernelEnv,
  socket: bigint,
  skb: SkBuff,
  frame: Uint8Array,
  facts: TestRunFacts,
): void {
  const type = etherType(frame);
  if (type !== ETH_P.IP && type !== ETH_P.IPV6) return;
  const header = type === ETH_P.IP ? IPV4_HEADER : IPV6_HEADER;
  const { structs, memory } = env;
  if (skb.len < header.bytes) {
    if (!facts.requiresIpHeader) {
      structs.set(socket, 'sock_common.skc_family', type === ETH_P.IP ? AF_INET : AF_INET6);
      return;
    }
    throw errnoError(
      'EINVAL',
      `The frame says that it carries ${type === ETH_P.IP ? 'IPv4' : 'IPv6'}, but only ${skb.len} of the header's ${header.bytes} bytes follow`,
      { length: frame.length },
    );
  }
  structs.set(socket, 'sock_common.skc_family', type === ETH_P.IP ? AF_INET : AF_INET6);
  const copy = (field: string, from: number): void => {
    const { offset, size } = structs.find(field)!;
    memory.write(socket + BigInt(offset), frame.subarray(ETH_HLEN + from, ETH_HLEN + from + size));
  };
  const v6 = type === ETH_P.IPV6 ? 'v6_' : '';
  copy(`sock_common.skc_${v6}rcv_saddr`, header.source);
  copy(`sock_common.skc_${v6}daddr`, header.destination);
}

/** Bytes of __sk_buff that a user may set: the rest must be zero. */
function mayBeSet(offset: number, facts: TestRunFacts): boolean {
  const inside = (start: number, bytes: number): boolean => offset >= start && offset < start + bytes;
  return (
    inside(SKB.mark, 4) ||
    inside(SKB.priority, 12) ||
    inside(SKB.cb, CB_BYTES) ||
    (facts.skbLinearLength && inside(SKB.dataEnd, 4)) ||
    inside(SKB.tstamp, 16) ||
    inside(SKB.gsoSize, 4) ||
    inside(SKB.hwtstamp, 8)
  );
}

/** convert___skb_to_skb() @throws EngineError `kernel/errno` EINVAL */
function fromUser(env: KernelEnv, skb: SkBuff, user: Uint8Array, given: boolean, facts: TestRunFacts): void {
  const wrong = user.findIndex((byte, offset) => byte !== 0 && !mayBeSet(offset, facts));
  if (wrong >= 0) {
    throw errnoError(
      'EINVAL',
      `Byte ${wrong} of the given __sk_buff must be zero: a test run sets that field itself`,
      { offset: wrong },
    );
  }
  const view = new DataView(user.buffer, user.byteOffset);
  const linear = facts.skbLinearLength && given ? view.getUint32(SKB.dataEnd, true) : 0;
  if (linear !== 0 && linear < skb.len) {
    throw new EngineError(
      'kernel/fragments',
      `__sk_buff.data_end asks for ${linear} linear bytes and the rest in fragments, which is not supported yet; leave it 0.`,
      { linear },
    );
  }
  const { structs, memory } = env;
  skb.set('mark', view.getUint32(SKB.mark, true));
  skb.set('priority', view.getUint32(SKB.priority, true));
  skb.set('skb_iif', view.getUint32(SKB.ingressIfindex, true));
  skb.set('tstamp', view.getBigUint64(SKB.tstamp, true));
  memory.write(
    skb.cb + BigInt(structs.offset('qdisc_skb_cb.data')),
    user.subarray(SKB.cb, SKB.cb + CB_BYTES),
  );
  const wireLen = view.getUint32(SKB.wireLen, true);
  if (wireLen !== 0 && (wireLen < skb.len || wireLen > GSO_LEGACY_MAX_SIZE)) {
    throw errnoError(
      'EINVAL',
      `__sk_buff.wire_len ${wireLen} must be 0 or from ${skb.len} to ${GSO_LEGACY_MAX_SIZE}`,
    );
  }
  structs.set(skb.cb, 'qdisc_skb_cb.pkt_len', wireLen || skb.len);
  const gsoSegs = view.getUint32(SKB.gsoSegs, true);
  if (gsoSegs > GSO_MAX_SEGS)
    throw errnoError('EINVAL', `__sk_buff.gso_segs ${gsoSegs} is above ${GSO_MAX_SEGS}`);
  structs.set(skb.sharedInfo, 'skb_shared_info.gso_segs', gsoSegs);
  structs.set(skb.sharedInfo, 'skb_shared_info.gso_size', view.getUint32(SKB.gsoSize, true));
  structs.set(skb.sharedInfo, 'skb_shared_info.hwtstamps', view.getBigUint64(SKB.hwtstamp, true));
}

/** convert_skb_to___skb(): the fields that are handed back; the others stay as they were given. */
function toUser(env: KernelEnv, skb: SkBuff, user: Uint8Array): Uint8Array {
  const { structs, memory } = env;
  const out = user.slice();
  const view = new DataView(out.buffer);
  view.setUint32(SKB.mark, skb.getNumber('mark'), true);
  view.setUint32(SKB.priority, skb.getNumber('priority'), true);
  view.setUint32(SKB.ingressIfindex, skb.getNumber('skb_iif'), true);
  view.setUint32(SKB.ifindex, structs.getNumber(skb.get('dev'), 'net_device.ifindex'), true);
  view.setBigUint64(SKB.tstamp, skb.get('tstamp'), true);
  out.set(memory.read(skb.cb + BigInt(structs.offset('qdisc_skb_cb.data')), CB_BYTES), SKB.cb);
  view.setUint32(SKB.wireLen, structs.getNumber(skb.cb, 'qdisc_skb_cb.pkt_len'), true);
  view.setUint32(SKB.gsoSegs, structs.getNumber(skb.sharedInfo, 'skb_shared_info.gso_segs'), true);
  view.setBigUint64(SKB.hwtstamp, structs.get(skb.sharedInfo, 'skb_shared_info.hwtstamps'), true);
  return out;
}
