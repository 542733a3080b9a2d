import { roundUp } from '../../base/u64';
import type { KernelEnv } from '../env';
import { allocArray, arrayUpdateStatus, checkArray, initArray } from './array';
import { indexKey, indexOf, MapObject, type MapDefinition, type Status, type WalkStep } from './map-object';

/** BPF_MAP_TYPE_PERCPU_ARRAY: pptrs[i] is the per-CPU pointer of value i. */
export class PerCpuArrayMap extends MapObject {
  private readonly elemSize: number;
  private readonly pointers: bigint;

  constructor(env: KernelEnv, definition: MapDefinition, id: number) {
    checkArray(definition);
    const elemSize = roundUp(definition.valueSize, 8);
    const address = allocArray(env, definition, 8 * definition.maxEntries);
    super(env, definition, id, address, 'percpu_array_map_ops');
    initArray(env, address, definition, elemSize);
    this.elemSize = elemSize;
    this.pointers = address + BigInt(env.structs.offset('bpf_array.pptrs'));
    for (let i = 0; i < definition.maxEntries; i++) {
      env.memory.writeU64(this.pointers + BigInt(8 * i), env.percpu.alloc(elemSize));
    }
  }

  override get userValueSize(): number {
    return this.elemSize;
  }

  private at(index: number): bigint {
    return this.env.percpu.here(this.env.memory.readU64(this.pointers + BigInt(8 * index)));
  }

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

  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const address = this.lookup(key);
    return address === 0n ? undefined : this.env.memory.read(address, this.elemSize);
  }
}
