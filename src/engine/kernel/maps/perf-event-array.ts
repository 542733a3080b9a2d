import { ERRNO, errnoError } from '../errno';
import type { KernelEnv } from '../env';
import { allocArray, initArray } from './array';
import { indexKey, indexOf, MapObject, type MapDefinition, type Status } from './map-object';

/**
 * BPF_MAP_TYPE_PERF_EVENT_ARRAY: ptrs[cpu] is NULL until user space opens a perf event there and puts its descriptor in. The model
 * opens one for any value written; programs that output before that get -ENOENT, as under BPF_PROG_TEST_RUN.
 */
export class PerfEventArrayMap extends MapObject {
  private readonly pointers: bigint;

  constructor(env: KernelEnv, definition: MapDefinition, id: number) {
    // libbpf lets max_entries 0 stand for the number of CPUs.
    const sized = { ...definition, maxEntries: definition.maxEntries || 1 };
    if (sized.keySize !== 4 || sized.valueSize !== 4) {
      throw errnoError('EINVAL', `Perf event array ${sized.name} needs 4-byte keys and values`, {
        map: sized.name,
      });
    }
    const address = allocArray(env, sized, 8 * sized.maxEntries);
    super(env, sized, id, address, 'perf_event_array_map_ops');
    initArray(env, address, sized, 8);
    this.pointers = address + BigInt(env.structs.offset('bpf_array.ptrs'));
  }

  /** Whether a perf event is open for the index. */
  isOpen(index: number): boolean {
    return this.env.memory.readU64(this.pointers + BigInt(8 * index)) !== 0n;
  }

  override userKeys(): Uint8Array[] {
    return Array.from({ length: this.maxEntries }, (_, index) => indexKey(index)).filter((key) =>
      this.isOpen(indexOf(key)),
    );
  }

  /** The kernel gives no values back; what a debugger can show is which are open. */
  override userLookup(key: Uint8Array): Uint8Array | undefined {
    return indexOf(key) < this.maxEntries && this.isOpen(indexOf(key)) ? indexKey(1) : undefined;
  }

  override userUpdate(key: Uint8Array, _value: Uint8Array, flags: bigint): Status {
    if (flags !== 0n) return -ERRNO.EINVAL;
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    // struct bpf_event_entry; programs cannot see it.
    if (!this.isOpen(index))
      this.env.memory.writeU64(this.pointers + BigInt(8 * index), this.env.space.kmalloc(64));
    return 0;
  }

  override userDelete(key: Uint8Array): Status {
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    if (!this.isOpen(index)) return -ERRNO.ENOENT;
    this.env.memory.writeU64(this.pointers + BigInt(8 * index), 0n);
    return 0;
  }
}
