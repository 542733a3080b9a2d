import type { Core } from './core';
import { DIRTY_COUNT, DIRTY_LIST, DIRTY_MAX, PAGE_BYTES, PAGE_DIRTY } from './core/layout';
import type { PagedMemory } from './memory';
import type { MappedRegion } from './regions';
import type { Region } from './types';

/** Pages are kept in groups, so that a snapshot shares all groups without a change with the one before. */
const GROUP = 64;
const POINTER_BYTES = 8;

/** Contents of pages; undefined: zeros. Never changed once made. */
type Group = readonly (Uint8Array | undefined)[];
type Groups = readonly (Group | undefined)[];

/** Memory at an instant. */
export interface MemoryImage {
  readonly regions: readonly { readonly region: Region; readonly number: number; readonly groups: Groups }[];
}

/** Bytes that an image keeps alive and another does not: pages, and the groups that hold them. */
export function bytesBeyond(image: MemoryImage, other: MemoryImage | undefined): number {
  const others = new Map(other?.regions.map(({ number, groups }) => [number, groups]));
  let bytes = 0;
  for (const { number, groups } of image.regions) {
    const known = others.get(number) ?? NO_GROUPS;
    if (groups === known) continue;
    bytes += groups.length * POINTER_BYTES;
    groups.forEach((group, index) => {
      if (group === undefined || group === known[index]) return;
      bytes += GROUP * POINTER_BYTES;
      group.forEach(
        (page, i) => (bytes += page !== undefined && page !== known[index]?.[i] ? PAGE_BYTES : 0),
      );
    });
  }
  return bytes;
}

const NO_GROUPS: Groups = [];
const EMPTY_GROUP: Group = [];

/**
 * Saves and restores memory. Pages written since the last image are copied; all others are shared with it. The core
 * keeps a list of the pages it writes for the first time after an image.
 */
export class MemorySaver {
  /** What the images made so far know of each region, by its number; pages not marked dirty equal this. */
  private saved = new Map<number, Groups>();

  constructor(
    private readonly core: Core,
    private readonly memory: PagedMemory,
  ) {}

  save(): MemoryImage {
    for (const [mapped, pages] of this.takeDirty()) {
      const groups = [...(this.saved.get(mapped.number) ?? NO_GROUPS)];
      const fresh = new Map<number, (Uint8Array | undefined)[]>();
      for (const page of pages) {
        const index = Math.floor(page / GROUP);
        let group = fresh.get(index);
        if (!group) {
          group = [...(groups[index] ?? EMPTY_GROUP)];
          fresh.set(index, group);
          groups[index] = group;
        }
        const frame = this.memory.frameToRead(mapped, page);
        group[page % GROUP] = this.core.u8.slice(frame, frame + PAGE_BYTES);
      }
      this.saved.set(mapped.number, groups);
    }
    this.core.flushStoreTlb();
    const regions = this.memory.table.all.map(({ region, number }) => ({
      region,
      number,
      groups: this.saved.get(number) ?? NO_GROUPS,
    }));
    return { regions };
  }

  restore(image: MemoryImage): void {
    const { table } = this.memory;
    const wanted = new Map(image.regions.map((entry) => [entry.number, entry]));
    for (const mapped of [...table.all]) if (!wanted.has(mapped.number)) this.memory.remove(mapped);
    const present = new Map(table.all.map((mapped) => [mapped.number, mapped]));
    const dirty = new Map([...this.takeDirty()].map(([mapped, pages]) => [mapped.number, pages]));

    for (const { region, number, groups } of image.regions) {
      const known = present.get(number);
      const mapped = known ?? table.add(region, number);
      const before = known ? (this.saved.get(number) ?? NO_GROUPS) : NO_GROUPS;
      const change = new Set(dirty.get(number) ?? []);
      for (let index = 0; index < Math.max(groups.length, before.length); index++) {
        const now = groups[index] ?? EMPTY_GROUP;
        const old = before[index] ?? EMPTY_GROUP;
        if (now === old) continue;
        for (let i = 0; i < GROUP; i++) if (now[i] !== old[i]) change.add(index * GROUP + i);
      }
      for (const page of change) this.setPage(mapped, page, groups[Math.floor(page / GROUP)]?.[page % GROUP]);
      this.saved.set(number, groups);
    }
    this.takeDirty();
    this.core.flushTlb();
  }

  private setPage(mapped: MappedRegion, page: number, bytes: Uint8Array | undefined): void {
    const at = mapped.pages + 4 * page;
    const frame = (this.core.getU32(at) & -PAGE_BYTES) >>> 0;
    if (bytes === undefined) {
      if (frame !== 0) this.core.freeFrame(frame);
      this.core.setU32(at, 0);
      return;
    }
    const target =
      frame !== 0
        ? frame
        : this.core.touch(mapped.base + BigInt(Math.max(0, page * PAGE_BYTES - mapped.lead)));
    this.core.u8.set(bytes, target);
  }

  /** The pages written since the last call, by region; their marks are cleared. */
  private takeDirty(): Map<MappedRegion, number[]> {
    const { core } = this;
    const found = new Map<MappedRegion, number[]>();
    const count = core.getU32(DIRTY_COUNT);
    core.setU32(DIRTY_COUNT, 0);
    const take = (mapped: MappedRegion, page: number): void => {
      const at = mapped.pages + 4 * page;
      const entry = core.getU32(at);
      if ((entry & PAGE_DIRTY) === 0) return;
      core.setU32(at, entry & ~PAGE_DIRTY);
      const list = found.get(mapped);
      if (list) list.push(page);
      else found.set(mapped, [page]);
    };
    if (count > DIRTY_MAX) {
      for (const mapped of this.memory.table.all) {
        for (let page = 0; page < mapped.pageCount; page++) take(mapped, page);
      }
      return found;
    }
    const byNumber = new Map(this.memory.table.all.map((mapped) => [mapped.number, mapped]));
    for (let i = 0; i < count; i++) {
      const mapped = byNumber.get(core.getU32(DIRTY_LIST + 8 * i));
      if (mapped) take(mapped, core.getU32(DIRTY_LIST + 8 * i + 4));
    }
    return found;
  }
}
