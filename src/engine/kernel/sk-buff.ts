import { roundUp } from '../base/u64';
import type { KernelEnv } from './env';

/** Cache line of riscv64 kernels; skb data areas are rounded to it (SKB_DATA_ALIGN). */
const SMP_CACHE_BYTES = 64;
/** Room kept in front of received data: NET_SKB_PAD and NET_IP_ALIGN. */
export const SKB_HEADROOM = 64 + 2;
export const ETH_HLEN = 14;

/** SKB_DATA_ALIGN: bytes rounded up to a cache line. */
export const skbDataAlign = (size: number): number => roundUp(size, SMP_CACHE_BYTES);

/** A struct sk_buff in machine memory with linear data. Lengths and offsets in bytes. */
export class SkBuff {
  constructor(
    private readonly env: KernelEnv,
    readonly address: bigint,
  ) {}

  get(field: string): bigint {
    return this.env.structs.get(this.address, `sk_buff.${field}`);
  }

  getNumber(field: string): number {
    return Number(this.get(field));
  }

  set(field: string, value: bigint | number): void {
    this.env.structs.set(this.address, `sk_buff.${field}`, value);
  }

  get data(): bigint {
    return this.get('data');
  }
  get head(): bigint {
    return this.get('head');
  }
  get len(): number {
    return this.getNumber('len');
  }
  get headroom(): number {
    return Number(this.data - this.head);
  }
  get tailroom(): number {
    return this.getNumber('end') - this.getNumber('tail');
  }
  /** struct skb_shared_info, behind the data area */
  get sharedInfo(): bigint {
    return this.head + this.get('end');
  }
  /** Address of a member of struct qdisc_skb_cb or bpf_skb_data_end in cb. */
  get cb(): bigint {
    return this.address + BigInt(this.env.structs.offset('sk_buff.cb'));
  }

  /** The linear data. */
  bytes(): Uint8Array {
    return this.env.memory.read(this.data, this.len);
  }

  /** Moves the start of the data down by `length` (skb_push()). */
  push(length: number): void {
    this.set('data', this.data - BigInt(length));
    this.set('len', this.len + length);
  }

  /** Moves the start of the data up by `length` (skb_pull()). */
  pull(length: number): void {
    this.set('data', this.data + BigInt(length));
    this.set('len', this.len - length);
  }

  /** Cuts or extends the data at its end. */
  setLength(length: number): void {
    this.set('tail', this.getNumber('tail') + length - this.len);
    this.set('len', length);
  }

  /** bpf_compute_data_pointers(): what programs read as data_meta and data_end. */
  computeDataPointers(): void {
    const { structs } = this.env;
    const metaLength = BigInt(structs.getNumber(this.sharedInfo, 'skb_shared_info.meta_len'));
    structs.set(this.cb, 'bpf_skb_data_end.data_meta', this.data - metaLength);
    structs.set(this.cb, 'bpf_skb_data_end.data_end', this.data + BigInt(this.len));
  }
}
