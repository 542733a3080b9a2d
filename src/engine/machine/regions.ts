import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import type { Core } from './core';
import {
  PAGE_BYTES,
  PERMIT_R,
  PERMIT_W,
  PERMIT_X,
  REGION_BASE,
  REGION_BYTES,
  REGION_CODE,
  REGION_COUNT,
  REGION_NUMBER,
  REGION_PAGES,
  REGION_PERMIT,
  REGION_SIZE,
  REGION_TABLE,
} from './core/layout';
import type { Region } from './types';

/** A region with its tables in the core's memory. */
export interface MappedRegion {
  readonly region: Region;
  /** Never used again for another region. */
  readonly number: number;
  readonly base: bigint;
  /** The last address of the region. */
  readonly last: bigint;
  /** Bytes from the start of the first page to `base`. */
  readonly lead: number;
  readonly pageCount: number;
  /** Core address of the page table. */
  readonly pages: number;
  /** Core address of the code table; 0 until something in the region is decoded. */
  code: number;
}

const TOP = 1n << 64n;
const PAGE = BigInt(PAGE_BYTES);
/** Largest region: its page table takes 16 MiB. */
const MAX_REGION = 2 ** 34;

/** The regions of a machine, sorted by address, and their copy in the core's memory. */
export class RegionTable {
  private sorted: MappedRegion[] = [];
  private nextNumber = 1;
  private capacity = 0;
  private table = 0;
  private last: MappedRegion | undefined;
  /** Core addresses of tables that unmapped regions left behind, by size in bytes. */
  private readonly spare = new Map<number, number[]>();

  constructor(private readonly core: Core) {}

  get all(): readonly MappedRegion[] {
    return this.sorted;
  }

  /** The region that holds an address (0 … 2^64 - 1). */
  find(address: bigint): MappedRegion | undefined {
    const hint = this.last;
    if (hint && address >= hint.base && address <= hint.last) return hint;
    const index = this.indexAfter(address) - 1;
    const found = this.sorted[index];
    if (!found || address > found.last) return undefined;
    this.last = found;
    return found;
  }

  /** The first index whose region begins above the address. */
  private indexAfter(address: bigint): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]!.base <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Adds a region. `number` is given to bring back a region that a snapshot knows.
   * @throws EngineError `machine/region` for a bad range, `machine/overlap`, `machine/memory-exhausted`
   */
  add(region: Region, number = this.nextNumber): MappedRegion {
    const { base, size, name } = region;
    if (
      base < 0n ||
      base >= TOP ||
      !Number.isSafeInteger(size) ||
      size <= 0 ||
      size > MAX_REGION ||
      base + BigInt(size) > TOP
    ) {
      throw new EngineError(
        'machine/region',
        `Region '${name}' at ${base < 0n ? base : hex64(base)} with ${size} bytes is no range of the 64-bit address space of at most ${MAX_REGION} bytes.`,
        { name, base, size },
      );
    }
    const last = base + BigInt(size) - 1n;
    const index = this.indexAfter(base);
    const other = [this.sorted[index - 1], this.sorted[index]].find(
      (r) => r && r.base <= last && base <= r.last,
    );
    if (other) {
      throw new EngineError(
        'machine/overlap',
        `Region '${name}' (${hex64(base)} to ${hex64(last)}) overlaps region '${other.region.name}' (${hex64(other.base)} to ${hex64(other.last)}); unmap that first.`,
        { name, base, size },
      );
    }
    const pageCount = Number(last / PAGE - base / PAGE) + 1;
    const mapped: MappedRegion = {
      region,
      number,
      base,
      last,
      lead: Number(base % PAGE),
      pageCount,
      pages: this.takeTable(pageCount),
      code: 0,
    };
    this.nextNumber = Math.max(this.nextNumber, number + 1);
    this.sorted.splice(index, 0, mapped);
    this.publish();
    return mapped;
  }

  /** Removes a region and frees the frames that are its alone. */
  remove(mapped: MappedRegion): void {
    const { core } = this;
    const first = mapped.pages >>> 2;
    for (let page = 0; page < mapped.pageCount; page++) {
      if (core.u32[first + page] !== 0) core.setFrame(mapped.pages + 4 * page, 0);
    }
    this.giveTable(mapped.pages, mapped.pageCount);
    if (mapped.code !== 0) this.giveTable(mapped.code, mapped.pageCount);
    this.sorted = this.sorted.filter((other) => other !== mapped);
    this.publish();
  }

  /** Gives the region a code table, if it has none. */
  ensureCode(mapped: MappedRegion): void {
    if (mapped.code !== 0) return;
    mapped.code = this.takeTable(mapped.pageCount);
    this.publish();
  }

  /** A zeroed table of one u32 a page. */
  private takeTable(pageCount: number): number {
    return this.spare.get(tableBytes(pageCount))?.pop() ?? this.core.allocate(tableBytes(pageCount));
  }

  private giveTable(at: number, pageCount: number): void {
    const size = tableBytes(pageCount);
    this.core.u8.fill(0, at, at + size);
    const list = this.spare.get(size) ?? [];
    list.push(at);
    this.spare.set(size, list);
  }

  /** Writes the table for the core and makes it forget what it remembers of the old one. */
  private publish(): void {
    const { core, sorted } = this;
    if (sorted.length > this.capacity) {
      this.capacity = Math.max(64, sorted.length * 2);
      this.table = core.allocate(this.capacity * REGION_BYTES);
      core.setU32(REGION_TABLE, this.table);
    }
    sorted.forEach((mapped, index) => {
      const at = this.table + index * REGION_BYTES;
      const { r, w, x } = mapped.region.permissions;
      core.setU64(at + REGION_BASE, mapped.base);
      core.setU64(at + REGION_SIZE, BigInt(mapped.region.size));
      core.setU32(at + REGION_PERMIT, (r ? PERMIT_R : 0) | (w ? PERMIT_W : 0) | (x ? PERMIT_X : 0));
      core.setU32(at + REGION_PAGES, mapped.pages);
      core.setU32(at + REGION_CODE, mapped.code);
      core.setU32(at + REGION_NUMBER, mapped.number);
    });
    core.setU32(REGION_COUNT, sorted.length);
    this.last = undefined;
    core.forgetRegion();
    core.flushTlb();
  }
}

const tableBytes = (pageCount: number): number => Math.ceil((pageCount * 4) / PAGE_BYTES) * PAGE_BYTES;
