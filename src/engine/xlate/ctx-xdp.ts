import { BPF_SIZE } from '../bpf/insn';
import { ldx } from './emit';
import type { ContextAccess, ContextField, ContextRules, Conversion, ConversionInput } from './context';

/** Offsets in the user-visible struct xdp_md, bytes. */
export const XDP_MD = {
  data: 0,
  dataEnd: 4,
  dataMeta: 8,
  ingressIfindex: 12,
  rxQueueIndex: 16,
  egressIfindex: 20,
  size: 24,
} as const;
/** BPF_XDP_DEVMAP: programs that run when a redirected frame leaves. */
const ATTACH_XDP_DEVMAP = 35;

function access({ off, size, write, signed, attachType }: ContextAccess): ContextField | undefined {
  if (write || off < 0 || off >= XDP_MD.size || size !== 4 || off % 4 !== 0) return undefined;
  if (off === XDP_MD.egressIfindex && attachType !== ATTACH_XDP_DEVMAP) return undefined;
  switch (off) {
    case XDP_MD.data:
      return signed ? undefined : { type: 'packet' };
    case XDP_MD.dataEnd:
      return signed ? undefined : { type: 'packet-end' };
    case XDP_MD.dataMeta:
      return signed ? undefined : { type: 'packet-meta' };
    default:
      return { type: 'scalar' };
  }
}

/**
 * xdp_md accesses become loads from struct xdp_buff (xdp_convert_ctx_access). Fields asked for: xdp_buff.{data, data_end,
 * data_meta, rxq, txq}, xdp_rxq_info.{dev, queue_index}, xdp_txq_info.dev, net_device.ifindex.
 */
function convert({ insn, field }: ConversionInput): Conversion | undefined {
  const { dst, src } = insn;
  const pointer = (at: number, name: string) => ldx(BPF_SIZE.DW, dst, at, field(name));
  const word = (name: string) => ldx(BPF_SIZE.W, dst, dst, field(name));
  const via = (...insns: Conversion['insns']): Conversion => ({ insns, targetSize: 0 });
  switch (insn.off) {
    case XDP_MD.data:
      return via(pointer(src, 'xdp_buff.data'));
    case XDP_MD.dataEnd:
      return via(pointer(src, 'xdp_buff.data_end'));
    case XDP_MD.dataMeta:
      return via(pointer(src, 'xdp_buff.data_meta'));
    case XDP_MD.ingressIfindex:
      return via(pointer(src, 'xdp_buff.rxq'), pointer(dst, 'xdp_rxq_info.dev'), word('net_device.ifindex'));
    case XDP_MD.rxQueueIndex:
      return via(pointer(src, 'xdp_buff.rxq'), word('xdp_rxq_info.queue_index'));
    case XDP_MD.egressIfindex:
      return via(pointer(src, 'xdp_buff.txq'), pointer(dst, 'xdp_txq_info.dev'), word('net_device.ifindex'));
    default:
      return undefined;
  }
}

/** Context of XDP programs. */
export const XDP_CONTEXT: ContextRules = { what: 'struct xdp_md', access, convert };
