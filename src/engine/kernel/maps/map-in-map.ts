import { ERRNO } from '../errno';
import type { KernelEnv } from '../env';
import { allocArray, checkArray, initArray } from './array';
import { HashMap } from './hash';
import { indexKey, indexOf, MapObject, writeAttributes, type MapDefinition, type Status } from './map-object';

/** The maps there are, for maps that hold maps. */
export interface MapDirectory {
  byId(id: number): MapObject | undefined;
  byAddress(address: bigint): MapObject | undefined;
}

const BPF_MAP_TYPE_ARRAY = 2;
/** Arrays with this flag may stand in for arrays of another size. */
const BPF_F_INNER_MAP = 1 << 12;

/** What the inner maps of a map are like, with a struct bpf_map of its own (inner_map_meta). */
export interface InnerMaps {
  readonly definition: MapDefinition;
  /** Address of the struct bpf_map that only describes. */
  readonly meta: bigint;
}

/** bpf_map_meta_alloc(): undefined when the outer map does not say what it holds. */
function innerMaps(env: KernelEnv, outer: MapObject, definition: MapDefinition): InnerMaps | undefined {
  if (!definition.inner) return undefined;
  const meta = env.space.kmalloc(env.structs.size('bpf_array'));
  writeAttributes(env, meta, definition.inner);
  env.structs.set(outer.address, 'bpf_map.inner_map_meta', meta);
  return { definition: definition.inner, meta };
}

/**
 * The pointer that a user-side value (a map id here, a file descriptor in a kernel) stands for, or a negative errno: the map must exist
 * and be as the outer map says (bpf_map_meta_equal()).
 */
function pointerFor(maps: MapDirectory, value: Uint8Array, inner: InnerMaps | undefined): bigint | number {
  const map = maps.byId(indexOf(value));
  if (!map) return -ERRNO.EBADF;
  if (!inner) return map.address;
  const { definition } = inner;
  const alike =
    map.type === definition.type &&
    map.keySize === definition.keySize &&
    map.valueSize === definition.valueSize &&
    map.flags === definition.flags;
  const sizeCounts = map.type === BPF_MAP_TYPE_ARRAY && (map.flags & BPF_F_INNER_MAP) === 0;
  return alike && (!sizeCounts || map.maxEntries === definition.maxEntries) ? map.address : -ERRNO.EINVAL;
}

/** BPF_MAP_TYPE_ARRAY_OF_MAPS: values are struct bpf_map pointers; a program's lookup gives the inner map itself. */
export class ArrayOfMaps extends MapObject {
  private readonly pointers: bigint;
  readonly inner: InnerMaps | undefined;

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
    this.inner = innerMaps(env, this, definition);
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
    const pointer = pointerFor(this.maps, value, this.inner);
    if (typeof pointer === 'number') return pointer;
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
  readonly inner: InnerMaps | undefined;

  constructor(
    env: KernelEnv,
    definition: MapDefinition,
    id: number,
    private readonly maps: MapDirectory,
  ) {
    super(env, definition, id, { perCpu: false, lru: false, ops: 'htab_of_maps_map_ops' });
    this.inner = innerMaps(env, this, definition);
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
    const pointer = pointerFor(this.maps, value, this.inner);
    if (typeof pointer === 'number') return pointer;
    const status = this.update(key, value, flags);
    // The pool rounds values up to 8 bytes, which leaves room for the pointer behind the 4-byte descriptor.
    if (status === 0) this.env.memory.writeU64(this.findElem(key) + this.valueOffset, pointer);
    return status;
  }
}
