import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../base/hex';
import { parseProfile } from '../../jit/profile';
import { makeEnv, makeWorld, numbers, u32le, u64le } from '../testing/parts';
import { HashMap } from './hash';
import { jhash } from './jhash';
import { LruHashMap } from './lru-hash';
import type { MapObject } from './map-object';
import { isMapTypeSupported } from './registry';
import { RINGBUF_QUERY, type RingbufMap } from './ringbuf';

const ENOENT = -2;
const E2BIG = -7;
const EEXIST = -17;
const EINVAL = -22;

const contents = (map: MapObject): Record<string, string> =>
  Object.fromEntries(map.userEntries().map(({ key, value }) => [bytesToHex(key), bytesToHex(value)]));

describe('array', () => {
  it.each(['6.6', '6.12', '7.2', '7.3'])('lies in memory as inlined lookups of %s expect', (kernel) => {
    const profile = parseProfile({ kernel });
    const { env, map } = makeWorld(makeEnv(profile));
    const array = map('array', { valueSize: 12, maxEntries: 3 });
    const at = array.address + BigInt(profile.layout.bpfArrayPtrs);
    expect(array.valueAddress).toBe(at);
    expect(array.lookup(u32le(2))).toBe(at + 32n);
    expect(env.memory.readU32(array.address + BigInt(profile.layout.bpfArrayMaxEntries))).toBe(3);
    array.update(u32le(1), hexToBytes('0102030405060708090a0b0c'), 0n);
    expect(bytesToHex(env.memory.read(at + 16n, 16))).toBe('0102030405060708090a0b0c00000000');
  });

  it('returns what array_map_update_elem and array_map_delete_elem return', () => {
    const array = makeWorld().map('array', { maxEntries: 2 });
    expect(array.lookup(u32le(2))).toBe(0n);
    expect(array.update(u32le(2), u64le(1), 0n)).toBe(E2BIG);
    expect(array.update(u32le(0), u64le(1), 1n)).toBe(EEXIST);
    expect(array.update(u32le(0), u64le(1), 2n)).toBe(0);
    expect(array.update(u32le(0), u64le(1), 3n)).toBe(EINVAL);
    expect(array.delete(u32le(0))).toBe(EINVAL);
  });

  it('puts values that user space may map on pages of their own', () => {
    const array = makeWorld().map('array', { maxEntries: 1, valueSize: 5000, flags: 1024 });
    expect(array.valueAddress! & 0xfffn).toBe(0n);
  });

  it('refuses attributes that the kernel refuses', () => {
    const { map } = makeWorld();
    for (const wrong of [{ keySize: 8 }, { valueSize: 0 }, { maxEntries: 0 }, { flags: 1 }]) {
      expect(() => map('array', wrong)).toThrow(/EINVAL/);
    }
  });
});

describe('per-CPU array', () => {
  it('has a per-CPU pointer per value, which the CPU offset makes an address', () => {
    const { env, map } = makeWorld();
    const array = map('percpu_array', { valueSize: 12, maxEntries: 2 });
    array.update(u32le(1), hexToBytes('00112233445566778899aabb'), 0n);
    const pointer = env.memory.readU64(array.address + BigInt(env.profile.layout.bpfArrayPtrs + 8));
    expect(env.memory.tryRead(pointer, 1)).toBeUndefined();
    const offset = env.memory.readU64(env.symbols.perCpuOffset);
    expect(BigInt.asUintN(64, pointer + offset)).toBe(array.lookup(u32le(1)));
    expect(contents(array)).toEqual({
      '00000000': '00'.repeat(16),
      '01000000': '00112233445566778899aabb00000000',
    });
  });
});

describe('hash', () => {
  it('hashes as jhash() does', () => {
    // The values that the hash's author published for hashlittle().
    expect(jhash(new Uint8Array(0), 0)).toBe(0xdeadbeef);
    expect(jhash(new TextEncoder().encode('Four score and seven years ago'), 0)).toBe(0x17770551);
    expect(jhash(new TextEncoder().encode('Four score and seven years ago'), 1)).toBe(0xcd628161);
  });

  it('keeps elements as struct htab_elem in its buckets', () => {
    const { env, map } = makeWorld();
    const hash = map('hash', { keySize: 6, valueSize: 4, maxEntries: 8 });
    hash.update(hexToBytes('010203040506'), u32le(77), 0n);
    const elem = hash instanceof HashMap ? hash.findElem(hexToBytes('010203040506')) : 0n;
    expect(bytesToHex(env.memory.read(elem + BigInt(env.profile.layout.htabElemKey), 12))).toBe(
      '01020304050600004d000000',
    );
    expect(hash.lookup(hexToBytes('010203040506'))).toBe(elem + BigInt(env.profile.layout.htabElemKey) + 8n);
    expect(hash.lookup(hexToBytes('010203040507'))).toBe(0n);
  });

  it('leaves the old element behind when a value is replaced, as preallocated maps do', () => {
    const { env, map } = makeWorld();
    const hash = map('hash', {});
    hash.update(u32le(1), u64le(10), 0n);
    const before = hash.lookup(u32le(1));
    hash.update(u32le(1), u64le(20), 0n);
    expect(hash.lookup(u32le(1))).not.toBe(before);
    expect(env.memory.readU64(before)).toBe(10n);
    expect(env.memory.readU64(hash.lookup(u32le(1)))).toBe(20n);
  });

  it.each(['hash', 'percpu_hash'])('%s behaves as a map of limited size under random operations', (type) => {
    const { env, map } = makeWorld();
    const next = numbers(7);
    const limit = 24;
    const hash = map(type, { maxEntries: limit });
    const model = new Map<number, bigint>();
    for (let i = 0; i < 3000; i++) {
      const key = next(40);
      const operation = next(10);
      if (operation < 6) {
        const flags = next(3);
        const present = model.has(key);
        const expected =
          flags === 1 && present
            ? EEXIST
            : flags === 2 && !present
              ? ENOENT
              : !present && model.size === limit
                ? E2BIG
                : 0;
        expect(hash.update(u32le(key), u64le(i), BigInt(flags))).toBe(expected);
        if (expected === 0) model.set(key, BigInt(i));
      } else {
        expect(hash.delete(u32le(key))).toBe(model.delete(key) ? 0 : ENOENT);
      }
      const address = hash.lookup(u32le(key));
      expect(address === 0n ? undefined : env.memory.readU64(address)).toBe(model.get(key));
    }
    expect(contents(hash)).toEqual(
      Object.fromEntries([...model].map(([k, v]) => [bytesToHex(u32le(k)), bytesToHex(u64le(v))])),
    );
    expect(env.structs.getNumber(hash.address, 'bpf_htab.count')).toBe(model.size);
  });

  it('walks over all elements even when each is deleted on the way', () => {
    const { env, map } = makeWorld();
    const hash = map('hash', { maxEntries: 50 });
    for (let i = 0; i < 50; i++) hash.update(u32le(i), u64le(i), 0n);
    const keys = new Set<string>();
    let cursor = 0n;
    for (let step = hash.walk(cursor); step; step = hash.walk(cursor)) {
      const key = 'address' in step.key ? env.memory.read(step.key.address, 4) : new Uint8Array(4);
      keys.add(bytesToHex(key));
      cursor = step.cursor;
      expect(hash.delete(key)).toBe(0);
    }
    expect(keys.size).toBe(50);
    expect(hash.userKeys()).toEqual([]);
  });

  it('is part of a machine snapshot', () => {
    const { env, map } = makeWorld();
    const hash = map('hash', {});
    hash.update(u32le(1), u64le(1), 0n);
    const snapshot = env.machine.snapshot();
    hash.update(u32le(2), u64le(2), 0n);
    hash.delete(u32le(1));
    env.machine.restore(snapshot);
    expect(contents(hash)).toEqual({ '01000000': bytesToHex(u64le(1)) });
    expect(hash.update(u32le(2), u64le(3), 0n)).toBe(0);
  });
});

describe('LRU hash', () => {
  it.each(['lru_hash', 'lru_percpu_hash'])('%s evicts the oldest element that nobody looked up', (type) => {
    const { map } = makeWorld();
    const lru = map(type, { maxEntries: 3 });
    for (const key of [1, 2, 3]) lru.update(u32le(key), u64le(key), 0n);
    lru.lookup(u32le(1));
    lru.update(u32le(4), u64le(4), 0n);
    expect(Object.keys(contents(lru)).sort()).toEqual(['01000000', '03000000', '04000000']);
    expect(lru).toBeInstanceOf(LruHashMap);
  });

  it('never holds more than it may and always finds what was added last', () => {
    const { env, map } = makeWorld();
    const lru = map('lru_hash', { maxEntries: 10 });
    const next = numbers(3);
    for (let i = 0; i < 1000; i++) {
      const key = next(30);
      expect(lru.update(u32le(key), u64le(i), 0n)).toBe(0);
      expect(env.memory.readU64(lru.lookup(u32le(key)))).toBe(BigInt(i));
      if (next(4) === 0) lru.delete(u32le(next(30)));
      expect(lru.userKeys().length).toBeLessThanOrEqual(10);
    }
  });
});

describe('queue and stack', () => {
  it.each([
    ['queue', [1n, 2n, 3n]],
    ['stack', [3n, 2n, 1n]],
  ] as const)('a %s gives values back in its order', (type, order) => {
    const { env, map } = makeWorld();
    const box = map(type, { keySize: 0, maxEntries: 3 });
    const target = env.space.kmalloc(8);
    for (const value of [1, 2, 3]) expect(box.push(u64le(value), 0n)).toBe(0);
    expect(box.push(u64le(4), 0n)).toBe(E2BIG);
    expect(box.take(target, false)).toBe(0);
    expect(env.memory.readU64(target)).toBe(order[0]);
    expect(contents(box)).toEqual({ '': bytesToHex(u64le(order[2])) });
    for (const value of order) {
      expect(box.take(target, true)).toBe(0);
      expect(env.memory.readU64(target)).toBe(value);
    }
    expect(box.take(target, true)).toBe(ENOENT);
    expect(env.memory.readU64(target)).toBe(0n);
  });

  it('drops its oldest value when it is full and BPF_EXIST is given', () => {
    const { env, map } = makeWorld();
    const queue = map('queue', { keySize: 0, maxEntries: 2 });
    for (const value of [1, 2, 3]) queue.push(u64le(value), 2n);
    const target = env.space.kmalloc(8);
    queue.take(target, true);
    expect(env.memory.readU64(target)).toBe(2n);
  });
});

describe('LPM trie', () => {
  it('finds the longest prefix, as a search over all of them does', () => {
    const { env, map } = makeWorld();
    const trie = map('lpm_trie', { keySize: 8, valueSize: 4, maxEntries: 64, flags: 1 });
    const next = numbers(11);
    const model = new Map<string, { bits: number; address: number; value: number }>();
    const key = (bits: number, address: number): Uint8Array => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setUint32(0, bits, true);
      new DataView(bytes.buffer).setUint32(4, address, false);
      return bytes;
    };
    const mask = (address: number, bits: number): number =>
      (bits === 0 ? 0 : (address >>> (32 - bits)) << (32 - bits)) >>> 0;
    for (let i = 0; i < 400; i++) {
      const bits = next(33);
      const address = (next(4) << 30) | (next(4) << 22) | next(16);
      const name = `${bits}/${mask(address, bits)}`;
      if (next(4) === 0) {
        expect(trie.delete(key(bits, address))).toBe(model.delete(name) ? 0 : ENOENT);
      } else if (model.size < 64 || model.has(name)) {
        expect(trie.update(key(bits, address), u32le(i), 0n)).toBe(0);
        model.set(name, { bits, address, value: i });
      }
      const wanted = ((next(4) << 30) | (next(4) << 22) | next(16)) >>> 0;
      const best = [...model.values()]
        .filter((entry) => mask(entry.address, entry.bits) === mask(wanted, entry.bits))
        .sort((a, b) => b.bits - a.bits)[0];
      const found = trie.lookup(key(32, wanted));
      expect(found === 0n ? undefined : env.memory.readU32(found)).toBe(best?.value);
    }
    expect(trie.userKeys().length).toBe(model.size);
  });
});

describe('ring buffer', () => {
  it('hands out records until it is full, and counts them', () => {
    const ring = makeWorld().map('ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }) as RingbufMap;
    const first = ring.reserve(16n);
    const second = ring.reserve(9n);
    expect(second - first).toBe(24n);
    expect(ring.query(RINGBUF_QUERY.AVAIL_DATA)).toBe(48n);
    expect(ring.query(RINGBUF_QUERY.RING_SIZE)).toBe(4096n);
    expect(ring.userEntries()).toEqual([]);
    expect(ring.commit(first, false)?.length).toBe(16);
    expect(ring.commit(second, true)).toBeUndefined();
    expect(ring.userEntries().map(({ value }) => value.length)).toEqual([16]);
    let count = 0;
    while (ring.reserve(56n) !== 0n) count++;
    expect(count).toBe(Math.floor((4095 - 48) / 64));
    expect(ring.reserve(5000n)).toBe(0n);
  });
});

describe('maps in maps', () => {
  it('give programs the inner map, and user space its id', () => {
    const { map } = makeWorld();
    const inner = map('array', {});
    for (const type of ['array_of_maps', 'hash_of_maps']) {
      const outer = map(type, { valueSize: 4 });
      expect(outer.userUpdate(u32le(1), u32le(inner.id), 0n)).toBe(0);
      expect(outer.lookup(u32le(1))).toBe(inner.address);
      expect(bytesToHex(outer.userLookup(u32le(1))!)).toBe(bytesToHex(u32le(inner.id)));
      expect(outer.userUpdate(u32le(1), u32le(99), 0n)).toBe(-9);
      expect(outer.userDelete(u32le(1))).toBe(0);
      expect(outer.lookup(u32le(1))).toBe(0n);
    }
  });
});

it('maps of maps take only maps that are as they say', () => {
  const { env, map } = makeWorld();
  const inner = { name: '', type: 2, keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 };
  const outer = map('array_of_maps', { valueSize: 4, inner });
  const meta = env.structs.get(outer.address, 'bpf_map.inner_map_meta');
  expect(env.structs.getNumber(meta, 'bpf_map.value_size')).toBe(8);
  expect(outer.userUpdate(u32le(0), u32le(map('array', {}).id), 0n)).toBe(0);
  expect(outer.userUpdate(u32le(0), u32le(map('array', { maxEntries: 5 }).id), 0n)).toBe(EINVAL);
  expect(outer.userUpdate(u32le(0), u32le(map('array', { valueSize: 4 }).id), 0n)).toBe(EINVAL);
  expect(outer.userUpdate(u32le(0), u32le(map('hash', {}).id), 0n)).toBe(EINVAL);
});

describe('perf event array', () => {
  it('is closed until user space opens it', () => {
    const events = makeWorld().map('perf_event_array', { valueSize: 4, maxEntries: 0 });
    expect(contents(events)).toEqual({});
    expect(events.userUpdate(u32le(1), u32le(5), 0n)).toBe(E2BIG);
    expect(events.userUpdate(u32le(0), u32le(5), 0n)).toBe(0);
    expect(Object.keys(contents(events))).toEqual(['00000000']);
  });
});

it.each(['hash', 'percpu_hash', 'array', 'percpu_array', 'lru_hash'])(
  'a %s of a million entries is made at once',
  (type) => {
    const { map } = makeWorld();
    const begun = performance.now();
    const big = map(type, { maxEntries: 1_000_000, valueSize: 64 });
    expect(big.update(u32le(999_999), new Uint8Array(64).fill(7), 0n)).toBe(0);
    expect(big.userLookup(u32le(999_999))?.[63]).toBe(7);
    expect(performance.now() - begun).toBeLessThan(5000);
  },
);

it('refuses what no debugger needs', () => {
  expect(() => makeWorld().map('array', { maxEntries: 0xffffffff, valueSize: 4096 })).toThrow(/ENOMEM/);
});

it('names the type that it cannot make, and those it can', () => {
  const { map } = makeWorld();
  expect(() => map('sockmap', {})).toThrow(
    /is a sockmap \(type 15\), which is not supported yet; supported are hash, array/,
  );
  expect(isMapTypeSupported(33)).toBe(false);
  expect(isMapTypeSupported(2)).toBe(true);
});
