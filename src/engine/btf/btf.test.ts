import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { parseBtf } from './parse';
import { parseBtfExt } from './ext';
import { findType, resolveType, sizeOf } from './resolve';
import { declarationText, typeText } from './text';
import type { Btf } from './types';
import { StringTable } from '../base/strings';

/** Writes a .BTF section: types as lists of 32-bit words whose names are put in with `name()`. */
class BtfWriter {
  private readonly words: number[] = [];
  private strings = '\0';
  name(text: string): number {
    const at = this.strings.length;
    this.strings += `${text}\0`;
    return text === '' ? 0 : at;
  }
  /** A type: name, kind, count of entries, kind flag, size or type, then the words behind. */
  add(
    name: string,
    kind: number,
    sizeOrType: number,
    rest: readonly number[] = [],
    count = 0,
    flag = 0,
  ): this {
    this.words.push(this.name(name), ((flag << 31) | (kind << 24) | count) >>> 0, sizeOrType, ...rest);
    return this;
  }
  bytes(): Uint8Array {
    const strings = new TextEncoder().encode(this.strings);
    const bytes = new Uint8Array(24 + this.words.length * 4 + strings.length);
    const view = new DataView(bytes.buffer);
    const header = [0x0001eb9f, 24, 0, this.words.length * 4, this.words.length * 4, strings.length];
    [...header, ...this.words].forEach((word, i) => view.setUint32(i * 4, word, true));
    bytes.set(strings, 24 + this.words.length * 4);
    return bytes;
  }
  btf(): Btf {
    return parseBtf(this.bytes()).btf;
  }
}

const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  func: 12,
  proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  tag: 17,
  typeTag: 18,
  enum64: 19,
};
const SIGNED = (1 << 24) | 32;

/** 1 int, 2 int *, 3 int[4], 4 struct point, 5 typedef point_t, 6 const point_t, 7 proto, 8 func, … */
function sample(): BtfWriter {
  const w = new BtfWriter();
  w.add('int', KIND.int, 4, [SIGNED])
    .add('', KIND.ptr, 1)
    .add('', KIND.array, 0, [1, 1, 4])
    .add(
      'point',
      KIND.struct,
      24,
      [w.name('x'), 1, 0, w.name('self'), 9, 64, w.name('bits'), 1, (3 << 24) | 128],
      3,
      1,
    )
    .add('point_t', KIND.typedef, 4)
    .add('', KIND.const, 5)
    .add('', KIND.proto, 1, [w.name('p'), 9, w.name('n'), 1], 2)
    .add('work', KIND.func, 7, [], 1)
    .add('', KIND.ptr, 6)
    .add('', KIND.ptr, 7)
    .add('', KIND.array, 0, [10, 1, 2])
    .add('color', KIND.enum, 4, [w.name('RED'), 0xffffffff, w.name('BLUE'), 2], 2, 1)
    .add('wide', KIND.enum64, 8, [w.name('BIG'), 5, 1], 1)
    .add('counter', KIND.var, 1, [1])
    .add('.bss', KIND.datasec, 4, [14, 0, 4], 1)
    .add('later', KIND.fwd, 0, [], 0, 1)
    .add('double', KIND.float, 8)
    .add('note', KIND.tag, 4, [1])
    .add('user', KIND.typeTag, 1)
    .add('', KIND.ptr, 19);
  return w;
}

describe('parseBtf', () => {
  it('reads every kind', () => {
    const { types } = sample().btf();
    expect(types.map((type) => type.kind).join(' ')).toBe(
      'void int ptr array struct typedef const func_proto func ptr ptr array enum enum64 var datasec fwd float decl_tag type_tag ptr',
    );
    expect(types[1]?.int).toEqual({ signed: true, char: false, bool: false, bits: 32, bitOffset: 0 });
    expect(types[4]?.members).toEqual([
      { name: 'x', type: 1, bitOffset: 0, bitSize: 0 },
      { name: 'self', type: 9, bitOffset: 64, bitSize: 0 },
      { name: 'bits', type: 1, bitOffset: 128, bitSize: 3 },
    ]);
    expect(types[12]?.values).toEqual([
      { name: 'RED', value: -1n },
      { name: 'BLUE', value: 2n },
    ]);
    expect(types[13]?.values).toEqual([{ name: 'BIG', value: 0x1_0000_0005n }]);
    expect(types[15]?.vars).toEqual([{ type: 14, offset: 0, size: 4 }]);
    expect(types[16]).toMatchObject({ name: 'later', isUnion: true });
  });

  it.each([
    [2, 'int *'],
    [3, 'int[4]'],
    [6, 'const point_t'],
    [7, 'int(const point_t *p, int n)'],
    [8, 'int work(const point_t *p, int n)'],
    [10, 'int (*)(const point_t *p, int n)'],
    [11, 'int (*[2])(const point_t *p, int n)'],
    [12, 'enum color'],
    [14, 'int counter'],
    [16, 'union later'],
    [20, 'int *'],
    [99, '<no type 99>'],
    [0, 'void'],
  ])('prints type %i as %s', (id, text) => {
    expect(typeText(sample().btf(), id)).toBe(text);
  });

  it('prints declarations and const pointers', () => {
    const w = sample().add('', KIND.const, 2);
    expect(declarationText(w.btf(), 3, 'buf')).toBe('int buf[4]');
    expect(declarationText(w.btf(), 10, 'fn')).toBe('int (*fn)(const point_t *p, int n)');
    expect(declarationText(w.btf(), 21, 'p')).toBe('int * const p');
  });

  it('gives sizes', () => {
    const btf = sample().btf();
    expect([1, 2, 3, 4, 6, 11, 12, 13, 14, 15, 17].map((id) => sizeOf(btf, id))).toEqual([
      4, 8, 16, 24, 24, 16, 4, 8, 4, 4, 8,
    ]);
    expect([0, 7, 8, 16, 99].map((id) => sizeOf(btf, id))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(resolveType(btf, 6)?.name).toBe('point');
    expect(findType(btf, 'struct', 'point')?.id).toBe(4);
  });

  it('bears cycles and absurd types', () => {
    const w = new BtfWriter();
    w.add('loop', KIND.typedef, 1) // 1 -> 1
      .add('', KIND.const, 3) // 2 -> 3 -> 2
      .add('', KIND.volatile, 2)
      .add('', KIND.array, 0, [4, 4, 2]) // array of itself
      .add('', KIND.ptr, 5) // pointer to itself
      .add('', KIND.proto, 6, [0, 6, 0, 6], 2); // function that takes and gives itself
    // arrays of arrays of 2^32 - 1 elements
    for (let id = 7; id < 20; id++) w.add('', KIND.array, 0, [id === 7 ? 1 : id - 1, 1, 0xffffffff]);
    const btf = w.btf();
    for (const type of btf.types) {
      expect(typeText(btf, type.id).length).toBeLessThan(20_000);
      expect(sizeOf(btf, type.id)).toSatisfy((size: unknown) => size === undefined || size === 8);
    }
  });

  it.each([
    ['a wrong magic number', (b: Uint8Array) => b.fill(0, 0, 2), /begins with 0x0 instead of 0xeb9f/],
    ['big-endian BTF', (b: Uint8Array) => b.set([0xeb, 0x9f]), /big-endian/],
    ['a new version', (b: Uint8Array) => b.fill(2, 2, 3), /version 2/],
    ['types outside', (b: Uint8Array) => b.fill(0xff, 12, 14), /types of section \.BTF .* lies outside/],
    ['strings outside', (b: Uint8Array) => b.fill(0xff, 20, 22), /strings of section \.BTF .* lies outside/],
    ['an unknown kind', (b: Uint8Array) => b.fill(31, 31, 32), /unknown kind 31/],
    ['a name outside', (b: Uint8Array) => b.fill(0x7f, 24, 28), /Type 1's name points to offset/],
  ])('refuses %s', (_, damage, message) => {
    const bytes = sample().bytes();
    damage(bytes);
    expect(() => parseBtf(bytes)).toThrow(
      expect.objectContaining({ code: 'btf/format', message: expect.stringMatching(message) }),
    );
  });
});

describe('parseBtfExt', () => {
  const words = (...list: number[]): Uint8Array => new Uint8Array(new Uint32Array(list).buffer);
  const strings = new StringTable(
    new TextEncoder().encode('\0tc\0a.c\0x = 1;\x000:2\0'),
    'btf/format',
    'strings',
  );
  // header 32: func_info at 0, 20 bytes; line_info at 20, 28 bytes; core_relo at 48, 28 bytes
  const good = (): Uint8Array =>
    words(
      0x0001eb9f,
      32,
      0,
      20,
      20,
      28,
      48,
      28,
      8,
      1,
      1,
      16,
      7,
      16,
      1,
      1,
      16,
      4,
      8,
      (12 << 10) | 3,
      16,
      1,
      1,
      24,
      5,
      15,
      0,
    );

  it('reads functions, lines and CO-RE relocations by section', () => {
    expect([...parseBtfExt(good(), strings)]).toEqual([
      [
        'tc',
        {
          funcs: [{ offset: 16, type: 7 }],
          lines: [{ offset: 16, file: 'a.c', line: 12, column: 3, text: 'x = 1;' }],
          coreRelos: [{ offset: 24, type: 5, access: '0:2', kind: 0 }],
        },
      ],
    ]);
  });

  it('refuses record sizes and counts that cannot be', () => {
    const size = good();
    new DataView(size.buffer).setUint32(32, 4, true);
    expect(() => parseBtfExt(size, strings)).toThrow(/func_info records .* have 4 bytes/);
    const count = good();
    new DataView(count.buffer).setUint32(40, 0x10000000, true);
    expect(() => parseBtfExt(count, strings)).toThrow(EngineError);
  });
});
