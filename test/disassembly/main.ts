import { readRecords } from '../../src/cli/vectors/records';
import { disagreements, type ComparedCode } from '../../src/engine/rv64/testing/agreement';
import { DistinctImages } from './distinct';
import { imagesOf } from './recorded-images';

/** Images, and lines of one, that are shown in full. */
const SHOWN = 20;

/**
 * Compares our disassembly of every image in vector files with LLVM's, with pseudo-instructions and without. What occurs more
 * than once is compared once.
 * @param print takes one line of text
 */
export default function disassembly(
  files: readonly string[],
  print: (line: string) => void,
): { passed: number; failed: number } {
  const distinct = new DistinctImages();
  const total = { passed: 0, failed: 0, lines: 0 };
  for (const file of files) {
    const images: ComparedCode[] = [];
    for (const record of readRecords(file)) images.push(...distinct.of(imagesOf(record, true)));
    const wrong = new Set<number>();
    for (const aliases of [true, false]) {
      for (const { index, label, lines } of disagreements(images, aliases, (n) => (total.lines += n))) {
        wrong.add(index);
        if (total.failed + wrong.size > SHOWN) continue;
        print(`FAILED ${file}: ${label}${aliases ? '' : ', without pseudo-instructions'}`);
        for (const line of lines.slice(0, SHOWN)) print(`    ${line}`);
      }
    }
    total.passed += images.length - wrong.size;
    total.failed += wrong.size;
  }
  const { passed, failed, lines } = total;
  print(`${distinct.total} images, ${passed + failed} of them different; ${lines} lines in both notations`);
  return { passed, failed };
}
