import { BPF_ALU_OP, BPF_JMP_OP, BPF_SIZE, type BpfInsn } from '../bpf/insn';
import { alu32Imm, alu64Reg, jump, jump32Imm, jumpImm, ldx, mov32Imm, mov64Imm, stx } from './emit';
import { PROG, type Conversion, type ConversionInput } from './context';

/**
 * Accesses to struct __sk_buff become accesses to struct sk_buff and what it points to (bpf_convert_ctx_access and
 * tc_cls_act_convert_ctx_access). Fields asked for: all of `sk_buff.*`, `qdisc_skb_cb.*`, `bpf_skb_data_end.*`,
 * `skb_shared_info.*`, `net_device.ifindex` and the sock_common ones of `XLATE_FIELDS`. Which accesses are allowed at all:
 * ctx-skb-access.ts.
 */

/** Offsets in the user-visible struct __sk_buff, bytes. */
export const SKB = {
  len: 0,
  pktType: 4,
  mark: 8,
  queueMapping: 12,
  protocol: 16,
  vlanPresent: 20,
  vlanTci: 24,
  vlanProto: 28,
  priority: 32,
  ingressIfindex: 36,
  ifindex: 40,
  tcIndex: 44,
  cb: 48,
  cbEnd: 68,
  hash: 68,
  tcClassid: 72,
  data: 76,
  dataEnd: 80,
  napiId: 84,
  family: 88,
  remoteIp4: 92,
  localIp4: 96,
  remoteIp6: 100,
  localIp6: 116,
  remotePort: 132,
  localPort: 136,
  dataMeta: 140,
  flowKeys: 144,
  tstamp: 152,
  wireLen: 160,
  gsoSegs: 164,
  sk: 168,
  gsoSize: 176,
  tstampType: 180,
  hwtstamp: 184,
  size: 192,
} as const;

/** PKT_TYPE_MAX: pkt_type has three bits. */
const PKT_TYPE_MASK = 7;
/** NO_QUEUE_MAPPING */
const NO_QUEUE = 0xffff;

/** The same store or load with another offset and size, as BPF_EMIT_STORE. */
const resized = (insn: BpfInsn, size: number, off: number): BpfInsn => ({
  ...insn,
  code: (insn.code & 7) | size | 0x60,
  off,
});

/** Converts one access; undefined for a field that does not exist. */
export function convertSkb(input: ConversionInput): Conversion | undefined {
  const { insn, write, field, progType } = input;
  const { dst, src, off } = insn;
  const plain = (size: 0 | 8 | 16 | 24, name: string, targetSize: number): Conversion => ({
    insns: [write ? resized(insn, size, field(name)) : ldx(size, dst, src, field(name))],
    targetSize,
  });
  const via = (targetSize: number, ...insns: BpfInsn[]): Conversion => ({ insns, targetSize });
  const throughSock = (size: 0 | 8, at: number, ...more: BpfInsn[]): Conversion =>
    via(
      size === BPF_SIZE.H ? 2 : 4,
      ldx(BPF_SIZE.DW, dst, src, field('sk_buff.sk')),
      ldx(size, dst, dst, at),
      ...more,
    );
  if (off >= SKB.cb && off < SKB.cbEnd) {
    const at = off - SKB.cb + field('sk_buff.cb') + field('qdisc_skb_cb.data');
    return via(0, { ...insn, code: (insn.code & 7) | (insn.code & 0x18) | 0x60, off: at });
  }
  if (off >= SKB.remoteIp6 && off < SKB.localIp6)
    return throughSock(BPF_SIZE.W, field('sock_common.skc_v6_daddr') + off - SKB.remoteIp6);
  if (off >= SKB.localIp6 && off < SKB.remotePort)
    return throughSock(BPF_SIZE.W, field('sock_common.skc_v6_rcv_saddr') + off - SKB.localIp6);
  switch (off) {
    case SKB.len:
      return plain(BPF_SIZE.W, 'sk_buff.len', 4);
    case SKB.protocol:
      return plain(BPF_SIZE.H, 'sk_buff.protocol', 2);
    case SKB.vlanProto:
      return plain(BPF_SIZE.H, 'sk_buff.vlan_proto', 2);
    case SKB.vlanTci:
      return plain(BPF_SIZE.H, 'sk_buff.vlan_tci', 2);
    case SKB.priority:
      return plain(BPF_SIZE.W, 'sk_buff.priority', 4);
    case SKB.ingressIfindex:
      return plain(BPF_SIZE.W, 'sk_buff.skb_iif', 4);
    case SKB.hash:
      return plain(BPF_SIZE.W, 'sk_buff.hash', 4);
    case SKB.mark:
      return plain(BPF_SIZE.W, 'sk_buff.mark', 4);
    case SKB.tcIndex:
      return plain(BPF_SIZE.H, 'sk_buff.tc_index', 2);
    case SKB.data:
      return plain(BPF_SIZE.DW, 'sk_buff.data', 0);
    case SKB.sk:
      return plain(BPF_SIZE.DW, 'sk_buff.sk', 0);
    case SKB.ifindex: {
      const device = ldx(BPF_SIZE.DW, dst, src, field('sk_buff.dev'));
      const number = ldx(BPF_SIZE.W, dst, dst, field('net_device.ifindex'));
      const alwaysThere = progType === PROG.SCHED_CLS || progType === PROG.SCHED_ACT;
      return alwaysThere
        ? via(4, device, number)
        : via(4, device, jumpImm(BPF_JMP_OP.JEQ, dst, 0, 1), number);
    }
    case SKB.pktType:
      return via(
        1,
        ldx(BPF_SIZE.B, dst, src, field('sk_buff.pkt_type')),
        alu32Imm(BPF_ALU_OP.AND, dst, PKT_TYPE_MASK),
      );
    case SKB.queueMapping:
      return write ? queueMappingStore(input) : plain(BPF_SIZE.H, 'sk_buff.queue_mapping', 2);
    case SKB.vlanPresent:
      return via(
        4,
        ldx(BPF_SIZE.W, dst, src, field('sk_buff.vlan_all')),
        jumpImm(BPF_JMP_OP.JEQ, dst, 0, 1),
        mov32Imm(dst, 1),
      );
    case SKB.tcClassid: {
      const at = field('sk_buff.cb') + field('qdisc_skb_cb.tc_classid');
      return via(2, write ? resized(insn, BPF_SIZE.H, at) : ldx(BPF_SIZE.H, dst, src, at));
    }
    case SKB.dataMeta:
      return via(0, ldx(BPF_SIZE.DW, dst, src, field('sk_buff.cb') + field('bpf_skb_data_end.data_meta')));
    case SKB.dataEnd:
      return via(0, ldx(BPF_SIZE.DW, dst, src, field('sk_buff.cb') + field('bpf_skb_data_end.data_end')));
    case SKB.wireLen:
      return via(4, ldx(BPF_SIZE.W, dst, src, field('sk_buff.cb') + field('qdisc_skb_cb.pkt_len')));
    case SKB.napiId:
      return via(
        4,
        ldx(BPF_SIZE.W, dst, src, field('sk_buff.napi_id')),
        jumpImm(BPF_JMP_OP.JGE, dst, input.facts.minNapiId, 1),
        mov64Imm(dst, 0),
      );
    case SKB.family:
      return throughSock(BPF_SIZE.H, field('sock_common.skc_family'));
    case SKB.remoteIp4:
      return throughSock(BPF_SIZE.W, field('sock_common.skc_daddr'));
    case SKB.localIp4:
      return throughSock(BPF_SIZE.W, field('sock_common.skc_rcv_saddr'));
    case SKB.remotePort:
      // the user sees a 32-bit word in network byte order
      return throughSock(BPF_SIZE.H, field('sock_common.skc_dport'), alu32Imm(BPF_ALU_OP.LSH, dst, 16));
    case SKB.localPort:
      return throughSock(BPF_SIZE.H, field('sock_common.skc_num'));
    case SKB.tstamp:
      return via(8, ...(write ? timestampStore(input) : timestampLoad(input)));
    case SKB.tstampType:
      return via(1, ...timestampType(input));
    case SKB.gsoSegs:
      return via(2, ...sharedInfo(input), ldx(BPF_SIZE.H, dst, dst, field('skb_shared_info.gso_segs')));
    case SKB.gsoSize:
      return via(2, ...sharedInfo(input), ldx(BPF_SIZE.H, dst, dst, field('skb_shared_info.gso_size')));
    case SKB.hwtstamp:
      return via(8, ...sharedInfo(input), ldx(BPF_SIZE.DW, dst, dst, field('skb_shared_info.hwtstamps')));
    default:
      return undefined;
  }
}

/** Numbers that stand for "no queue" are not stored. */
function queueMappingStore({ insn, field }: ConversionInput): Conversion {
  const store = resized(insn, BPF_SIZE.H, field('sk_buff.queue_mapping'));
  const isImmediate = (insn.code & 7) === 2;
  if (!isImmediate) return { insns: [jumpImm(BPF_JMP_OP.JGE, insn.src, NO_QUEUE, 1), store], targetSize: 2 };
  return { insns: [insn.imm >>> 0 >= NO_QUEUE ? jump(0) : store], targetSize: 2 };
}

/** dst = struct skb_shared_info of the buffer: head + end (bpf_convert_shinfo_access). */
function sharedInfo({ insn, facts, field }: ConversionInput): BpfInsn[] {
  return [
    ldx(BPF_SIZE.W, facts.axRegister, insn.src, field('sk_buff.end')),
    ldx(BPF_SIZE.DW, insn.dst, insn.src, field('sk_buff.head')),
    alu64Reg(BPF_ALU_OP.ADD, insn.dst, facts.axRegister),
  ];
}

/** At ingress a delivery time reads as 0, unless the program asks for its type (bpf_convert_tstamp_read). */
function timestampLoad({ insn, facts, field, knowsTimestampType }: ConversionInput): BpfInsn[] {
  const load = ldx(BPF_SIZE.DW, insn.dst, insn.src, field('sk_buff.tstamp'));
  if (knowsTimestampType) return [load];
  const ax = facts.axRegister;
  return [
    ldx(BPF_SIZE.B, ax, insn.src, field('sk_buff.tstamp_type')),
    jump32Imm(BPF_JMP_OP.JSET, ax, facts.tcAtIngressMask, 1),
    jump(4),
    jump32Imm(BPF_JMP_OP.JSET, ax, facts.timestampTypeMask, 1),
    jump(2),
    mov64Imm(insn.dst, 0),
    jump(1),
    load,
  ];
}

/** At ingress a store also says that the time is no delivery time (bpf_convert_tstamp_write). */
function timestampStore({ insn, facts, field, knowsTimestampType }: ConversionInput): BpfInsn[] {
  const store = resized(insn, BPF_SIZE.DW, field('sk_buff.tstamp'));
  if (knowsTimestampType) return [store];
  const ax = facts.axRegister;
  const at = field('sk_buff.tstamp_type');
  return [
    ldx(BPF_SIZE.B, ax, insn.dst, at),
    jump32Imm(BPF_JMP_OP.JSET, ax, facts.tcAtIngressMask, 1),
    jump(2),
    alu32Imm(BPF_ALU_OP.AND, ax, ~facts.timestampTypeMask),
    stx(BPF_SIZE.B, insn.dst, ax, at),
    store,
  ];
}

/** Which clock the time is of (bpf_convert_tstamp_type_read). */
function timestampType({ insn, facts, field }: ConversionInput): BpfInsn[] {
  const at = field('sk_buff.tstamp_type');
  if (!facts.timestampTypeIsFlag) {
    return [
      ldx(BPF_SIZE.B, insn.dst, insn.src, at),
      alu32Imm(BPF_ALU_OP.AND, insn.dst, facts.timestampTypeMask),
    ];
  }
  const ax = facts.axRegister;
  return [
    ldx(BPF_SIZE.B, ax, insn.src, at),
    jump32Imm(BPF_JMP_OP.JSET, ax, facts.timestampTypeMask, 2),
    mov32Imm(insn.dst, 0),
    jump(1),
    mov32Imm(insn.dst, 1),
  ];
}
