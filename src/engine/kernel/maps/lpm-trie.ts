import { roundUp } from '../../base/u64';
import { ERRNO, errnoError } from '../errno';
import type { KernelEnv } from '../env';
import { flagStatus, MapObject, UPDATE, type MapDefinition, type Status } from './map-object';

/** struct lpm_trie_node up to its data: rcu head, two children, prefix length, flags. */
const NODE_HEADER = 40;
const NODE_PREFIX = 32n;
const BPF_F_NO_PREALLOC = 1;
/** Largest key data in bytes (LPM_DATA_SIZE_MAX). */
const DATA_MAX = 256;

/**
 * BPF_MAP_TYPE_LPM_TRIE: longest prefix match over keys {u32 prefixlen, data}. Nodes lie in machine memory with data and value
 * behind the header, as in kernel/bpf/lpm_trie.c; they are kept in one list, longest prefix first, where the kernel builds a
 * binary trie: results are the same, and no program can see the links.
 */
export class LpmTrieMap extends MapObject {
  private readonly dataSize: number;
  /** u64: first node, then u64: number of nodes; behind struct bpf_map. */
  private readonly head: bigint;
  private readonly nodeSize: number;

  constructor(env: KernelEnv, definition: MapDefinition, id: number) {
    const { name, keySize, valueSize, maxEntries, flags } = definition;
    if (
      maxEntries === 0 ||
      (flags & BPF_F_NO_PREALLOC) === 0 ||
      keySize < 5 ||
      keySize > 4 + DATA_MAX ||
      valueSize === 0
    ) {
      throw errnoError(
        'EINVAL',
        `LPM trie ${name} needs the flag BPF_F_NO_PREALLOC, keys of 5 to ${4 + DATA_MAX} bytes, values and entries; it has ` +
          `key_size ${keySize}, value_size ${valueSize}, max_entries ${maxEntries}, flags 0x${flags.toString(16)}`,
        { map: name },
      );
    }
    const address = env.space.kmalloc(env.structs.size('bpf_map') + 16);
    super(env, definition, id, address, 'trie_map_ops');
    this.head = address + BigInt(env.structs.size('bpf_map'));
    this.dataSize = keySize - 4;
    this.nodeSize = NODE_HEADER + this.dataSize + roundUp(valueSize, 8);
  }

  private get count(): number {
    return Number(this.env.memory.readU64(this.head + 8n));
  }
  private set count(count: number) {
    this.env.memory.writeU64(this.head + 8n, BigInt(count));
  }

  private prefixAt(node: bigint): number {
    return this.env.memory.readU32(node + NODE_PREFIX);
  }
  private dataAt(node: bigint): Uint8Array {
    return this.env.memory.read(node + BigInt(NODE_HEADER), this.dataSize);
  }
  /** The kernel puts the value right behind the data. */
  private valueAt(node: bigint): bigint {
    return node + BigInt(NODE_HEADER + this.dataSize);
  }

  private *nodes(): Generator<{ node: bigint; link: bigint }> {
    let link = this.head;
    for (let node = this.env.memory.readU64(link); node !== 0n; node = this.env.memory.readU64(link)) {
      yield { node, link };
      link = node + 16n;
    }
  }

  private split(key: Uint8Array): { prefix: number; data: Uint8Array } | undefined {
    const prefix = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    return prefix > 8 * this.dataSize ? undefined : { prefix, data: key.subarray(4, 4 + this.dataSize) };
  }

  /** The node with exactly this prefix. */
  private exact(prefix: number, data: Uint8Array): { node: bigint; link: bigint } | undefined {
    for (const place of this.nodes()) {
      if (this.prefixAt(place.node) === prefix && commonBits(this.dataAt(place.node), data) >= prefix)
        return place;
    }
    return undefined;
  }

  /** trie_lookup_elem(): the longest prefix that is no longer than the key's and matches it. */
  override lookup(key: Uint8Array): bigint {
    const wanted = this.split(key);
    if (!wanted) return 0n;
    for (const { node } of this.nodes()) {
      const prefix = this.prefixAt(node);
      if (prefix <= wanted.prefix && commonBits(this.dataAt(node), wanted.data) >= prefix)
        return this.valueAt(node);
    }
    return 0n;
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): Status {
    const wanted = this.split(key);
    if (flags > UPDATE.EXIST || !wanted) return -ERRNO.EINVAL;
    const old = this.exact(wanted.prefix, wanted.data);
    const status = flagStatus(flags, old !== undefined);
    if (status !== 0) return status;
    const { memory, space } = this.env;
    if (!old && this.count >= this.maxEntries) return -ERRNO.ENOSPC;
    const fresh = space.kmalloc(this.nodeSize);
    memory.writeU32(fresh + NODE_PREFIX, wanted.prefix);
    memory.write(fresh + BigInt(NODE_HEADER), wanted.data);
    memory.write(this.valueAt(fresh), value.subarray(0, this.valueSize));
    if (old) this.remove(old);
    let link = this.head;
    for (const place of this.nodes()) {
      if (this.prefixAt(place.node) <= wanted.prefix) break;
      link = place.node + 16n;
    }
    memory.writeU64(fresh + 16n, memory.readU64(link));
    memory.writeU64(link, fresh);
    this.count++;
    return 0;
  }

  override delete(key: Uint8Array): Status {
    const wanted = this.split(key);
    if (!wanted) return -ERRNO.EINVAL;
    const old = this.exact(wanted.prefix, wanted.data);
    if (!old) return -ERRNO.ENOENT;
    this.remove(old);
    return 0;
  }

  private remove(place: { node: bigint; link: bigint }): void {
    const { memory, space } = this.env;
    memory.writeU64(place.link, memory.readU64(place.node + 16n));
    space.kfree(place.node, this.nodeSize);
    this.count--;
  }

  override userKeys(): Uint8Array[] {
    return [...this.nodes()].map(({ node }) => {
      const key = new Uint8Array(this.keySize);
      new DataView(key.buffer).setUint32(0, this.prefixAt(node), true);
      key.set(this.dataAt(node), 4);
      return key;
    });
  }
}

/** How many leading bits (most significant first) two data have in common. */
function commonBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return 8 * a.length;
}
