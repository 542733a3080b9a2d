import { describe, expect, test } from 'vitest';
import { assemble } from './assemble';
import { decode, type DecodedInsn } from './decode';
import { enc, encode, reencode } from './encode';
import { IMMEDIATES } from './immediates';
import { print } from './print';
import { TABLE } from './table';
import { Random } from './testing/random';
import { edgeImmediates, samplesOf } from './testing/samples';

const PC = 0xffffffff80100000n;

const samples = (() => {
  const random = new Random(0xcafe);
  return TABLE.flatMap((spec) => samplesOf(spec, random, 30).map((sample) => ({ spec, ...sample })));
})();

/** Every halfword that is an instruction. */
const halfwords = Array.from({ length: 0x10000 }, (_, word) => word)
  .filter((word) => (word & 3) !== 3)
  .flatMap((word) => decode(word) ?? []);

/** What an instruction does: all but how it is encoded. */
const meaning = ({ base, rd, rs1, rs2, imm, csr, aq, rl }: DecodedInsn) => ({
  base,
  rd,
  rs1,
  rs2,
  imm,
  csr,
  aq,
  rl,
});

/** One number from the assembled bytes. */
function wordOf(bytes: Uint8Array): number {
  return bytes.reduce((word, byte, index) => word + byte * 2 ** (8 * index), 0);
}

describe('the table', () => {
  test('names every instruction once and overlaps only as declared', () => {
    expect(new Set(TABLE.map(({ mnemonic }) => mnemonic)).size).toBe(TABLE.length);
    for (const { spec } of samples) expect((spec.match & spec.mask) >>> 0).toBe(spec.match);
  });

  test.each(Object.entries(IMMEDIATES))('immediate %s packs and unpacks', (name, kind) => {
    const random = new Random(0x1234);
    const values = [
      ...edgeImmediates(kind),
      ...Array.from(
        { length: 200 },
        () => kind.min + kind.step * random.below((kind.max - kind.min) / kind.step + 1),
      ),
    ];
    for (const value of values) {
      const word = kind.pack(value);
      expect(word & ~kind.bits).toBe(0);
      // c.lui's value is that of lui.
      expect(kind.unpack(word)).toBe(name === 'clui' ? value & 0xfffff : value);
      expect(kind.unpack(word | ~kind.bits)).toBe(kind.unpack(word));
    }
  });
});

describe('encode, decode and enc', () => {
  test('agree on every instruction of the table', () => {
    for (const { spec, mnemonic, operands } of samples) {
      const word = encode(mnemonic, operands);
      const insn = decode(word);
      expect(insn?.spec.mnemonic).toBe(mnemonic);
      expect(reencode(insn!)).toBe(word);
      for (const operand of spec.shape.args) {
        const { imm } = operands;
        const wanted = operand === 'imm' && spec.format === 'clui' ? imm! & 0xfffff : operands[operand];
        expect({ mnemonic, [operand]: insn![operand] }).toEqual({ mnemonic, [operand]: wanted });
      }
      const positional =
        spec.format === 'fence'
          ? [operands.pred!, operands.succ!]
          : spec.shape.args.map((name) => operands[name]!);
      const flags = spec.shape.ordering ? [operands.aq, operands.rl] : [];
      const encoder = Object.entries(enc).find(([name]) => name === mnemonic.replaceAll('.', '_'))![1] as (
        ...args: readonly (number | boolean | undefined)[]
      ) => number;
      expect(encoder(...positional, ...flags)).toBe(word);
    }
  });

  test('agree on every legal halfword', () => {
    for (const insn of halfwords) {
      expect(reencode(insn)).toBe(insn.word);
    }
  });

  test('ignore the high half of a fetch when the instruction is compressed', () => {
    for (const insn of halfwords.slice(0, 2000)) expect(decode((insn.word | 0xabcd0000) >>> 0)).toBe(insn);
  });

  test('take signed words as well as unsigned ones', () => {
    for (const { mnemonic, operands } of samples) {
      const word = encode(mnemonic, operands);
      expect(decode(word | 0)).toEqual(decode(word));
    }
  });
});

describe('what is printed can be assembled', () => {
  const asSource = (text: string): string => text.replace(/#.*/, '');

  test.each([{ aliases: true }, { aliases: false }])('uncompressed, %o', (options) => {
    for (const { mnemonic, operands, spec } of samples) {
      if (spec.size === 2) continue;
      const word = encode(mnemonic, operands);
      const { text } = print(decode(word)!, PC, options);
      const { bytes } = assemble(asSource(text), { base: PC });
      expect({ text, word: wordOf(bytes) }).toEqual({ text, word });
    }
  });

  test('compressed, as it stands', () => {
    for (const insn of halfwords) {
      // All immediates of a kind are tried elsewhere; a seventh of the halfwords covers the rest.
      if (insn.word % 7 !== 0) continue;
      const { text } = print(insn, PC, { compressed: true });
      const { bytes } = assemble(asSource(text), { base: PC });
      expect({ text, word: wordOf(bytes) }).toEqual({ text, word: insn.word });
    }
  });

  test('compressed, shown as what it means', () => {
    for (const insn of halfwords) {
      if (insn.word % 7 !== 1) continue;
      const { text } = print(insn, PC);
      const { bytes } = assemble(asSource(text), { base: PC, compress: true });
      const again = decode(wordOf(bytes))!;
      expect({ text, size: bytes.length, ...meaning(again) }).toEqual({ text, size: 2, ...meaning(insn) });
    }
  });
});
