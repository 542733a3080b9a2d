import type { Core } from './core';
import { DIRTY_COUNT, DIRTY_LIST, DIRTY_MAX, PAGE_DIRTY } from './core/layout';
import type { PagedMemory } from './memory';
import { differences, frameOf, pageBytesBeyond, PageStore, type RegionPages } from './page-store';
import type { MappedRegion } from './regions';
import type { Region } from './types';

/** A region as it was at an instant. */
interface RegionImage {
  readonly region: Region;
  readonly number: number;
  /** Undefined: nothing of it had been written. */
  readonly pages: RegionPages | undefined;
}

/** Memory at an instant, until it is released. */
export interface MemoryImage {
  readonly regions: readonly RegionImage[];
}

/** Bytes that an image keeps alive and another does not. */
export function bytesBeyond(image: MemoryImage, other: MemoryImage | undefined): number {
  const others = new Map(other?.regions.map(({ number, pages }) => [number, pages]));
  return image.regions.reduce(
    (sum, { number, pages }) => sum + pageBytesBeyond(pages, others.get(number)),
    0,
  );
}

/**
 * Saves and restores memory without copying it: an image takes over the frames of the pages written since the last one, and
 * the core copies a page when it is written for the first time after an image. It keeps a list of those pages.
 */
export class MemorySaver {
  /** By region number: what pages that are not marked dirty hold. */
  private readonly saved = new Map<number, RegionPages>();
  private readonly store: PageStore;

  constructor(
    private readonly core: Core,
    private readonly memory: PagedMemory,
  ) {
    this.store = new PageStore(core);
  }

  save(): MemoryImage {
    const { core } = this;
    for (const [mapped, pages] of this.dirty()) {
      const changes = pages.map((page) => {
        const at = mapped.pages + 4 * page;
        const frame = (core.getU32(at) & ~PAGE_DIRTY) >>> 0;
        core.setU32(at, frame);
        return [page, frame] as const;
      });
      this.keep(mapped.number, this.store.changed(this.saved.get(mapped.number), changes));
    }
    core.setU32(DIRTY_COUNT, 0);
    this.forgetUnmapped();
    core.flushStoreTlb();
    return {
      regions: this.memory.table.all.map(({ region, number }) => {
        const pages = this.saved.get(number);
        if (pages) pages.holders++;
        return { region, number, pages };
      }),
    };
  }

  /** Lets go of an image: it cannot be restored any more. */
  release(image: MemoryImage): void {
    for (const { pages } of image.regions) if (pages) this.store.release(pages);
  }

  restore(image: MemoryImage): void {
    const { table } = this.memory;
    const wanted = new Set(image.regions.map(({ number }) => number));
    for (const mapped of [...table.all]) if (!wanted.has(mapped.number)) this.memory.remove(mapped);
    this.forgetUnmapped();
    const present = new Map(table.all.map((mapped) => [mapped.number, mapped]));
    const dirty = new Map([...this.dirty()].map(([mapped, pages]) => [mapped.number, pages]));

    for (const { region, number, pages } of image.regions) {
      const mapped = present.get(number) ?? table.add(region, number);
      const change = [...(dirty.get(number) ?? []), ...differences(pages, this.saved.get(number))];
      for (const page of change) this.core.setFrame(mapped.pages + 4 * page, frameOf(pages, page));
      if (pages) pages.holders++;
      this.keep(number, pages);
    }
    this.core.setU32(DIRTY_COUNT, 0);
    this.core.flushTlb();
  }

  /** From now on a region's pages that are not dirty hold this. */
  private keep(number: number, pages: RegionPages | undefined): void {
    const before = this.saved.get(number);
    if (pages) this.saved.set(number, pages);
    else this.saved.delete(number);
    if (before) this.store.release(before);
  }

  private forgetUnmapped(): void {
    const mapped = new Set(this.memory.table.all.map(({ number }) => number));
    for (const number of [...this.saved.keys()]) if (!mapped.has(number)) this.keep(number, undefined);
  }

  /** The pages written since the last image was saved or restored, by region. */
  private dirty(): Map<MappedRegion, number[]> {
    const { core } = this;
    const found = new Map<MappedRegion, number[]>();
    const take = (mapped: MappedRegion, page: number): void => {
      if ((core.getU32(mapped.pages + 4 * page) & PAGE_DIRTY) === 0) return;
      const list = found.get(mapped);
      if (list) list.push(page);
      else found.set(mapped, [page]);
    };
    const { all } = this.memory.table;
    const count = core.getU32(DIRTY_COUNT);
    if (count > DIRTY_MAX) {
      for (const mapped of all) for (let page = 0; page < mapped.pageCount; page++) take(mapped, page);
      return found;
    }
    const byNumber = new Map(all.map((mapped) => [mapped.number, mapped]));
    for (let i = 0; i < count; i++) {
      const mapped = byNumber.get(core.getU32(DIRTY_LIST + 8 * i));
      if (mapped) take(mapped, core.getU32(DIRTY_LIST + 8 * i + 4));
    }
    return found;
  }
}
