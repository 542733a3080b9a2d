/** A small generator of pseudo-random numbers with a fixed seed (xorshift32), so that a failing case can be repeated. */
export class Random {
  constructor(private state: number) {}

  /** An unsigned 32-bit number. */
  u32(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }

  /** 0 … count - 1 */
  below(count: number): number {
    return this.u32() % count;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}
