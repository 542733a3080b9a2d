const MASK = (1n << 64n) - 1n;

/** A seeded source of 64-bit numbers (splitmix64): the only randomness of the kernel model, so runs can be replayed. */
export class RandomSource {
  private state: bigint;

  constructor(seed: number) {
    this.state = BigInt.asUintN(64, BigInt(Math.trunc(seed)));
  }

  next64(): bigint {
    this.state = (this.state + 0x9e3779b97f4a7c15n) & MASK;
    let z = this.state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  }

  /** 0 … 2^32 - 1 */
  next32(): number {
    return Number(this.next64() >> 32n);
  }

  save(): bigint {
    return this.state;
  }

  load(state: bigint): void {
    this.state = state;
  }
}
