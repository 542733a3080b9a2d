import { EngineError } from '../../base/errors';
import { ERRNO } from '../errno';
import type { KernelEnv } from '../env';
import type { KernelMap, MapAttributes } from '../types';

/** What a map is created from. */
export type MapDefinition = MapAttributes;

/** `flags` of map updates. */
export const UPDATE = { ANY: 0n, NOEXIST: 1n, EXIST: 2n, LOCK: 4n } as const;

/** 0, or a negative errno, as kernel functions return it. */
export type Status = number;

/** One step of a walk over a map for bpf_for_each_map_elem. */
export interface WalkStep {
  /** Pass it to walk() for the next element; never 0. */
  readonly cursor: bigint;
  /** Address of the key, or the index itself for arrays (the kernel then passes a pointer to a copy). */
  readonly key: { readonly address: bigint } | { readonly index: number };
  /** Address of the value. */
  readonly value: bigint;
}

/**
 * A map of the modelled kernel: `struct bpf_map` and all its elements lie in machine memory, laid out as code that the
 * verifier inlines expects (spec 9.9). Subclasses, one a map type, keep no other state, so that a machine snapshot holds
 * the map. Program-side operations mirror map->ops; user-side ones mirror the bpf() commands.
 */
export abstract class MapObject implements KernelMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;

  constructor(
    protected readonly env: KernelEnv,
    definition: MapDefinition,
    readonly id: number,
    /** Address of struct bpf_map. */
    readonly address: bigint,
    opsSymbol: string,
  ) {
    this.name = definition.name;
    this.type = definition.type;
    this.keySize = definition.keySize;
    this.valueSize = definition.valueSize;
    this.maxEntries = definition.maxEntries;
    this.flags = definition.flags;
    const { structs } = env;
    writeAttributes(env, address, definition);
    structs.set(address, 'bpf_map.ops', env.symbols.find(opsSymbol) ?? 0n);
    structs.set(address, 'bpf_map.id', id);
    structs.set(address, 'bpf_map.numa_node', -1);
    structs.set(address, 'bpf_map.refcnt', 1);
    structs.set(address, 'bpf_map.usercnt', 1);
    structs.set(address, 'bpf_map.bypass_spec_v1', 1);
    structs.setText(address, 'bpf_map.name', definition.name);
  }

  /** True once user space may not change it any more (BPF_MAP_FREEZE). */
  get frozen(): boolean {
    return this.env.structs.getNumber(this.address, 'bpf_map.frozen') !== 0;
  }

  /** BPF_MAP_FREEZE */
  freeze(): void {
    this.env.structs.set(this.address, 'bpf_map.frozen', 1);
  }

  /** Address of the first value, for types whose values ld_imm64 may point into. */
  get valueAddress(): bigint | undefined {
    return undefined;
  }

  /** Bytes of a value as user space gives and gets it: for per-CPU maps one 8-byte-rounded slot for the one CPU. */
  get userValueSize(): number {
    return this.valueSize;
  }

  // ---- program side -------------------------------------------------------------------------------------------

  /** Address of the value, 0 when there is none. */
  lookup(_key: Uint8Array): bigint {
    return 0n;
  }

  update(_key: Uint8Array, _value: Uint8Array, _flags: bigint): Status {
    return -ERRNO.EINVAL;
  }

  delete(_key: Uint8Array): Status {
    return -ERRNO.EINVAL;
  }

  push(_value: Uint8Array, _flags: bigint): Status {
    return -ERRNO.ENOTSUPP;
  }

  /** Copies the next value to `target`; removes it when `remove`. */
  take(_target: bigint, _remove: boolean): Status {
    return -ERRNO.ENOTSUPP;
  }

  /** The element behind `cursor` (0 = before the first); undefined at the end. For bpf_for_each_map_elem. */
  walk(_cursor: bigint): WalkStep | undefined {
    return undefined;
  }

  // ---- user side ----------------------------------------------------------------------------------------------

  /** Keys in the order of BPF_MAP_GET_NEXT_KEY. */
  userKeys(): Uint8Array[] {
    throw this.refused('listing its elements');
  }

  /** Keys and values as user space reads them one by one; a map without keys gives its values. */
  userEntries(): { key: Uint8Array; value: Uint8Array }[] {
    return this.userKeys().flatMap((key) => {
      const value = this.userLookup(key);
      return value ? [{ key, value }] : [];
    });
  }

  /** The value as user space gets it; undefined = -ENOENT. */
  userLookup(key: Uint8Array): Uint8Array | undefined {
    const address = this.lookup(key);
    return address === 0n ? undefined : this.env.memory.read(address, this.valueSize);
  }

  userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    return this.update(key, value, flags);
  }

  userDelete(key: Uint8Array): Status {
    return this.delete(key);
  }

  protected refused(what: string): EngineError {
    return new EngineError(
      'kernel/map-operation',
      `Map ${this.name} does not support ${what}; its type is ${this.type}.`,
      {
        map: this.name,
        type: this.type,
      },
    );
  }
}

/** The members of struct bpf_map that say what kind of map it is. */
export function writeAttributes({ structs }: KernelEnv, address: bigint, definition: MapDefinition): void {
  structs.set(address, 'bpf_map.map_type', definition.type);
  structs.set(address, 'bpf_map.key_size', definition.keySize);
  structs.set(address, 'bpf_map.value_size', definition.valueSize);
  structs.set(address, 'bpf_map.max_entries', definition.maxEntries);
  structs.set(address, 'bpf_map.map_flags', definition.flags);
}

/** The u32 index that an array-like map's key is. */
export function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0, true);
}

/** The 4-byte key for an index. */
export function indexKey(index: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
}

/** As check_flags() of the array maps and the flag test of the hash maps: NOEXIST and EXIST exclude each other. */
export function flagStatus(flags: bigint, exists: boolean): Status {
  if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST) return -ERRNO.EINVAL;
  if (exists && (flags & 3n) === UPDATE.NOEXIST) return -ERRNO.EEXIST;
  if (!exists && (flags & 3n) === UPDATE.EXIST) return -ERRNO.ENOENT;
  return 0;
}
