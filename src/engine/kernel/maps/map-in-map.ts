import { ERRNO } from '../errno';
import type { KernelEnv } from '../env';
import { allocArray, checkArray, initArray } from './array';
import { HashMap } from './hash';
import { indexKey, indexOf, MapObject, type MapDefinition, type Status } from './map-object';

/** The maps there are, for maps that hold maps. */
export interface MapDirectory {
  byId(id: number): MapObject | undefined;
  byAddress(address: bigint): MapObject | undefined;
}

/** The pointer that a user-side value (a map id here, a file descriptor in a kernel) stands for; 0 when there is none. */
function pointerFor(maps: MapDirectory, value: Uint8Array): bigint {
  return maps.byId(indexOf(value))?.address ?? 0n;
}

/** BPF_MAP_TYPE_ARRAY_OF_MAPS: values are struct bpf_map pointers; a program's lookup gives the inner map itself. */
export class ArrayOfMaps extends MapObject {
  private readonly pointers: bigint;

  constructor(
    env: KernelEnv,
    definition: MapDefinition,
    id: number,
    private readonly maps: MapDirectory,
  ) {
    checkArray(definition);
    const address = allocArray(env, definition, 8 * definition.maxEntries);
    super(env, definition, id, address, 'array_of_maps_map_ops');
    initArray(env, address, definition, 8);
    this.pointers = address + BigInt(env.structs.offset('bpf_array.ptrs'));
  }

  override lookup(key: Uint8Array): bigint {
    const index = indexOf(key);
    return index < this.maxEntries ? this.env.memory.readU64(this.pointers + BigInt(8 * index)) : 0n;
  }

  override userKeys(): Uint8Array[] {
    return Array.from({ length: this.maxEntries }, (_, index) => indexKey(index));
  }

  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const inner = this.maps.byAddress(this.lookup(key));
    return inner && indexKey(inner.id);
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    if (flags !== 0n) return -ERRNO.EINVAL;
    if (indexOf(key) >= this.maxEntries) return -ERRNO.E2BIG;
    const pointer = pointerFor(this.maps, value);
    if (pointer === 0n) return -ERRNO.EBADF;
    this.env.memory.writeU64(this.pointers + BigInt(8 * indexOf(key)), pointer);
    return 0;
  }

  override userDelete(key: Uint8Array): Status {
    if (indexOf(key) >= this.maxEntries) return -ERRNO.E2BIG;
    if (this.lookup(key) === 0n) return -ERRNO.ENOENT;
    this.env.memory.writeU64(this.pointers + BigInt(8 * indexOf(key)), 0n);
    return 0;
  }
}

/** BPF_MAP_TYPE_HASH_OF_MAPS: a hash map whose values are struct bpf_map pointers. */
export class HashOfMaps extends HashMap {
  constructor(
    env: KernelEnv,
    definition: MapDefinition,
    id: number,
    private readonly maps: MapDirectory,
  ) {
    super(env, definition, id, { perCpu: false, lru: false, ops: 'htab_of_maps_map_ops' });
  }

  override lookup(key: Uint8Array): bigint {
    const elem = this.findElem(key);
    return elem === 0n ? 0n : this.env.memory.readU64(elem + this.valueOffset);
  }

  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const inner = this.maps.byAddress(this.lookup(key));
    return inner && indexKey(inner.id);
  }

  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    const pointer = pointerFor(this.maps, value);
    if (pointer === 0n) return -ERRNO.EBADF;
    const status = this.update(key, value, flags);
    // The pool rounds values up to 8 bytes, which leaves room for the pointer behind the 4-byte descriptor.
    if (status === 0) this.env.memory.writeU64(this.findElem(key) + this.valueOffset, pointer);
    return status;
  }
}
