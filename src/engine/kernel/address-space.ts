import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { alignUp, roundUp } from '../base/u64';
import type { MachineMemory, Permissions } from '../machine/types';
import { AREAS, PAGE_SIZE, type Mmu } from './addresses';
import { errnoError } from './errno';

const RW: Permissions = { r: true, w: true, x: false };
/** Bytes of direct map that are mapped at a time. */
const SLAB_STEP = 64 * 1024;
/** kmalloc's caches; larger requests take whole pages. */
const SIZE_CLASSES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];
/** Largest single allocation, bytes: pages of the machine are only made when they are written. */
const ALLOCATION_LIMIT = 4 * 1024 * 1024 * 1024;

/** A list of free objects, last freed first. Never changed, so that saved states share it. */
interface FreeList {
  readonly address: bigint;
  readonly next: FreeList | undefined;
}

/** What an allocator keeps outside machine memory. */
export interface AllocatorState {
  readonly directNext: bigint;
  readonly directEnd: bigint;
  readonly vmallocNext: bigint;
  /** By size of the objects. */
  readonly free: ReadonlyMap<number, FreeList>;
}

/**
 * Kernel memory by area, handed out in a fixed order so that every run of the same inputs has the same addresses.
 * kmalloc() takes objects from the direct map as the slab allocator does (size classes, last freed first used);
 * vmalloc() maps whole pages with an unmapped guard page behind each allocation.
 */
export class AddressSpace {
  private directNext: bigint;
  private directEnd: bigint;
  private vmallocNext: bigint;
  private free = new Map<number, FreeList>();

  constructor(
    private readonly memory: MachineMemory,
    mmu: Mmu,
  ) {
    // The first part of either area is in use long before a BPF program is loaded.
    this.directNext = AREAS[mmu].directMap + 0x2400000n;
    this.directEnd = this.directNext;
    this.vmallocNext = AREAS[mmu].vmalloc + 0x300000n;
  }

  /** Bytes that kmalloc() really gives for a request (ksize()). */
  static kmallocSize(size: number): number {
    return SIZE_CLASSES.find((c) => c >= size) ?? roundUp(size, PAGE_SIZE);
  }

  /**
   * A zeroed object of at least `size` bytes in the direct map, aligned to 8 bytes (power-of-two sizes to their size, up to a page).
   * @throws EngineError `kernel/errno` ENOMEM when it is larger than the model allows.
   */
  kmalloc(size: number): bigint {
    const real = AddressSpace.kmallocSize(checked(size));
    const reused = this.free.get(real);
    if (reused) {
      if (reused.next) this.free.set(real, reused.next);
      else this.free.delete(real);
      this.memory.write(reused.address, new Uint8Array(real));
      return reused.address;
    }
    const align = (real & (real - 1)) === 0 ? Math.min(real, PAGE_SIZE) : real > PAGE_SIZE ? PAGE_SIZE : 32;
    return this.takeDirect(real, align);
  }

  /** Gives back an object of kmalloc(); `size` as it was requested. */
  kfree(address: bigint, size: number): void {
    const real = AddressSpace.kmallocSize(size);
    this.free.set(real, { address, next: this.free.get(real) });
  }

  /** Zeroed pages for `size` bytes, with a guard page behind them. `name` labels the region. */
  vmalloc(size: number, name: string, permissions: Permissions = RW): bigint {
    const bytes = roundUp(Math.max(checked(size), 1), PAGE_SIZE);
    const address = this.vmallocNext;
    this.memory.map({ name, base: address, size: bytes, permissions });
    this.vmallocNext += BigInt(bytes + PAGE_SIZE);
    return address;
  }

  /** The bytes in a region of exactly their length: the first access past them faults. */
  vmallocExact(bytes: Uint8Array, name: string): bigint {
    const address = this.vmallocNext;
    this.memory.map({ name, base: address, size: checked(bytes.length), permissions: RW }, bytes);
    this.vmallocNext += BigInt(roundUp(bytes.length, PAGE_SIZE) + PAGE_SIZE);
    return address;
  }

  /** kmalloc for small areas, vmalloc for large ones, as bpf_map_area_alloc() chooses. */
  mapArea(size: number, name: string): bigint {
    return size <= 8 * PAGE_SIZE ? this.kmalloc(size) : this.vmalloc(size, name);
  }

  private takeDirect(size: number, align: number): bigint {
    const address = alignUp(this.directNext, BigInt(align));
    const end = address + BigInt(size);
    while (this.directEnd < end) {
      const step = Math.max(SLAB_STEP, roundUp(Number(end - this.directEnd), SLAB_STEP));
      this.memory.map({ name: 'direct map', base: this.directEnd, size: step, permissions: RW });
      this.directEnd += BigInt(step);
    }
    this.directNext = end;
    return address;
  }

  save(): AllocatorState {
    return {
      directNext: this.directNext,
      directEnd: this.directEnd,
      vmallocNext: this.vmallocNext,
      free: new Map(this.free),
    };
  }

  load(state: AllocatorState): void {
    this.directNext = state.directNext;
    this.directEnd = state.directEnd;
    this.vmallocNext = state.vmallocNext;
    this.free = new Map(state.free);
  }
}

function checked(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new EngineError(
      'kernel/allocation',
      `A kernel allocation of ${size} bytes was asked for; sizes are whole and positive.`,
    );
  }
  if (size > ALLOCATION_LIMIT) {
    throw errnoError(
      'ENOMEM',
      `${hex64(BigInt(size))} bytes are more than the ${ALLOCATION_LIMIT / 2 ** 30} GiB that Hartbeat gives to one kernel object`,
      { size },
    );
  }
  return size;
}
