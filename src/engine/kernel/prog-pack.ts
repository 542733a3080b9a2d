import { EngineError } from '../base/errors';
import { roundUp } from '../base/u64';
import type { ImagePlacement } from '../jit/types';
import type { MachineMemory } from '../machine/types';
import type { KernelVersion } from '../profile/profile';
import { BPF_JIT_REGION_END, BPF_JIT_REGION_START, PAGE_SIZE } from './addresses';
import type { RandomSource } from './random';

/** sizeof(struct bpf_binary_header) */
const HEADER_BYTES = 8;
/** Allocation unit inside a pack (BPF_PROG_CHUNK_SIZE). */
const CHUNK_BYTES = 64;
/** Bytes that the size of a pack's chunks is rounded up for, besides header and image (bpf_jit_binary_pack_alloc()). */
const PACK_SLACK = 16;
/** The same for images on pages of their own (bpf_jit_binary_alloc()). */
const PAGE_SLACK = 128;
/** Bytes of a pack: one huge page of read-only executable memory (BPF_PROG_PACK_SIZE). */
const PACK_BYTES = 2 * 1024 * 1024;

/** Kernels that give each image pages of its own (spec 7.4). */
const OWN_PAGES: ReadonlySet<KernelVersion> = new Set(['6.6']);
const ownPages = (kernel: KernelVersion): boolean => OWN_PAGES.has(kernel);

export interface PackState {
  readonly next: bigint;
  readonly mappedTo: bigint;
}

/**
 * Places JIT images in the BPF JIT region as bpf_prog_pack does: chunks of 64 bytes, a header of 8 bytes, then the image
 * at a random multiple of 4 in what is left over. Unused bytes are zero, which is an illegal instruction.
 */
export class ProgPack implements ImagePlacement {
  private next = BPF_JIT_REGION_START;
  private mappedTo = BPF_JIT_REGION_START;

  constructor(
    private readonly memory: MachineMemory,
    private readonly kernel: KernelVersion,
    private readonly random: RandomSource,
  ) {}

  /** @throws EngineError `kernel/jit-memory` when the 128 MiB of the region are used up. */
  place(_functionIndex: number, size: number, extableSize: number): bigint {
    const needed = size + extableSize + HEADER_BYTES;
    const length = ownPages(this.kernel)
      ? roundUp(needed + PAGE_SLACK, PAGE_SIZE)
      : roundUp(needed + PACK_SLACK, CHUNK_BYTES);
    const start = this.take(length);
    const hole = ownPages(this.kernel)
      ? Math.min(length - needed, PAGE_SIZE - HEADER_BYTES)
      : length - needed;
    const offset = (this.random.next32() % hole) & ~3;
    return start + BigInt(HEADER_BYTES + offset);
  }

  /** `length` bytes inside one mapped region. */
  private take(length: number): bigint {
    if (this.next + BigInt(length) > this.mappedTo) {
      const size = roundUp(length, ownPages(this.kernel) ? PAGE_SIZE : PACK_BYTES);
      this.next = this.mappedTo;
      if (this.next + BigInt(size) > BPF_JIT_REGION_END) {
        throw new EngineError(
          'kernel/jit-memory',
          `No room for an image of ${length} bytes: the 128 MiB of the BPF JIT region are used up. Load fewer programs.`,
          { length },
        );
      }
      this.memory.map({
        name: 'BPF images',
        base: this.next,
        size,
        permissions: { r: true, w: false, x: true },
      });
      this.mappedTo += BigInt(size);
    }
    const start = this.next;
    this.next += BigInt(length);
    return start;
  }

  save(): PackState {
    return { next: this.next, mappedTo: this.mappedTo };
  }

  load(state: PackState): void {
    this.next = state.next;
    this.mappedTo = state.mappedTo;
  }
}
