import { sameBytes } from '../../base/bytes';
import { roundUp, u64 } from '../../base/u64';
import { ERRNO, errnoError } from '../errno';
import type { KernelEnv } from '../env';
import { jhash } from './jhash';
import { flagStatus, MapObject, UPDATE, type MapDefinition, type Status, type WalkStep } from './map-object';

/** sizeof(struct bucket): list head and lock. */
const BUCKET_BYTES = 16;
/** Flags of hash maps: no preallocation, separate LRU lists, NUMA node, access, zero seed. */
const HASH_FLAGS = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 6) | (1 << 7) | (1 << 8);
const BPF_F_NO_PREALLOC = 1 << 0;
const BPF_F_ZERO_SEED = 1 << 6;

/** One of the four hash types. */
export interface HashKind {
  readonly perCpu: boolean;
  readonly lru: boolean;
  readonly ops: string;
}

/**
 * BPF_MAP_TYPE_HASH and its per-CPU form (kernel/bpf/hashtab.c): struct bpf_htab, an array of buckets and a pool of
 * struct htab_elem with key and value behind the header. All links, the free list and the counts lie in machine memory.
 */
export class HashMap extends MapObject {
  protected readonly elemSize: number;
  protected readonly keyOffset: bigint;
  /** From the element: where the value lies, or for per-CPU maps the per-CPU pointer to it. */
  readonly valueOffset: bigint;
  private readonly buckets: bigint;
  private readonly bucketCount: number;
  private readonly seed: number;
  private readonly elems: bigint;
  private readonly elemCount: number;
  /** Per-CPU pointer to the values of all elements, in the order of the pool. */
  private readonly perCpuValues: bigint;

  constructor(
    env: KernelEnv,
    definition: MapDefinition,
    id: number,
    protected readonly kind: HashKind,
  ) {
    checkHash(definition, kind);
    const { structs, space, memory } = env;
    const address = space.mapArea(structs.size('bpf_htab'), `map ${definition.name}`);
    super(env, definition, id, address, kind.ops);
    const keyRoom = roundUp(definition.keySize, 8);
    this.keyOffset = BigInt(structs.offset('htab_elem.key'));
    this.valueOffset = this.keyOffset + BigInt(keyRoom);
    this.elemSize = Number(this.valueOffset) + (kind.perCpu ? 8 : roundUp(definition.valueSize, 8));
    this.bucketCount = 2 ** Math.ceil(Math.log2(definition.maxEntries));
    this.seed = (definition.flags & BPF_F_ZERO_SEED) !== 0 ? 0 : env.random.next32();
    // One element more than max_entries lets an update write the new element before it frees the old one.
    this.elemCount = definition.maxEntries + (this.hasSpare ? 1 : 0);
    this.buckets = space.mapArea(this.bucketCount * BUCKET_BYTES, `map ${definition.name} buckets`);
    this.elems = space.mapArea(this.elemCount * this.elemSize, `map ${definition.name} elements`);
    this.perCpuValues = kind.perCpu
      ? env.percpu.alloc(this.elemCount * roundUp(definition.valueSize, 8))
      : 0n;
    structs.set(address, 'bpf_htab.buckets', this.buckets);
    structs.set(address, 'bpf_htab.elems', this.elems);
    structs.set(address, 'bpf_htab.n_buckets', this.bucketCount);
    structs.set(address, 'bpf_htab.elem_size', this.elemSize);
    structs.set(address, 'bpf_htab.hashrnd', this.seed);
    if (this.hasSpare) {
      const spare = env.percpu.alloc(8);
      structs.set(address, 'bpf_htab.extra_elems', spare);
      memory.writeU64(env.percpu.here(spare), this.elem(this.elemCount - 1));
    }
  }

  /** Whether an update of a present key swaps elements instead of writing in place. */
  private get hasSpare(): boolean {
    return !this.kind.perCpu && !this.kind.lru;
  }

  override get userValueSize(): number {
    return this.kind.perCpu ? roundUp(this.valueSize, 8) : this.valueSize;
  }

  protected elem(index: number): bigint {
    return this.elems + BigInt(index * this.elemSize);
  }

  protected hashOf(key: Uint8Array): number {
    return jhash(key, this.seed);
  }

  private bucket(hash: number): bigint {
    return this.buckets + BigInt((hash & (this.bucketCount - 1)) * BUCKET_BYTES);
  }

  protected keyAt(elem: bigint): Uint8Array {
    return this.env.memory.read(elem + this.keyOffset, this.keySize);
  }

  /** Address of the value of an element for the running CPU. */
  protected valueAt(elem: bigint): bigint {
    const at = elem + this.valueOffset;
    return this.kind.perCpu ? this.env.percpu.here(this.env.memory.readU64(at)) : at;
  }

  /** __htab_map_lookup_elem(): the struct htab_elem with the key, or 0. */
  findElem(key: Uint8Array): bigint {
    const hash = this.hashOf(key);
    const { memory, structs } = this.env;
    for (let elem = memory.readU64(this.bucket(hash)); !isNulls(elem); elem = memory.readU64(elem)) {
      if (structs.getNumber(elem, 'htab_elem.hash') === hash && sameBytes(this.keyAt(elem), key)) return elem;
    }
    return 0n;
  }

  override lookup(key: Uint8Array): bigint {
    const elem = this.findElem(key);
    return elem === 0n ? 0n : this.valueAt(elem);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    if ((flags & ~UPDATE.LOCK) > UPDATE.EXIST || (flags & UPDATE.LOCK) !== 0n) return -ERRNO.EINVAL;
    const old = this.findElem(key);
    const status = flagStatus(flags, old !== 0n);
    if (status !== 0) return status;
    if (old !== 0n && this.kind.perCpu) {
      this.env.memory.write(this.valueAt(old), value.subarray(0, this.valueSize));
      return 0;
    }
    const fresh = old === 0n ? this.popFree() : this.swapSpare(old);
    if (fresh === 0n) return -ERRNO.E2BIG;
    this.fill(fresh, key, value);
    if (old !== 0n) this.unlink(old);
    this.link(fresh);
    return 0;
  }

  override delete(key: Uint8Array): Status {
    const elem = this.findElem(key);
    if (elem === 0n) return -ERRNO.ENOENT;
    this.unlink(elem);
    this.pushFree(elem);
    return 0;
  }

  /** Writes key, hash and value of an element that is not linked. */
  protected fill(elem: bigint, key: Uint8Array, value: Uint8Array): void {
    const { memory, structs } = this.env;
    memory.write(elem + this.keyOffset, key.subarray(0, this.keySize));
    structs.set(elem, 'htab_elem.hash', this.hashOf(key));
    memory.write(this.valueAt(elem), value.subarray(0, this.valueSize));
  }

  /** Puts the element at the head of its bucket (hlist_nulls_add_head_rcu()). */
  protected link(elem: bigint): void {
    const { memory, structs } = this.env;
    const hash = structs.getNumber(elem, 'htab_elem.hash');
    const head = this.bucket(hash);
    const first = memory.readU64(head) || nulls(hash & (this.bucketCount - 1));
    memory.writeU64(elem, first);
    memory.writeU64(elem + 8n, head);
    if (!isNulls(first)) memory.writeU64(first + 8n, elem);
    memory.writeU64(head, elem);
    this.addCount(1);
  }

  /** Takes the element out of its bucket; its own forward link stays, so that a walk that stands on it can go on. */
  protected unlink(elem: bigint): void {
    const { memory } = this.env;
    const next = memory.readU64(elem);
    const previous = memory.readU64(elem + 8n);
    memory.writeU64(previous, next);
    if (!isNulls(next)) memory.writeU64(next + 8n, previous);
    this.addCount(-1);
  }

  private addCount(by: number): void {
    const { structs } = this.env;
    structs.set(this.address, 'bpf_htab.count', structs.getNumber(this.address, 'bpf_htab.count') + by);
  }

  /** The spare element takes the new value; the old one becomes the spare (alloc_htab_elem() with preallocation). */
  private swapSpare(old: bigint): bigint {
    const { memory, structs, percpu } = this.env;
    const at = percpu.here(structs.get(this.address, 'bpf_htab.extra_elems'));
    const spare = memory.readU64(at);
    memory.writeU64(at, old);
    return spare;
  }

  // The free list: first free element, then how many elements of the pool were ever used.
  private get freeHead(): bigint {
    return this.address + BigInt(this.env.structs.offset('bpf_htab.freelist'));
  }

  /** A free element, 0 when the map is full (pcpu_freelist_pop()). */
  protected popFree(): bigint {
    const { memory, structs } = this.env;
    const head = memory.readU64(this.freeHead);
    if (head !== 0n) {
      memory.writeU64(this.freeHead, memory.readU64(head + BigInt(structs.offset('htab_elem.fnode'))));
      return head;
    }
    const used = Number(memory.readU64(this.freeHead + 8n));
    if (used >= this.maxEntries) return 0n;
    memory.writeU64(this.freeHead + 8n, BigInt(used + 1));
    const elem = this.elem(used);
    if (this.kind.perCpu) {
      const value = u64(this.perCpuValues + BigInt(used * this.userValueSize));
      memory.writeU64(elem + this.valueOffset, value);
    }
    return elem;
  }

  protected pushFree(elem: bigint): void {
    const { memory, structs } = this.env;
    memory.writeU64(elem + BigInt(structs.offset('htab_elem.fnode')), memory.readU64(this.freeHead));
    memory.writeU64(this.freeHead, elem);
  }

  /** First element of bucket `from` or a later one, 0 when there is none. */
  private firstFrom(from: number): bigint {
    for (let i = from; i < this.bucketCount; i++) {
      const elem = this.env.memory.readU64(this.buckets + BigInt(i * BUCKET_BYTES));
      if (!isNulls(elem)) return elem;
    }
    return 0n;
  }

  /** The element behind this one in the order of buckets, 0 at the end. */
  private after(elem: bigint): bigint {
    const next = this.env.memory.readU64(elem);
    return isNulls(next) ? this.firstFrom(Number(next >> 1n) + 1) : next;
  }

  /** The cursor is the element to come (its successor is found before the callback may delete it); 1 = none is left. */
  override walk(cursor: bigint): WalkStep | undefined {
    const elem = cursor === 0n ? this.firstFrom(0) : cursor;
    if (elem === 0n || elem === 1n) return undefined;
    return {
      cursor: this.after(elem) || 1n,
      key: { address: elem + this.keyOffset },
      value: this.valueAt(elem),
    };
  }

  override userKeys(): Uint8Array[] {
    const keys: Uint8Array[] = [];
    for (let elem = this.firstFrom(0); elem !== 0n; elem = this.after(elem)) keys.push(this.keyAt(elem));
    return keys;
  }

  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const elem = this.findElem(key);
    return elem === 0n ? undefined : this.env.memory.read(this.valueAt(elem), this.userValueSize);
  }
}

/** The end marker of bucket i (hlist_nulls): odd, with the bucket's number. */
const nulls = (bucket: number): bigint => (BigInt(bucket) << 1n) | 1n;
/** Buckets begin as zeros, which are nulls as well: a map of millions of entries is made in no time. */
const isNulls = (pointer: bigint): boolean => pointer === 0n || (pointer & 1n) !== 0n;

/** @throws EngineError `kernel/errno` EINVAL, as htab_map_alloc_check() */
function checkHash(definition: MapDefinition, kind: HashKind): void {
  const { name, maxEntries, keySize, valueSize, flags } = definition;
  const wrongFlags = (flags & ~HASH_FLAGS) !== 0 || (kind.lru && (flags & BPF_F_NO_PREALLOC) !== 0);
  if (maxEntries === 0 || keySize === 0 || valueSize === 0 || wrongFlags) {
    throw errnoError(
      'EINVAL',
      `Hash map ${name} needs keys, values and entries, and flags that its type knows; it has key_size ${keySize}, ` +
        `value_size ${valueSize}, max_entries ${maxEntries}, flags 0x${flags.toString(16)}`,
      { map: name },
    );
  }
}
