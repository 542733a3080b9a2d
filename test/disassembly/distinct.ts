import { createHash } from 'node:crypto';
import type { ComparedCode } from '../../src/engine/rv64/testing/agreement';

/** Leaves out images that were there before, at whatever address, and empty ones; what is left is named by its first label. */
export class DistinctImages {
  private readonly seen = new Set<string>();
  /** Images so far, with those that were left out. */
  total = 0;

  *of(images: Iterable<ComparedCode>): Generator<ComparedCode, void> {
    for (const image of images) {
      this.total++;
      const hash = createHash('sha256').update(image.bytes).digest('base64');
      if (image.bytes.length === 0 || this.seen.has(hash)) continue;
      this.seen.add(hash);
      yield image;
    }
  }
}
