import { roundUp } from '../../base/u64';
import { PAGE_SIZE } from '../addresses';
import { errnoError } from '../errno';
import type { KernelEnv } from '../env';
import { MapObject, type MapDefinition } from './map-object';

const HEADER_BYTES = 8;
const BUSY_BIT = 0x80000000;
const DISCARD_BIT = 0x40000000;
/** Largest record (RINGBUF_MAX_RECORD_SZ). */
const MAX_RECORD = 0x3fffffff;
const NUMA_NODE = 1 << 2;

/** What bpf_ringbuf_query() may ask. */
export const RINGBUF_QUERY = { AVAIL_DATA: 0n, RING_SIZE: 1n, CONS_POS: 2n, PROD_POS: 3n } as const;

/**
 * BPF_MAP_TYPE_RINGBUF (kernel/bpf/ringbuf.c). After a page of bookkeeping come the consumer's page, the producer's page and the
 * data, as user space would map them. Nothing consumes while a program is tested, so the ring fills up and then refuses; records
 * therefore never wrap, and the kernel's second mapping of the data pages is not needed.
 */
export class RingbufMap extends MapObject {
  private readonly consumer: bigint;
  private readonly producer: bigint;
  private readonly data: bigint;

  constructor(env: KernelEnv, definition: MapDefinition, id: number) {
    const { name, keySize, valueSize, maxEntries, flags } = definition;
    const powerOfTwo = maxEntries > 0 && Number.isInteger(Math.log2(maxEntries));
    if (
      keySize !== 0 ||
      valueSize !== 0 ||
      !powerOfTwo ||
      maxEntries % PAGE_SIZE !== 0 ||
      (flags & ~NUMA_NODE) !== 0
    ) {
      throw errnoError(
        'EINVAL',
        `Ring buffer ${name} needs no key and value, no flags and a size that is a power of two and of whole pages; ` +
          `it has key_size ${keySize}, value_size ${valueSize}, max_entries ${maxEntries}, flags 0x${flags.toString(16)}`,
        { map: name },
      );
    }
    const address = env.space.kmalloc(env.structs.size('bpf_map') + 8);
    super(env, definition, id, address, 'ringbuf_map_ops');
    const ring = env.space.vmalloc(3 * PAGE_SIZE + maxEntries, `ring buffer ${name}`);
    env.memory.writeU64(address + BigInt(env.structs.size('bpf_map')), ring);
    this.consumer = ring + BigInt(PAGE_SIZE);
    this.producer = ring + BigInt(2 * PAGE_SIZE);
    this.data = ring + BigInt(3 * PAGE_SIZE);
  }

  private get producerPosition(): bigint {
    return this.env.memory.readU64(this.producer);
  }

  private get consumerPosition(): bigint {
    return this.env.memory.readU64(this.consumer);
  }

  /** Address of the record's data, 0 when there is no room (__bpf_ringbuf_reserve()). `size` in bytes. */
  reserve(size: bigint): bigint {
    if (size > BigInt(MAX_RECORD)) return 0n;
    const length = roundUp(Number(size) + HEADER_BYTES, 8);
    const position = this.producerPosition;
    const next = position + BigInt(length);
    if (length > this.maxEntries || next - this.consumerPosition > BigInt(this.maxEntries - 1)) return 0n;
    const header = this.data + position;
    this.env.memory.writeU32(header, (Number(size) | BUSY_BIT) >>> 0);
    this.env.memory.writeU32(header + 4n, Number((header - this.data) / BigInt(PAGE_SIZE)) + 3);
    this.env.memory.writeU64(this.producer, next);
    return header + BigInt(HEADER_BYTES);
  }

  /** True when the address lies in this ring's data. */
  holds(address: bigint): boolean {
    return address >= this.data && address < this.data + BigInt(this.maxEntries);
  }

  /** Ends the reservation (bpf_ringbuf_commit()); the record's bytes, or undefined when it is discarded. */
  commit(sample: bigint, discard: boolean): Uint8Array | undefined {
    const { memory } = this.env;
    const header = sample - BigInt(HEADER_BYTES);
    const size = memory.readU32(header) & ~BUSY_BIT;
    memory.writeU32(header, (size | (discard ? DISCARD_BIT : 0)) >>> 0);
    return discard ? undefined : memory.read(sample, size);
  }

  /** Committed records that nobody has consumed yet, oldest first, up to the first that is still being written. */
  override userEntries(): { key: Uint8Array; value: Uint8Array }[] {
    const { memory } = this.env;
    const entries: { key: Uint8Array; value: Uint8Array }[] = [];
    for (let at = this.consumerPosition; at < this.producerPosition;) {
      const header = memory.readU32(this.data + at);
      if ((header & BUSY_BIT) !== 0) break;
      const size = header & ~DISCARD_BIT;
      if ((header & DISCARD_BIT) === 0) {
        entries.push({
          key: new Uint8Array(0),
          value: memory.read(this.data + at + BigInt(HEADER_BYTES), size),
        });
      }
      at += BigInt(roundUp(size + HEADER_BYTES, 8));
    }
    return entries;
  }

  /** bpf_ringbuf_query() */
  query(what: bigint): bigint {
    switch (what) {
      case RINGBUF_QUERY.AVAIL_DATA:
        return this.producerPosition - this.consumerPosition;
      case RINGBUF_QUERY.RING_SIZE:
        return BigInt(this.maxEntries);
      case RINGBUF_QUERY.CONS_POS:
        return this.consumerPosition;
      case RINGBUF_QUERY.PROD_POS:
        return this.producerPosition;
      default:
        return 0n;
    }
  }
}
