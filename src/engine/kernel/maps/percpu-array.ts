import { roundUp, u64 } from '../../base/u64';
import type { KernelEnv } from '../env';
import { allocArray, checkArray, IndexedMap, initArray } from './array';
import type { MapDefinition } from './map-object';

/** Pointers that are written at a time. */
const WRITE_POINTERS = 8192;

/** BPF_MAP_TYPE_PERCPU_ARRAY: pptrs[i] is the per-CPU pointer of value i. */
export class PerCpuArrayMap extends IndexedMap {
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
    this.writePointers(env.percpu.alloc(elemSize * definition.maxEntries));
  }

  /** pptrs for values that lie one behind the other, from the per-CPU pointer of the first; in few large writes. */
  private writePointers(first: bigint): void {
    for (let from = 0; from < this.maxEntries; from += WRITE_POINTERS) {
      const count = Math.min(WRITE_POINTERS, this.maxEntries - from);
      const pointers = BigUint64Array.from({ length: count }, (_, i) =>
        u64(first + BigInt((from + i) * this.elemSize)),
      );
      this.env.memory.write(this.pointers + BigInt(8 * from), new Uint8Array(pointers.buffer));
    }
  }

  override get userValueSize(): number {
    return this.elemSize;
  }

  protected override at(index: number): bigint {
    return this.env.percpu.here(this.env.memory.readU64(this.pointers + BigInt(8 * index)));
  }

  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const address = this.lookup(key);
    return address === 0n ? undefined : this.env.memory.read(address, this.elemSize);
  }
}
