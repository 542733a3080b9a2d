import { BPF_JMP_OP, BPF_SIZE } from '../bpf/insn';
import type { ContextAccess, ContextField, ContextRules, Conversion, ConversionInput } from './context';
import { jumpImm, ldx, mov64Imm } from './emit';

/**
 * Loads through a socket pointer (`__sk_buff.sk`, bpf_sk_lookup_tcp …) see struct bpf_sock; they become loads from struct
 * sock (bpf_sock_convert_ctx_access). Fields asked for: `sock_common.*` and `sock.*` of `XLATE_FIELDS`.
 */

/** Offsets in the user-visible struct bpf_sock, bytes. */
const SOCK = {
  boundDevIf: 0,
  family: 4,
  type: 8,
  protocol: 12,
  mark: 16,
  priority: 20,
  srcIp4: 24,
  srcIp6: 28,
  srcPort: 44,
  dstPort: 48,
  dstPad: 50,
  dstIp4: 52,
  dstIp6: 56,
  state: 72,
  rxQueueMapping: 76,
  size: 80,
} as const;

const NO_QUEUE = 0xffff;

/** Reads only, of whole or narrower fields (bpf_sock_is_valid_access). */
function access({ off, size, write }: ContextAccess): ContextField | undefined {
  if (write || off < 0 || off >= SOCK.size || off % size !== 0 || size > 4) return undefined;
  const narrow: ContextField = { type: 'scalar', fieldSize: 4 };
  if (off >= SOCK.dstPort && off < SOCK.dstPort + 2)
    return size === 4 || size === 2 ? { type: 'scalar', fieldSize: 2 } : undefined;
  if (off >= SOCK.dstPad && off < SOCK.dstIp4) return undefined;
  return narrow;
}

/** What every kind of socket has: no type, protocol, mark and priority (bpf_sock_common_is_valid_access). */
function commonAccess(wanted: ContextAccess): ContextField | undefined {
  return wanted.off >= SOCK.type && wanted.off < SOCK.srcIp4 ? undefined : access(wanted);
}

function convert({ insn, field }: ConversionInput): Conversion | undefined {
  const { dst, src, off } = insn;
  const load = (size: 0 | 8 | 16, at: number, targetSize: number): Conversion => ({
    insns: [ldx(size, dst, src, at)],
    targetSize,
  });
  const half = (name: string): Conversion => load(BPF_SIZE.H, field(name), 2);
  const word = (name: string, more = 0): Conversion => load(BPF_SIZE.W, field(name) + more, 4);
  if (off >= SOCK.srcIp6 && off < SOCK.srcPort)
    return word('sock_common.skc_v6_rcv_saddr', off - SOCK.srcIp6);
  if (off >= SOCK.dstIp6 && off < SOCK.state) return word('sock_common.skc_v6_daddr', off - SOCK.dstIp6);
  switch (off) {
    case SOCK.boundDevIf:
      return word('sock_common.skc_bound_dev_if');
    case SOCK.family:
      return half('sock_common.skc_family');
    case SOCK.type:
      return half('sock.sk_type');
    case SOCK.protocol:
      return half('sock.sk_protocol');
    case SOCK.mark:
      return word('sock.sk_mark');
    case SOCK.priority:
      return word('sock.sk_priority');
    case SOCK.srcIp4:
      return word('sock_common.skc_rcv_saddr');
    case SOCK.dstIp4:
      return word('sock_common.skc_daddr');
    case SOCK.srcPort:
      return half('sock_common.skc_num');
    case SOCK.dstPort:
      return half('sock_common.skc_dport');
    case SOCK.state:
      return load(BPF_SIZE.B, field('sock_common.skc_state'), 1);
    case SOCK.rxQueueMapping:
      return {
        insns: [
          ldx(BPF_SIZE.H, dst, src, field('sock_common.skc_rx_queue_mapping')),
          jumpImm(BPF_JMP_OP.JNE, dst, NO_QUEUE, 1),
          mov64Imm(dst, -1),
        ],
        targetSize: 2,
      };
    default:
      return undefined;
  }
}

/** A full socket. */
export const SOCKET_RULES: ContextRules = { what: 'struct bpf_sock', access, convert };
/** Any socket, request and time-wait ones included. */
export const SOCK_COMMON_RULES: ContextRules = { what: 'struct bpf_sock', access: commonAccess, convert };
