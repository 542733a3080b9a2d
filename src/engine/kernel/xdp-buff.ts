import type { KernelEnv } from './env';

/** Headroom in front of the packet in a frame of BPF_PROG_TEST_RUN, bytes. */
export const XDP_PACKET_HEADROOM = 256;
/** struct xdp_frame is put at the start of the headroom when a frame is forwarded: it must stay free. */
export const XDP_FRAME_BYTES = 40;

/** A struct xdp_buff in machine memory with one linear buffer. */
export class XdpBuff {
  constructor(
    private readonly env: KernelEnv,
    readonly address: bigint,
  ) {}

  get(field: string): bigint {
    return this.env.structs.get(this.address, `xdp_buff.${field}`);
  }

  set(field: string, value: bigint | number): void {
    this.env.structs.set(this.address, `xdp_buff.${field}`, value);
  }

  get data(): bigint {
    return this.get('data');
  }
  get dataEnd(): bigint {
    return this.get('data_end');
  }
  get dataMeta(): bigint {
    return this.get('data_meta');
  }
  get hardStart(): bigint {
    return this.get('data_hard_start');
  }
  /** End of the room for packet bytes: struct skb_shared_info follows (xdp_data_hard_end()). */
  get hardEnd(): bigint {
    return this.hardStart + this.get('frame_sz') - BigInt(this.env.structs.size('skb_shared_info'));
  }
  /** Bytes of the packet (bpf_xdp_get_buff_len()). */
  get length(): number {
    return Number(this.dataEnd - this.data);
  }
  /** Metadata is not supported when data_meta is past data. */
  get metaUnsupported(): boolean {
    return this.dataMeta > this.data;
  }
}
