import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectMachine } from './machine';
import { readElf, relocationsIn, relocationSections } from './read';
import { SEGMENT_LOAD, type ElfFile } from './types';

const example = (): Uint8Array =>
  new Uint8Array(readFileSync(new URL('../../../examples/hierarchy.o', import.meta.url)));

/** A copy with some bytes replaced. */
function changed(changes: Readonly<Record<number, number>>, bytes = example()): Uint8Array {
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

const openBpf = (bytes: Uint8Array, name = 'x.o'): ElfFile => {
  const elf = readElf(bytes, name);
  expectMachine(elf, 'BPF');
  return elf;
};

describe('readElf', () => {
  it('reads sections, symbols and relocations', () => {
    const elf = openBpf(example());
    const tc = elf.sections.find((section) => section.name === 'tc');
    if (!tc) throw new Error('no section tc');
    expect(tc.bytes.length).toBe(tc.size);
    const entry = elf.symbols.find((symbol) => symbol.name === 'entry');
    expect(entry).toMatchObject({
      bind: 'global',
      type: 2,
      hidden: false,
      section: tc.index,
      value: 0n,
      size: BigInt(tc.size),
    });
    const relocations = (relocationSections(elf).get(tc.index) ?? []).flatMap((section) =>
      relocationsIn(elf, section),
    );
    expect(relocations.map((r) => r.symbol.name)).toContain('entries');
    expect(relocations.every((r) => r.offset % 8 === 0 && r.offset < tc.size)).toBe(true);
    expect(elf.sections.find((section) => section.name === '.bss')).toMatchObject({
      size: 16,
      bytes: new Uint8Array(),
    });
    expect(elf.segments).toEqual([]);
  });

  it('reads the segments of an executable', () => {
    const bytes = new Uint8Array(64 + 56 + 16);
    const view = new DataView(bytes.buffer);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(16, 2, true);
    view.setUint16(18, 243, true);
    view.setBigUint64(24, 0x80000004n, true);
    view.setBigUint64(32, 64n, true);
    view.setUint16(54, 56, true);
    view.setUint16(56, 1, true);
    view.setUint32(64, SEGMENT_LOAD, true);
    view.setUint32(68, 5, true);
    view.setBigUint64(72, 120n, true);
    view.setBigUint64(80, 0x80000000n, true);
    view.setBigUint64(88, 0x80000000n, true);
    view.setBigUint64(96, 16n, true);
    view.setBigUint64(104, 64n, true);
    const elf = readElf(bytes, 'boot.elf');
    expectMachine(elf, 'RISCV');
    expect(elf.entry).toBe(0x80000004n);
    expect(elf.segments).toEqual([
      {
        type: 1,
        flags: 5,
        virtualAddress: 0x80000000n,
        physicalAddress: 0x80000000n,
        bytes: new Uint8Array(16),
        memorySize: 64n,
      },
    ]);
    expect(() => openBpf(bytes, 'boot.elf')).toThrow(/^boot\.elf is an ELF file for RISC-V, not for BPF;/);
  });

  const text = new TextEncoder().encode('int main(void) { return 0; }\n');
  it.each([
    ['an empty file', new Uint8Array(), 'elf/empty', /^x\.o is an empty file; open a BPF object/],
    ['a text file', text, 'elf/magic', /^x\.o is not an ELF file but a text file;/],
    ['other data', new Uint8Array([1, 2, 3, 4, 5]), 'elf/magic', /other binary data/],
    ['bitcode', new Uint8Array([0x42, 0x43, 0xc0, 0xde]), 'elf/magic', /LLVM bitcode/],
    ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0]), 'elf/magic', /compressed by gzip/],
    [
      'the beginning of the magic',
      example().slice(0, 3),
      'elf/truncated',
      /^x\.o is truncated: .* there are only 3/,
    ],
    ['half a header', example().slice(0, 40), 'elf/truncated', /there are only 40/],
    [
      'a cut object',
      example().slice(0, 5000),
      'elf/truncated',
      /section header table .* lies outside x\.o, which has 5000 bytes; the file is truncated/,
    ],
    [
      'x86-64',
      changed({ 18: 62 }),
      'elf/machine',
      /^x\.o is an ELF file for x86-64, not for BPF; compile the program with clang/,
    ],
    ['an unknown machine', changed({ 18: 1, 19: 1 }), 'elf/machine', /for machine 257, not/],
    ['32 bits', changed({ 4: 1, 18: 40 }), 'elf/class', /is a 32-bit ELF file for ARM;/],
    [
      'big-endian BPF',
      changed({ 5: 2, 18: 0, 19: 247 }),
      'elf/endian',
      /is a big-endian BPF object; .* bpfel/,
    ],
    ['big-endian S/390', changed({ 5: 2, 18: 0, 19: 22 }), 'elf/endian', /a big-endian ELF file for S\/390/],
    ['version 9', changed({ 6: 9 }), 'elf/version', /ELF version 9/],
    [
      'short section headers',
      changed({ 58: 8 }),
      'elf/header',
      /section headers of this ELF file have 8 bytes each/,
    ],
  ])('refuses %s', (_, bytes, code, message) => {
    expect(() => openBpf(bytes)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('refuses sections that overlap', () => {
    const bytes = example();
    const view = new DataView(bytes.buffer);
    const headers = Number(view.getBigUint64(40, true));
    for (const index of [2, 3, 4, 5]) {
      view.setBigUint64(headers + 64 * index + 24, 0n, true);
      view.setBigUint64(headers + 64 * index + 32, BigInt(bytes.length), true);
    }
    expect(() => readElf(bytes, 'x.o')).toThrow(expect.objectContaining({ code: 'elf/overlap' }));
  });
});
