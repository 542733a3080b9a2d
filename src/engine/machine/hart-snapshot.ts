import type { FetchView } from './predecode';
import { bytesBeyond, type MemoryImage, type MemorySaver } from './snapshots';
import type { Machine, MachineCounters, MachineSnapshot } from './types';

/** Bytes of what a snapshot keeps of its own beside memory and timing: registers, cells, objects. */
const OVERHEAD = 1024;

/** A saved state of a hart and its memory. */
export class HartSnapshot implements MachineSnapshot {
  released = false;

  constructor(
    readonly owner: Machine,
    readonly counters: MachineCounters,
    readonly image: MemoryImage,
    private readonly saver: MemorySaver,
    readonly view: FetchView,
    readonly registers: BigUint64Array,
    readonly cells: readonly bigint[],
    readonly reservation: number,
    readonly timing: Uint8Array,
  ) {}

  bytesBeyond(other?: MachineSnapshot): number {
    const image = other instanceof HartSnapshot && other.owner === this.owner ? other.image : undefined;
    return bytesBeyond(this.image, image) + this.timing.length + OVERHEAD;
  }

  release(): void {
    if (!this.released) this.saver.release(this.image);
    this.released = true;
  }
}
