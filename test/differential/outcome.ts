import { ARENA, BUFFER, fill, PER_CPU, VALUES } from './world';

/** What a run leaves behind, as far as a program decides it. */
export interface Outcome {
  readonly r0: bigint;
  /** Contents of the regions of {@link memoryOf}. */
  readonly memory: readonly Uint8Array[];
}

export interface MemoryRegion {
  readonly name: string;
  readonly base: bigint;
  readonly bytes: Uint8Array;
}

/** Data memory as it is before a run. */
export function memoryOf(seed: number): MemoryRegion[] {
  return [
    { name: 'buffer', base: BUFFER.base, bytes: fill(BUFFER.size, seed) },
    { name: 'values', base: VALUES.base, bytes: fill(VALUES.size, seed + 1) },
    { name: 'per-cpu memory', base: PER_CPU.base + PER_CPU.offset, bytes: fill(PER_CPU.size, seed + 2) },
    {
      name: 'arena',
      base: ARENA.kernelBase + BigInt(ARENA.pageOffset),
      bytes: fill(ARENA.pageSize, seed + 3),
    },
  ];
}
