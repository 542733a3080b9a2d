import { ERRNO } from '../errno';
import type { KernelEnv } from '../env';
import { HashMap, type HashKind } from './hash';
import { flagStatus, UPDATE, type MapDefinition, type Status } from './map-object';

/** Offset of `ref` in struct bpf_lru_node: behind the list head, the CPU number and the list type. */
const REF_OFFSET = 19n;

/**
 * BPF_MAP_TYPE_LRU_HASH and its per-CPU form. When no element is free, the least recently added one that was not looked up since
 * it was last considered is evicted (kernel/bpf/bpf_lru_list.c; here one list with a second chance, where the kernel keeps an
 * active and an inactive list and evicts in batches).
 */
export class LruHashMap extends HashMap {
  /** List head in struct bpf_htab: next = newest, prev = oldest. */
  private readonly head: bigint;
  private readonly node: bigint;

  constructor(env: KernelEnv, definition: MapDefinition, id: number, kind: HashKind) {
    super(env, definition, id, kind);
    this.node = BigInt(env.structs.offset('htab_elem.lru_node'));
    // Behind the free list, which shares the union with the LRU lists.
    this.head = this.address + BigInt(env.structs.offset('bpf_htab.lru') + 32);
    env.memory.writeU64(this.head, this.head);
    env.memory.writeU64(this.head + 8n, this.head);
  }

  /** A program's lookup marks the element as used (htab_lru_map_lookup_elem()); inlined code does it by itself. */
  override lookup(key: Uint8Array): bigint {
    const elem = this.findElem(key);
    if (elem === 0n) return 0n;
    this.setRef(elem, 1);
    return this.valueAt(elem);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    if (flags > UPDATE.EXIST) return -ERRNO.EINVAL;
    const old = this.findElem(key);
    const status = flagStatus(flags, old !== 0n);
    if (status !== 0) return status;
    if (old !== 0n && this.kind.perCpu) {
      this.setRef(old, 1);
      this.env.memory.write(this.valueAt(old), value.subarray(0, this.valueSize));
      return 0;
    }
    if (old !== 0n) this.release(old);
    const fresh = this.popFree() || this.evict();
    if (fresh === 0n) return -ERRNO.ENOMEM;
    this.fill(fresh, key, value);
    this.setRef(fresh, old === 0n ? 0 : 1);
    this.link(fresh);
    this.addNewest(fresh);
    return 0;
  }

  override delete(key: Uint8Array): Status {
    const elem = this.findElem(key);
    if (elem === 0n) return -ERRNO.ENOENT;
    this.release(elem);
    return 0;
  }

  private release(elem: bigint): void {
    this.unlink(elem);
    this.removeFromList(elem);
    this.pushFree(elem);
  }

  /** Frees the oldest element without a reference mark; marks are cleared on the way. */
  private evict(): bigint {
    const { memory } = this.env;
    for (let tries = 0; tries <= 2 * this.maxEntries; tries++) {
      const oldest = memory.readU64(this.head + 8n);
      if (oldest === this.head) return 0n;
      const elem = oldest - this.node;
      this.removeFromList(elem);
      if (memory.readU8(oldest + REF_OFFSET) === 0) {
        this.unlink(elem);
        return elem;
      }
      this.setRef(elem, 0);
      this.addNewest(elem);
    }
    return 0n;
  }

  private setRef(elem: bigint, ref: number): void {
    this.env.memory.writeU8(elem + this.node + REF_OFFSET, ref);
  }

  private addNewest(elem: bigint): void {
    const { memory } = this.env;
    const node = elem + this.node;
    const next = memory.readU64(this.head);
    memory.writeU64(node, next);
    memory.writeU64(node + 8n, this.head);
    memory.writeU64(next + 8n, node);
    memory.writeU64(this.head, node);
  }

  private removeFromList(elem: bigint): void {
    const { memory } = this.env;
    const node = elem + this.node;
    const [next, previous] = [memory.readU64(node), memory.readU64(node + 8n)];
    memory.writeU64(previous, next);
    memory.writeU64(next + 8n, previous);
  }

  /** User space's lookup does not count as a use (htab_lru_map_lookup_elem_sys()). */
  override userLookup(key: Uint8Array): Uint8Array | undefined {
    const elem = this.findElem(key);
    return elem === 0n ? undefined : this.env.memory.read(this.valueAt(elem), this.userValueSize);
  }
}
