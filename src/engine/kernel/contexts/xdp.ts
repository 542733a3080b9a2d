import { EngineError } from '../../base/errors';
import { XDP_MD } from '../../xlate/ctx-xdp';
import { PAGE_SIZE } from '../addresses';
import { errnoError } from '../errno';
import { ETH_HLEN, skbDataAlign } from '../sk-buff';
import { XDP_FRAME_BYTES, XDP_PACKET_HEADROOM, XdpBuff } from '../xdp-buff';
import { userContext, type ContextInput, type RunContext } from './context';
import { TEST_RUN_FACTS } from './test-run-facts';

const BPF_XDP_DEVMAP = 35;
const BPF_XDP_CPUMAP = 36;
/** Largest metadata: what skb_shared_info.meta_len can hold. */
const META_MAX = 255;

/**
 * An xdp_buff on a page of its own, as bpf_prog_test_run_xdp() makes it. The context is struct xdp_md, in which `data` is the length
 * of the metadata at the start of the given bytes and `data_end` the length of all of them.
 * @throws EngineError `kernel/errno` EINVAL and others as the kernel returns them; `kernel/fragments` for packets beyond one page.
 */
export function xdpContext({ env, net, program, input }: ContextInput): RunContext {
  const { space, memory, structs } = env;
  const data = input.data ?? new Uint8Array(0);
  const attach = program.source.attachType;
  if (attach === BPF_XDP_DEVMAP || attach === BPF_XDP_CPUMAP) {
    throw errnoError('EINVAL', 'XDP programs for devmap and cpumap entries cannot be test-run');
  }
  const md = userContext(input, XDP_MD.size, 'xdp_md');
  const field = (offset: number): number => (md ? new DataView(md.buffer).getUint32(offset, true) : 0);
  // A context that is only wanted back, not given, says nothing about the packet.
  const given = input.ctx !== undefined;
  const metaLength = given ? field(XDP_MD.data) : 0;
  if (given) checkLengths(field, data.length, metaLength, TEST_RUN_FACTS[env.profile.kernel].xdpLinearLength);
  if (data.length - metaLength < ETH_HLEN) {
    throw errnoError(
      'EINVAL',
      `An XDP packet needs at least ${ETH_HLEN} bytes; there are ${data.length - metaLength}`,
      {
        length: data.length,
      },
    );
  }
  const headroom = XDP_PACKET_HEADROOM - metaLength;
  const room = PAGE_SIZE - headroom - skbDataAlign(structs.size('skb_shared_info'));
  if (data.length > room || (given && field(XDP_MD.dataEnd) < data.length)) {
    throw new EngineError(
      'kernel/fragments',
      `The packet of ${data.length} bytes does not fit the ${Math.min(room, given ? field(XDP_MD.dataEnd) : room)} bytes of the linear ` +
        'buffer; multi-buffer XDP (fragments) is not supported yet. Give a shorter packet.',
      { length: data.length },
    );
  }

  const page = space.kmalloc(PAGE_SIZE);
  const address = space.kmalloc(structs.size('xdp_buff'));
  const buff = new XdpBuff(env, address);
  const start = page + BigInt(headroom);
  memory.write(start, data);
  buff.set('data_hard_start', page);
  buff.set('data', start + BigInt(metaLength));
  buff.set('data_meta', start);
  buff.set('data_end', start + BigInt(data.length));
  buff.set('frame_sz', PAGE_SIZE);
  buff.set('rxq', receiveQueue(net, field(XDP_MD.ingressIfindex), field(XDP_MD.rxQueueIndex)));
  buff.set('txq', net.txq);

  return {
    address,
    finish: (retval) => ({
      retval,
      dataOut: memory.read(buff.dataMeta, Number(buff.dataEnd - buff.dataMeta)),
      ctxOut: md && readBack(md, buff),
    }),
    release: () => {
      space.kfree(address, structs.size('xdp_buff'));
      space.kfree(page, PAGE_SIZE);
    },
  };

  function receiveQueue(namespace: typeof net, ifindex: number, queue: number): bigint {
    if (field(XDP_MD.egressIfindex) !== 0) throw errnoError('EINVAL', 'xdp_md.egress_ifindex must be 0');
    if (ifindex === 0 && queue !== 0)
      throw errnoError('EINVAL', 'xdp_md.rx_queue_index needs an ingress_ifindex');
    if (ifindex === 0) return namespace.rxq;
    if (namespace.deviceByIndex(ifindex) === 0n)
      throw errnoError('ENODEV', `There is no network device ${ifindex}`, { ifindex });
    if (queue !== 0)
      throw errnoError('EINVAL', `Device ${ifindex} has no receive queue ${queue}`, { ifindex, queue });
    return namespace.rxq;
  }
}

function checkLengths(
  field: (offset: number) => number,
  length: number,
  metaLength: number,
  partial: boolean,
): void {
  const dataEnd = field(XDP_MD.dataEnd);
  const endIsWrong = partial ? dataEnd > length : dataEnd !== length;
  if (field(XDP_MD.dataMeta) !== 0 || endIsWrong || metaLength > dataEnd) {
    throw errnoError(
      'EINVAL',
      `xdp_md must have data_meta 0, data_end ${length} (the bytes given) and data (the metadata's length) not above it; it has ` +
        `data ${metaLength}, data_end ${dataEnd}, data_meta ${field(XDP_MD.dataMeta)}`,
    );
  }
  if (metaLength % 4 !== 0 || metaLength > META_MAX || metaLength > XDP_PACKET_HEADROOM - XDP_FRAME_BYTES) {
    throw errnoError(
      'EINVAL',
      `${metaLength} bytes of XDP metadata are not possible: a multiple of 4 up to 216 is`,
    );
  }
}

/** xdp_convert_buff_to_md() */
function readBack(md: Uint8Array, buff: XdpBuff): Uint8Array {
  const out = md.slice();
  const view = new DataView(out.buffer);
  view.setUint32(XDP_MD.data, Number(buff.data - buff.dataMeta), true);
  view.setUint32(XDP_MD.dataEnd, Number(buff.dataEnd - buff.dataMeta), true);
  return out;
}
