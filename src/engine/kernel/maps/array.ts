import { roundUp } from '../../base/u64';
import { PAGE_SIZE } from '../addresses';
import { ERRNO, errnoError } from '../errno';
import type { KernelEnv } from '../env';
import {
  UPDATE,
  indexKey,
  indexOf,
  MapObject,
  type MapDefinition,
  type Status,
  type WalkStep,
} from './map-object';

/** Values may be mapped into user space: they begin on a page, the header sits at the end of the page before. */
const BPF_F_MMAPABLE = 1 << 10;
/** Flags that array maps take (ARRAY_CREATE_FLAG_MASK): NUMA node, read and write restrictions, mmap, inner map. */
const ARRAY_FLAGS =
  (1 << 2) | (1 << 3) | (1 << 4) | (1 << 7) | (1 << 8) | (1 << 9) | BPF_F_MMAPABLE | (1 << 12);

/** @throws EngineError `kernel/errno` EINVAL, as array_map_alloc_check() */
export function checkArray(definition: MapDefinition): void {
  const { name, maxEntries, keySize, valueSize, flags } = definition;
  if (maxEntries === 0 || keySize !== 4 || valueSize === 0 || (flags & ~ARRAY_FLAGS) !== 0) {
    throw errnoError(
      'EINVAL',
      `Array map ${name} needs 4-byte keys, values and entries; it has key_size ${keySize}, value_size ${valueSize}, ` +
        `max_entries ${maxEntries}, flags 0x${flags.toString(16)}`,
      { map: name },
    );
  }
}

/** The struct bpf_array with room for `bytes` behind its header; values page-aligned where they may be mapped. */
export function allocArray(env: KernelEnv, definition: MapDefinition, bytes: number): bigint {
  const header = env.structs.offset('bpf_array.value');
  const name = `map ${definition.name}`;
  if ((definition.flags & BPF_F_MMAPABLE) === 0) return env.space.mapArea(header + bytes, name);
  return env.space.vmalloc(PAGE_SIZE + bytes, name) + BigInt(PAGE_SIZE - header);
}

/** Writes what bpf_array has beyond bpf_map. `index_mask` is that of the next power of two, as for unprivileged loads. */
export function initArray(
  env: KernelEnv,
  address: bigint,
  definition: MapDefinition,
  elemSize: number,
): void {
  env.structs.set(address, 'bpf_array.elem_size', elemSize);
  const bits = Math.ceil(Math.log2(definition.maxEntries));
  env.structs.set(address, 'bpf_array.index_mask', 2 ** bits - 1);
}

/** A map whose keys are the indexes from 0 to max_entries - 1, all of which have a value from the start. */
export abstract class IndexedMap extends MapObject {
  /** Address of a value. */
  protected abstract at(index: number): bigint;

  override lookup(key: Uint8Array): bigint {
    const index = indexOf(key);
    return index < this.maxEntries ? this.at(index) : 0n;
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    const status = arrayUpdateStatus(indexOf(key), this.maxEntries, flags);
    if (status === 0) this.env.memory.write(this.at(indexOf(key)), value.subarray(0, this.valueSize));
    return status;
  }

  override walk(cursor: bigint): WalkStep | undefined {
    const index = Number(cursor);
    return index < this.maxEntries
      ? { cursor: cursor + 1n, key: { index }, value: this.at(index) }
      : undefined;
  }

  override userKeys(): Uint8Array[] {
    return Array.from({ length: this.maxEntries }, (_, index) => indexKey(index));
  }
}

/** BPF_MAP_TYPE_ARRAY: max_entries values of round_up(value_size, 8) bytes behind the header (kernel/bpf/arraymap.c). */
export class ArrayMap extends IndexedMap {
  private readonly elemSize: number;
  private readonly first: bigint;

  constructor(env: KernelEnv, definition: MapDefinition, id: number) {
    checkArray(definition);
    const elemSize = roundUp(definition.valueSize, 8);
    const address = allocArray(env, definition, elemSize * definition.maxEntries);
    super(env, definition, id, address, 'array_map_ops');
    initArray(env, address, definition, elemSize);
    this.elemSize = elemSize;
    this.first = address + BigInt(env.structs.offset('bpf_array.value'));
  }

  override get valueAddress(): bigint {
    return this.first;
  }

  protected override at(index: number): bigint {
    return this.first + BigInt(index * this.elemSize);
  }
}

/** What array_map_update_elem() checks before it writes. */
function arrayUpdateStatus(index: number, maxEntries: number, flags: bigint): Status {
  if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST) return -ERRNO.EINVAL;
  if (index >= maxEntries) return -ERRNO.E2BIG;
  if ((flags & UPDATE.NOEXIST) !== 0n) return -ERRNO.EEXIST;
  // A spin lock in the value would be needed for BPF_F_LOCK.
  if ((flags & UPDATE.LOCK) !== 0n) return -ERRNO.EINVAL;
  return 0;
}
