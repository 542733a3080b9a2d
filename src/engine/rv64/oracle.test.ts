/**
 * Our disassembly against independent ones. What is normalised:
 *
 * - white space, and the `<symbol+offset>` behind addresses (testing/objdump.ts);
 * - the fields of lui and auipc and CSRs without a name, which LLVM shows in decimal and we, as GNU, in hexadecimal;
 * - shifts by 0 of compressed instructions, which LLVM calls c.slli64, c.srli64, c.srai64;
 * - the field of the HINT `c.lui zero`, which LLVM shows with a sign;
 * - LLVM calls an all-zero halfword `unimp` or `c.unimp`: for us it is no instruction;
 * - LLVM 19 shows c.lui with an immediate of 0, which the manual reserves; GNU's disassembler is the judge there.
 */
import { describe, expect, test } from 'vitest';
import { NAMED_CSRS } from './csrs';
import { disassemble, type DisassembledInsn } from './disassemble';
import { encode } from './encode';
import { TABLE } from './table';
import {
  disassembleWithGnu,
  disassembleWithLlvm,
  findGnuObjdump,
  findLlvmObjdump,
  type OracleLine,
} from './testing/objdump';
import { Random } from './testing/random';
import { samplesOf } from './testing/samples';

const BASE = 0xffffffff80000000n;
const UNKNOWN = '<unknown>';

function bytesOf(words: readonly { readonly word: number; readonly size: number }[]): Uint8Array {
  const bytes = new Uint8Array(words.reduce((length, { size }) => length + size, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const { word, size } of words) {
    if (size === 2) view.setUint16(offset, word, true);
    else view.setUint32(offset, word, true);
    offset += size;
  }
  return bytes;
}

/** The number `digits` in hexadecimal; negative ones as the 20-bit field that they stand for. */
const hex = (digits: string): string => '0x' + (Number(digits) & 0xfffff).toString(16);

function normalised({ mnemonic, operands }: OracleLine): string {
  const parts = operands.split(', ');
  const inHex = (index: number): void => {
    const part = parts[index]!;
    if (/^-?\d+$/.test(part)) parts[index] = hex(part);
  };
  if (/^(c\.lui|lui|auipc)$/.test(mnemonic)) inHex(1);
  if (/^csrr/.test(mnemonic)) inHex(1);
  if (/^csr[wsc]i?$/.test(mnemonic)) inHex(0);
  const text = `${mnemonic} ${parts.join(', ')}`.trim();
  return text.replace(/^(c\.s[lr][la]i)64 (\w+)$/, '$1 $2, 0');
}

/** c.lui with an immediate of 0: nothing but rd is set beside the opcode. */
const isReservedLui = ({ word, size }: DisassembledInsn): boolean =>
  size === 2 && (word & ~0x0f80) === 0x6001;

const ours = ({ insn, mnemonic, operands }: DisassembledInsn): string =>
  insn === undefined ? UNKNOWN : `${mnemonic} ${operands}`.trim();

/** Instructions of the privileged architecture: LLVM has them always, the table has not. */
const PRIVILEGED =
  /^(mret|sret|mnret|dret|wfi|sfence\.\S+|hfence\.\S+|hinval\.\S+|sinval\.\S+|hlv\S*|hsv\S*)\b/;

/** Lines in which the two disagree. */
function differences(bytes: Uint8Array, aliases: boolean): readonly string[] {
  const oracle = disassembleWithLlvm(bytes, BASE, { aliases });
  const mine = [...disassemble(bytes, BASE, { aliases, compressed: !aliases })];
  expect(oracle.length).toBe(mine.length);
  return mine.flatMap((line, index) => {
    const other = oracle[index]!;
    const theirs = normalised(other);
    const text = ours(line);
    const same =
      text === theirs ||
      (line.word === 0 && text === UNKNOWN && /unimp$/.test(theirs)) ||
      (text === UNKNOWN && PRIVILEGED.test(theirs)) ||
      (text === UNKNOWN && isReservedLui(line));
    return same && line.address === other.address
      ? []
      : [`${line.word.toString(16)}: ours '${text}', LLVM '${theirs}'`];
  });
}

const tool = findLlvmObjdump();

if (tool === undefined) {
  test.skip('SKIPPED: llvm-objdump-19 is not installed, so nothing compares our disassembly with it', () =>
    undefined);
}

describe.skipIf(tool === undefined)('LLVM agrees', () => {
  describe.each([true, false])('pseudo-instructions: %s', (aliases) => {
    test('on every instruction of the table with edge and random operands', () => {
      const random = new Random(0x5eed);
      const words = TABLE.flatMap((spec) =>
        samplesOf(spec, random, 24).map(({ mnemonic, operands }) => ({
          word: encode(mnemonic, operands),
          size: spec.size,
        })),
      );
      expect(words.length).toBeGreaterThan(TABLE.length * 24 - 200);
      expect(differences(bytesOf(words), aliases)).toEqual([]);
    });

    test('on all halfwords that are not the beginning of a longer instruction', () => {
      const words = Array.from({ length: 0x10000 }, (_, word) => ({ word, size: 2 })).filter(
        ({ word }) => (word & 3) !== 3,
      );
      expect(differences(bytesOf(words), aliases)).toEqual([]);
    });
  });

  test('on what is no instruction, among words near those of the table', () => {
    const random = new Random(0xbad);
    const words = TABLE.filter((spec) => spec.size === 4)
      .flatMap((spec) =>
        Array.from(
          { length: 60 },
          () => (spec.match ^ (1 << random.below(32)) ^ (random.u32() & 0x01ff8f80)) >>> 0,
        ),
      )
      // Reserved fences are fences to us, as the manual demands; LLVM does not show them. Accesses to random CSRs would
      // only ask for names. Five ones at the end announce still longer instructions.
      .filter((word) => (word & 3) === 3 && (word & 0x1f) !== 0x1f)
      .filter((word) => (word & 0x7f) !== 0x0f && ((word & 0x7f) !== 0x73 || (word & 0x7000) === 0))
      .map((word) => ({ word, size: 4 }));
    expect(differences(bytesOf(words), true)).toEqual([]);
  });

  test('on the names of CSRs', () => {
    const words = NAMED_CSRS.map(([csr]) => ({ word: encode('csrrw', { rd: 10, csr, rs1: 11 }), size: 4 }));
    expect(differences(bytesOf(words), true)).toEqual([]);
  });
});

const gnu = findGnuObjdump();

if (gnu === undefined) {
  test.skip('SKIPPED: riscv64-linux-gnu-objdump is not installed, so nothing tells what reserved halfwords are', () =>
    undefined);
}

describe.skipIf(gnu === undefined)('GNU agrees', () => {
  test('that c.lui with an immediate of 0 is no instruction', () => {
    // A c.nop behind each keeps the disassembler from joining them.
    const words = Array.from({ length: 32 }, (_, rd) => [0x6001 | (rd << 7), 0x0001]).flat();
    const lines = disassembleWithGnu(bytesOf(words.map((word) => ({ word, size: 2 }))), BASE);
    const instructions = lines.filter(({ mnemonic }) => mnemonic.endsWith('lui'));
    expect(lines.length).toBeGreaterThanOrEqual(32);
    expect(instructions).toEqual([]);
  });
});
