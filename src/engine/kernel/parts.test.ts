import { describe, expect, it } from 'vitest';
import { hexToBytes } from '../base/hex';
import { decodeInsns } from '../bpf/bytes';
import { createMachine } from '../machine/machine';
import { KERNELS } from '../profile/kernels';
import { parseProfile } from '../jit/profile';
import { XLATE_FIELDS, XLATE_SYMBOLS } from '../xlate/fields';
import { AddressSpace } from './address-space';
import { ProgPack } from './prog-pack';
import { progTag } from './prog-tag';
import { RandomSource } from './random';
import { makeEnv } from './testing/parts';

describe('struct layouts', () => {
  it.each(KERNELS)('%s has every member that the rewrites ask for', (kernel) => {
    const { structs } = makeEnv(parseProfile({ kernel }));
    expect(XLATE_FIELDS.filter((name) => structs.find(name) === undefined)).toEqual([]);
  });

  it.each(KERNELS)('of %s agree with the offsets that the JIT bakes in', (kernel) => {
    const profile = parseProfile({ kernel });
    const { structs } = makeEnv(profile);
    expect(structs.size('bpf_array')).toBe(profile.layout.bpfArrayPtrs);
    expect(structs.offset('bpf_map.max_entries')).toBe(profile.layout.bpfArrayMaxEntries);
    expect(structs.offset('bpf_map.name') + 16).toBeLessThanOrEqual(structs.offset('bpf_map.refcnt'));
    expect(structs.offset('bpf_array.elem_size')).toBeGreaterThanOrEqual(structs.size('bpf_map'));
  });

  it('are written and read by name, in the size of the member', () => {
    const { structs, space } = makeEnv();
    const map = space.kmalloc(structs.size('bpf_map'));
    structs.set(map, 'bpf_map.max_entries', 0x1_0000_0002n);
    structs.setText(map, 'bpf_map.name', 'a name that is too long');
    expect(structs.getNumber(map, 'bpf_map.max_entries')).toBe(2);
    expect(structs.get(map, 'bpf_map.map_extra')).toBe(0n);
    expect(() => structs.offset('bpf_map.nothing')).toThrow(/no member bpf_map.nothing/);
  });
});

describe('symbols', () => {
  it('has every symbol that the rewrites ask for', () => {
    const { symbols } = makeEnv();
    expect(XLATE_SYMBOLS.filter((name) => symbols.find(name) === undefined)).toEqual([]);
  });

  it.each(KERNELS)('of %s are in reach of the JIT region', (kernel) => {
    const { symbols } = makeEnv(parseProfile({ kernel }));
    for (const name of ['__bpf_call_base', '__per_cpu_offset', 'bpf_map_lookup_elem', 'jiffies']) {
      expect(symbols.address(name) - 0xffffffff78000000n).toBeLessThan(0x7ffff7ffn);
    }
    expect(symbols.at(symbols.callBase)).toEqual({ name: '__bpf_call_base', offset: 0 });
    expect(symbols.at(symbols.perCpuOffset + 8n)).toEqual({ name: '__per_cpu_offset', offset: 8 });
    expect(symbols.at(0x1000n)).toBeUndefined();
  });
});

describe('program tags', () => {
  // From programs that real kernels loaded.
  it.each([
    ['6.12', 'b7000000010000009500000000000000', '57cd311f2e27366b'],
    [
      '6.12',
      '18120000000000000000000000000000b703000000000000850000000c000000b7000000070000009500000000000000',
      '868ceea97a0c565b',
    ],
    ['7.2', 'b7000000010000009500000000000000', 'b11459a0e11ca14c'],
  ] as const)('%s %s', (kernel, insns, tag) =>
    expect(progTag(decodeInsns(hexToBytes(insns)), kernel)).toBe(tag),
  );

  it('do not depend on file descriptors', () => {
    const tag = (fd: string): string =>
      progTag(decodeInsns(hexToBytes(`18110000${fd}000000000000000095000000 00000000`)), '6.12');
    expect(tag('05000000')).toBe(tag('07000000'));
  });
});

describe('image placement', () => {
  it('follows bpf_prog_pack: chunks of 64 bytes, alignment 4, no overlap, in reach of kernel text', () => {
    const { memory } = createMachine();
    const pack = new ProgPack(memory, '6.12', new RandomSource(1));
    let end = 0xffffffff78000000n;
    for (const size of [10, 64, 100, 4096, 3_000_000, 20]) {
      const base = pack.place(0, size, 12);
      expect(base % 4n).toBe(0n);
      expect(base).toBeGreaterThanOrEqual(end + 8n);
      end = base + BigInt(size + 12);
      expect(memory.regionAt(base)).toBe(memory.regionAt(end - 1n));
      expect(memory.regionAt(base)!.permissions).toEqual({ r: true, w: false, x: true });
      expect(memory.readU16(base)).toBe(0);
    }
  });

  it('gives each image of 6.6 pages of its own', () => {
    const pack = new ProgPack(createMachine().memory, '6.6', new RandomSource(1));
    const [a, b] = [pack.place(0, 100, 0), pack.place(0, 100, 0)];
    expect(b >> 12n).toBe((a >> 12n) + 1n);
  });

  it('says when the region is full', () => {
    const pack = new ProgPack(createMachine().memory, '6.12', new RandomSource(1));
    expect(() => pack.place(0, 1 << 28, 0)).toThrow(/128 MiB of the BPF JIT region/);
  });
});

describe('address space', () => {
  it('reuses freed objects, zeroed, last freed first', () => {
    const { memory } = createMachine();
    const space = new AddressSpace(memory, 'sv57');
    const [a, b] = [space.kmalloc(100), space.kmalloc(100)];
    expect(a).toBeGreaterThan(0xff60000000000000n);
    memory.writeU64(a, 5n);
    space.kfree(b, 100);
    space.kfree(a, 100);
    const saved = space.save();
    expect(space.kmalloc(128)).toBe(a);
    expect(memory.readU64(a)).toBe(0n);
    expect(space.kmalloc(97)).toBe(b);
    space.load(saved);
    expect(space.kmalloc(100)).toBe(a);
    // Saved states share what is free: a map that gave back a million nodes costs them nothing.
    space.load(saved);
    expect(space.save().free.get(128)).toBe(saved.free.get(128));
  });

  it('leaves a gap behind vmalloc areas', () => {
    const { memory } = createMachine();
    const space = new AddressSpace(memory, 'sv39');
    const area = space.vmalloc(100, 'a');
    expect(memory.tryRead(area + 4095n, 1)).toBeDefined();
    expect(memory.tryRead(area + 4096n, 1)).toBeUndefined();
    const exact = space.vmallocExact(new Uint8Array(5), 'b');
    expect(memory.tryRead(exact, 5)).toBeDefined();
    expect(memory.tryRead(exact + 5n, 1)).toBeUndefined();
    expect(() => space.vmalloc(2 ** 33, 'c')).toThrow(/ENOMEM/);
  });
});
