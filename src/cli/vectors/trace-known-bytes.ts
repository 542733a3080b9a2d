import type { MachineMemory } from '../../engine/machine/types';

const PAGE_BYTES = 4096;
const PAGE = BigInt(PAGE_BYTES);

/** What is known of a byte. */
const UNKNOWN = 0;
/** The trace has written it. */
const WRITTEN = 1;
/** Written relative to sp or fp: a frame's own slot, to which no pointer is given away. */
const FRAME = 2;

/**
 * The memory of a trace. Records hold no memory: bytes are unknown until the trace writes them, and become unknown again when a
 * callee that is not part of the trace may have changed them. Pages are mapped as they are touched.
 */
export class KnownBytes {
  /** By page number: what is known of each byte. */
  private readonly pages = new Map<bigint, Uint8Array>();

  constructor(private readonly memory: MachineMemory) {}

  /** Maps what is not mapped of a range that is about to be accessed. */
  ensureMapped(address: bigint, size: number): void {
    for (let page = address / PAGE; page * PAGE < address + BigInt(size); page++) {
      const base = page * PAGE;
      if (this.memory.regionAt(base)) continue;
      const permissions = { r: true, w: true, x: false };
      this.memory.map({ name: 'memory of the trace', base, size: PAGE_BYTES, permissions });
    }
  }

  /** Puts a recorded value into memory where its bytes are unknown; `value` is little endian, `size` bytes count. */
  supply(address: bigint, size: number, value: bigint): void {
    for (let i = 0; i < size; i++) {
      const at = address + BigInt(i);
      if (this.state(at) === UNKNOWN) this.memory.writeU8(at, Number((value >> BigInt(8 * i)) & 0xffn));
    }
  }

  /** True if all bytes are known. */
  knows(address: bigint, size: number): boolean {
    for (let i = 0; i < size; i++) if (this.state(address + BigInt(i)) === UNKNOWN) return false;
    return true;
  }

  /** The trace has written these bytes. @param inFrame the address was relative to sp or fp */
  written(address: bigint, size: number, inFrame: boolean): void {
    for (let i = 0; i < size; i++) {
      const at = address + BigInt(i);
      const number = at / PAGE;
      let page = this.pages.get(number);
      if (!page) this.pages.set(number, (page = new Uint8Array(PAGE_BYTES)));
      page[Number(at % PAGE)] = inFrame ? FRAME : WRITTEN;
    }
  }

  /**
   * A callee outside of the trace ran: it may have changed everything but the slots of the active frames. What lies below `sp` is
   * its own stack.
   */
  forgetAll(sp: bigint): void {
    for (const [number, page] of this.pages) {
      const below = sp - number * PAGE;
      page.forEach((state, i) => {
        if (state !== FRAME || BigInt(i) < below) page[i] = UNKNOWN;
      });
    }
  }

  private state(address: bigint): number {
    return this.pages.get(address / PAGE)?.[Number(address % PAGE)] ?? UNKNOWN;
  }
}
