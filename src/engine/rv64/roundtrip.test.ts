import { describe, expect, test } from 'vitest';
import { assemble } from './assemble';
import { decode, type DecodedInsn } from './decode';
import { enc, encode, reencode } from './encode';
import { IMMEDIATES } from './immediates';
import { print } from './print';
import type { Operand } from './formats';
import { specOf, TABLE } from './table';
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
const meaning = ({ base, rd, rs1, rs2, imm, csr, aq, rl }: DecodedInsn): string =>
  [base.mnemonic, rd, rs1, rs2, imm, csr, aq, rl].join(' ');

const ENCODERS = new Map(Object.entries(enc)) as ReadonlyMap<
  string,
  (...args: readonly (number | boolean | undefined)[]) => number
>;

/** One number from the assembled bytes. */
function wordOf(bytes: Uint8Array): number {
  return bytes.reduce((word, byte, index) => word + byte * 2 ** (8 * index), 0);
}

describe('the table', () => {
  test('names every instruction once', () => {
    expect(new Set(TABLE.map(({ mnemonic }) => mnemonic)).size).toBe(TABLE.length);
  });

  test('lets two rows share words only if one of them is more specific', () => {
    const unclear = TABLE.flatMap((a, index) =>
      TABLE.slice(index + 1)
        .filter((b) => a.size === b.size && ((a.match ^ b.match) & a.mask & b.mask) === 0)
        // One's fixed bits must contain the other's.
        .filter((b) => (a.mask & b.mask) >>> 0 !== a.mask && (a.mask & b.mask) >>> 0 !== b.mask)
        .map((b) => `${a.mnemonic} and ${b.mnemonic}`),
    );
    expect(unclear).toEqual([]);
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

/** Calls the positional encoder of a mnemonic. */
function encodePositionally({ spec, mnemonic, operands }: (typeof samples)[number]): number {
  const encoder = ENCODERS.get(mnemonic.replaceAll('.', '_'))!;
  const flags = spec.shape.ordering ? [operands.aq, operands.rl] : [];
  if (spec.format === 'fence') return encoder(operands.pred, operands.succ);
  return encoder(...spec.shape.args.map((name) => operands[name]), ...flags);
}

/** The operands that decoding a sample should give. */
function expectedOperands({ spec, operands }: (typeof samples)[number]): string {
  const value = (name: Operand): number =>
    name === 'imm' && spec.format === 'clui' ? operands.imm! & 0xfffff : operands[name]!;
  return spec.shape.args.map((name) => `${name}=${value(name)}`).join(' ');
}

describe('encode, decode and enc', () => {
  test('agree on every instruction of the table', () => {
    const wrong = samples.filter((sample) => {
      const { spec, mnemonic, operands } = sample;
      const word = encode(mnemonic, operands);
      const insn = decode(word);
      if (insn?.spec !== spec || reencode(insn) !== word || encodePositionally(sample) !== word) return true;
      if (insn.aq !== (operands.aq ?? false) || insn.rl !== (operands.rl ?? false)) return true;
      return spec.shape.args.map((name) => `${name}=${insn[name]}`).join(' ') !== expectedOperands(sample);
    });
    expect(wrong).toEqual([]);
    expect(samples.length).toBeGreaterThan(5000);
  });

  test('agree on every legal halfword', () => {
    expect(halfwords.filter((insn) => reencode(insn) !== insn.word)).toEqual([]);
    // c.unimp, and what the manual reserves
    expect(
      [0x0000, 0x0004, 0x2001, 0x4002, 0x6002, 0x6081, 0x6101, 0x8002].flatMap((word) => decode(word) ?? []),
    ).toEqual([]);
  });

  test('ignore the high half of a fetch when the instruction is compressed', () => {
    expect(halfwords.filter(({ word }) => decode((word | 0xabcd0000) >>> 0)?.word !== word)).toEqual([]);
  });

  test('take signed words as well as unsigned ones', () => {
    for (const { mnemonic, operands } of samples.filter((_, index) => index % 10 === 0)) {
      const word = encode(mnemonic, operands);
      expect(decode(word | 0)).toEqual(decode(word));
    }
  });

  test('shows reserved fences as fences', () => {
    // fm = 5, rd = 1, rs1 = 2; fence.i with other fields set
    expect(decode(0x5331008f)).toMatchObject({ base: specOf('fence'), imm: 0x33 });
    expect(decode(0xfff1108f)).toMatchObject({ base: specOf('fence.i') });
  });

  test.each([
    ['addi', { rd: 1, rs1: 2 }, /operand imm is missing/],
    ['addi', { rd: 32, rs1: 2, imm: 0 }, /rd is 32, but registers are numbered 0 to 31/],
    ['addi', { rd: 1, rs1: 2, imm: 0.5 }, /the immediate is 0.5/],
    ['lui', { rd: 1, imm: 0x100000 }, /from 0 to 1048575/],
    ['jal', { rd: 0, imm: 1 << 20 }, /steps of 2/],
    ['slliw', { rd: 1, rs1: 1, imm: 32 }, /from 0 to 31/],
    ['csrrw', { rd: 1, rs1: 1, csr: 4096 }, /must be 0 to 4095/],
    ['fence', { pred: 16 }, /pred is 16/],
    ['c.sub', { rd: 7, rs2: 8 }, /rd is t2, but only/],
    ['c.addi4spn', { rd: 8, imm: 0 }, /reserved/],
    ['c.lwsp', { rd: 0, imm: 0 }, /reserved/],
  ] as const)('refuse %s with %o', (mnemonic, operands, message) => {
    expect(() => encode(mnemonic, operands)).toThrow(message);
  });
});

describe('what is printed can be assembled', () => {
  const problems = (
    cases: readonly { readonly text: string; readonly word: number }[],
    options: { compress: boolean },
  ) =>
    cases.flatMap(({ text, word }) => {
      const { bytes } = assemble(text, { base: PC, ...options });
      const again = decode(wordOf(bytes));
      const insn = decode(word)!;
      const same = options.compress
        ? bytes.length === 2 && again !== undefined && meaning(again) === meaning(insn)
        : wordOf(bytes) === word;
      return same ? [] : [`${text}: ${word.toString(16)} became ${wordOf(bytes).toString(16)}`];
    });

  test.each([{ aliases: true }, { aliases: false }])('uncompressed, %o', (options) => {
    const cases = samples
      .filter(({ spec }) => spec.size === 4)
      .map(({ mnemonic, operands }) => encode(mnemonic, operands))
      .map((word) => ({ word, text: print(decode(word)!, PC, options).text }));
    expect(problems(cases, { compress: false })).toEqual([]);
  });

  // All immediates of a kind are tried elsewhere; a seventh of the halfwords covers the rest.
  test('compressed, as it stands', () => {
    const cases = halfwords
      .filter(({ word }) => word % 7 === 0)
      .map((insn) => ({ word: insn.word, text: print(insn, PC, { compressed: true }).text }));
    expect(problems(cases, { compress: false })).toEqual([]);
  });

  test('compressed, shown as what it means', () => {
    const cases = halfwords
      .filter(({ word }) => word % 7 === 1)
      .map((insn) => ({ word: insn.word, text: print(insn, PC).text }));
    expect(problems(cases, { compress: true })).toEqual([]);
  });
});
