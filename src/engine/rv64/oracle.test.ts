/** Our disassembly against independent ones; testing/agreement.ts says what is normalised. */
import { describe, expect, test } from 'vitest';
import { NAMED_CSRS } from './csrs';
import { encode } from './encode';
import { TABLE } from './table';
import { disagreements } from './testing/agreement';
import { disassembleWithGnu, findGnuObjdump, findLlvmObjdump } from './testing/objdump';
import { Random } from './testing/random';
import { samplesOf } from './testing/samples';

const BASE = 0xffffffff80000000n;

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

const disagreementsOf = (words: Parameters<typeof bytesOf>[0], aliases: boolean) =>
  disagreements([{ label: 'words', bytes: bytesOf(words), address: BASE }], aliases);

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
      expect(disagreementsOf(words, aliases)).toEqual([]);
    });

    test('on all halfwords that are not the beginning of a longer instruction', () => {
      const words = Array.from({ length: 0x10000 }, (_, word) => ({ word, size: 2 })).filter(
        ({ word }) => (word & 3) !== 3,
      );
      expect(disagreementsOf(words, aliases)).toEqual([]);
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
    expect(disagreementsOf(words, true)).toEqual([]);
  });

  test('on the names of CSRs', () => {
    const words = NAMED_CSRS.map(([csr]) => ({ word: encode('csrrw', { rd: 10, csr, rs1: 11 }), size: 4 }));
    expect(disagreementsOf(words, true)).toEqual([]);
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
