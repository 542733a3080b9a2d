import type { Core } from './core';

/** Bytes that an arena takes at a time. */
const SEGMENT = 256 * 1024;

/** Memory of the core handed out from the front, and taken back all at once. */
export class Arena {
  private readonly segments: number[] = [];
  private used = 0;
  private at = 0;
  private left = 0;

  constructor(private readonly core: Core) {}

  /** `bytes` (at most 256 KiB) of memory; what it holds is not defined. */
  take(bytes: number): number {
    if (bytes > this.left) {
      if (this.used === this.segments.length) this.segments.push(this.core.allocate(SEGMENT));
      this.at = this.segments[this.used++]!;
      this.left = SEGMENT;
    }
    const at = this.at;
    this.at += bytes;
    this.left -= bytes;
    return at;
  }

  /** Gives back what lies above `end` of the piece taken last. */
  giveBack(end: number): void {
    this.left += this.at - end;
    this.at = end;
  }

  reset(): void {
    this.used = 0;
    this.left = 0;
  }
}
