import { alignUp, roundUp, u64 } from '../base/u64';
import type { MachineMemory } from '../machine/types';
import { AREAS, IMAGE_ADDRESSES, type Mmu } from './addresses';
import type { KernelVersion } from '../profile/profile';

const STEP = 64 * 1024;

export interface PerCpuState {
  readonly next: bigint;
  readonly mappedTo: bigint;
}

/**
 * Per-CPU memory of the one CPU there is. A per-CPU pointer is an address in the static per-CPU section, where nothing is
 * mapped; adding __per_cpu_offset[cpu] gives the CPU's copy. Code that forgets the addition faults, as it may in a kernel.
 */
export class PerCpuMemory {
  /** Entry 0 of __per_cpu_offset, modulo 2^64. */
  readonly offset: bigint;
  private next: bigint;
  private mappedTo: bigint;

  constructor(
    private readonly memory: MachineMemory,
    kernel: KernelVersion,
    mmu: Mmu,
    perCpuOffsetArray: bigint,
  ) {
    const unit = AREAS[mmu].directMap + 0x3fc00000n;
    this.offset = u64(unit - IMAGE_ADDRESSES[kernel].perCpuStart);
    // The static section of a kernel takes the first part of a unit.
    this.next = unit + 0x20000n;
    this.mappedTo = this.next;
    memory.writeU64(perCpuOffsetArray, this.offset);
  }

  /** A zeroed object of `size` bytes for each CPU; returns the per-CPU pointer (alloc_percpu()). */
  alloc(size: number, align = 8): bigint {
    const address = alignUp(this.next, BigInt(align));
    const end = address + BigInt(size);
    if (end > this.mappedTo) {
      const step = roundUp(Number(end - this.mappedTo), STEP);
      this.memory.map({
        name: 'per-CPU memory',
        base: this.mappedTo,
        size: step,
        permissions: { r: true, w: true, x: false },
      });
      this.mappedTo += BigInt(step);
    }
    this.next = end;
    return u64(address - this.offset);
  }

  /** The running CPU's copy of a per-CPU pointer (this_cpu_ptr()). */
  here(pointer: bigint): bigint {
    return u64(pointer + this.offset);
  }

  save(): PerCpuState {
    return { next: this.next, mappedTo: this.mappedTo };
  }

  load(state: PerCpuState): void {
    this.next = state.next;
    this.mappedTo = state.mappedTo;
  }
}
