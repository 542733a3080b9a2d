import { ERRNO, errnoError } from '../errno';
import type { KernelEnv } from '../env';
import { MapObject, UPDATE, type MapDefinition, type Status } from './map-object';

/** Bytes of struct bpf_queue_stack behind bpf_map: lock, head, tail, size. */
const HEADER_BYTES = 16;

/**
 * BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK (kernel/bpf/queue_stack_maps.c): a ring of max_entries + 1 values; head is where
 * the next value goes, tail where a queue takes from.
 */
export class QueueStackMap extends MapObject {
  private readonly base: bigint;
  private readonly size: number;

  constructor(
    env: KernelEnv,
    definition: MapDefinition,
    id: number,
    private readonly stack: boolean,
  ) {
    const { name, keySize, valueSize, maxEntries } = definition;
    if (keySize !== 0 || valueSize === 0 || maxEntries === 0) {
      throw errnoError(
        'EINVAL',
        `Map ${name} is a ${stack ? 'stack' : 'queue'}: it needs values, entries and no key`,
        { map: name },
      );
    }
    const header = env.structs.size('bpf_map') + HEADER_BYTES;
    const address = env.space.mapArea(header + (maxEntries + 1) * valueSize, `map ${name}`);
    super(env, definition, id, address, stack ? 'stack_map_ops' : 'queue_map_ops');
    this.base = address + BigInt(env.structs.size('bpf_map'));
    this.size = maxEntries + 1;
    env.memory.writeU32(this.base + 12n, this.size);
  }

  private get headIndex(): number {
    return this.env.memory.readU32(this.base + 4n);
  }
  private set headIndex(index: number) {
    this.env.memory.writeU32(this.base + 4n, index);
  }
  private get tailIndex(): number {
    return this.env.memory.readU32(this.base + 8n);
  }
  private set tailIndex(index: number) {
    this.env.memory.writeU32(this.base + 8n, index);
  }

  private at(index: number): bigint {
    return this.base + BigInt(HEADER_BYTES + index * this.valueSize);
  }

  private next(index: number): number {
    return (index + 1) % this.size;
  }

  /** queue_stack_map_push_elem(): a full map refuses, or with BPF_EXIST drops its oldest value. */
  override push(value: Uint8Array, flags: bigint): Status {
    const replace = (flags & UPDATE.EXIST) !== 0n;
    if ((flags & UPDATE.NOEXIST) !== 0n || flags > UPDATE.EXIST) return -ERRNO.EINVAL;
    if (this.next(this.headIndex) === this.tailIndex) {
      if (!replace) return -ERRNO.E2BIG;
      this.tailIndex = this.next(this.tailIndex);
    }
    this.env.memory.write(this.at(this.headIndex), value.subarray(0, this.valueSize));
    this.headIndex = this.next(this.headIndex);
    return 0;
  }

  override take(target: bigint, remove: boolean): Status {
    const { memory } = this.env;
    if (this.headIndex === this.tailIndex) {
      memory.write(target, new Uint8Array(this.valueSize));
      return -ERRNO.ENOENT;
    }
    const index = this.stack ? (this.headIndex + this.size - 1) % this.size : this.tailIndex;
    memory.write(target, memory.read(this.at(index), this.valueSize));
    if (remove) {
      if (this.stack) this.headIndex = index;
      else this.tailIndex = this.next(index);
    }
    return 0;
  }

  /** What is in it, next value first. User space itself can only pop. */
  private contents(): Uint8Array[] {
    const values: Uint8Array[] = [];
    for (let i = this.tailIndex; i !== this.headIndex; i = this.next(i)) {
      values.push(this.env.memory.read(this.at(i), this.valueSize));
    }
    return this.stack ? values.reverse() : values;
  }

  override userEntries(): { key: Uint8Array; value: Uint8Array }[] {
    return this.contents().map((value) => ({ key: new Uint8Array(0), value }));
  }

  override userUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    return this.push(value, flags);
  }
}
