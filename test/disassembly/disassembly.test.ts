import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRecords } from '../../src/cli/vectors/records';
import { disagreements, type ComparedCode } from '../../src/engine/rv64/testing/agreement';
import { findLlvmObjdump } from '../../src/engine/rv64/testing/objdump';
import { DistinctImages } from './distinct';
import { exampleImages } from './example-images';
import { imagesOf } from './recorded-images';

/**
 * Every image that there is in this repository, of recipes both ends; `npm run vectors -- --disassembly` compares those of all
 * recorded vectors, and recipes whole.
 */
const GOLDEN = path.resolve(import.meta.dirname, '../golden');
const FILES = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jsonl.gz'))
  .map((name) => path.join(GOLDEN, name));

function* recordedImages(): Generator<ComparedCode, void> {
  for (const file of FILES) for (const record of readRecords(file)) yield* imagesOf(record, false);
}

const tool = findLlvmObjdump();

if (tool === undefined) {
  test.skip('SKIPPED: llvm-objdump-19 is not installed, so nothing compares our disassembly of images with it', () =>
    undefined);
}

describe.skipIf(tool === undefined)('LLVM disassembles as we do', () => {
  describe.each([
    ['every recorded image', recordedImages, 1400, 90_000],
    ['everything that the JIT makes of the examples', exampleImages, 500, 25_000],
  ] as const)('%s', (_what, images, leastImages, leastInsns) => {
    let collected: readonly ComparedCode[] | undefined;
    test.each([true, false])('pseudo-instructions: %s', (aliases) => {
      const distinct = (collected ??= [...new DistinctImages().of(images())]);
      let instructions = 0;
      expect(disagreements(distinct, aliases, (count) => (instructions += count))).toEqual([]);
      expect(distinct.length).toBeGreaterThan(leastImages);
      expect(instructions).toBeGreaterThan(leastInsns);
    });
  });
});
