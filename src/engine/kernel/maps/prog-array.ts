import { ERRNO } from '../errno';
import type { KernelEnv } from '../env';
import { allocArray, checkArray, initArray } from './array';
import { indexKey, indexOf, MapObject, type MapDefinition, type Status } from './map-object';

/** What a prog array needs to know of a loaded program; the kernel model gives it. */
export interface ProgDirectory {
  /** Id of the program whose struct bpf_prog lies at the address. */
  idAt(address: bigint): number | undefined;
  /** Address of the struct bpf_prog with the id. */
  addressOf(id: number): bigint | undefined;
  /** Whether the map accepts the program (bpf_prog_map_compatible()). */
  accepts(map: ProgArrayMap, id: number): boolean;
}

/** BPF_MAP_TYPE_PROG_ARRAY: ptrs[i] is a struct bpf_prog * or NULL. User space writes file descriptors, here program ids, and reads ids. */
export class ProgArrayMap extends MapObject {
  private readonly pointers: bigint;

  constructor(
    env: KernelEnv,
    definition: MapDefinition,
    id: number,
    private readonly programs: ProgDirectory,
  ) {
    checkArray(definition);
    const address = allocArray(env, definition, 8 * definition.maxEntries);
    super(env, definition, id, address, 'prog_array_map_ops');
    initArray(env, address, definition, 8);
    this.pointers = address + BigInt(env.structs.offset('bpf_array.ptrs'));
  }

  /** Address of the struct bpf_prog at the index, 0 when the slot is empty or beyond the end. */
  programAt(index: number): bigint {
    return index < this.maxEntries ? this.env.memory.readU64(this.pointers + BigInt(8 * index)) : 0n;
  }

  override userKeys(): Uint8Array[] {
    return Array.from({ length: this.maxEntries }, (_, index) => indexKey(index));
  }

  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const id = this.programs.idAt(this.programAt(indexOf(key)));
    return id === undefined ? undefined : indexKey(id);
  }

  /** bpf_fd_array_map_update_elem(); `value` is a program id. */
  override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    if (flags !== 0n) return -ERRNO.EINVAL;
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    const id = indexOf(value);
    const address = this.programs.addressOf(id);
    if (address === undefined) return -ERRNO.EBADF;
    if (!this.programs.accepts(this, id)) return -ERRNO.EINVAL;
    this.env.memory.writeU64(this.pointers + BigInt(8 * index), address);
    return 0;
  }

  override userDelete(key: Uint8Array): Status {
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    if (this.programAt(index) === 0n) return -ERRNO.ENOENT;
    this.env.memory.writeU64(this.pointers + BigInt(8 * index), 0n);
    return 0;
  }
}
