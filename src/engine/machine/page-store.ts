import type { Core } from './core';
import { PAGE_BYTES } from './core/layout';

/** Pages are kept in groups, so that images share all groups without a change. */
const GROUP = 64;
const POINTER_BYTES = 8;

/** Frames of GROUP pages, 0 for zeros, and how many regions' pages hold them. */
interface Group {
  holders: number;
  readonly frames: Uint32Array;
}

/** What the pages of a region held at an instant, and how many images (and the present) hold that. */
export interface RegionPages {
  holders: number;
  readonly groups: readonly (Group | undefined)[];
}

/**
 * The frames that images hold, each shared by all images in which its page was not written since. What nobody holds any more
 * goes back to the core.
 */
export class PageStore {
  /** By frame: how many groups hold it. */
  private counts = new Uint32Array(1024);

  constructor(private readonly core: Core) {}

  /**
   * What a region's pages hold after some of them were written.
   * @param changes page numbers and their frames, which the store takes over
   */
  changed(before: RegionPages | undefined, changes: Iterable<readonly [number, number]>): RegionPages {
    const groups = [...(before?.groups ?? [])];
    const fresh = new Set<Group>();
    for (const [page, frame] of changes) {
      const index = Math.floor(page / GROUP);
      let group = groups[index];
      if (!group || !fresh.has(group)) {
        group = { holders: 1, frames: group ? group.frames.slice() : new Uint32Array(GROUP) };
        fresh.add(group);
        groups[index] = group;
      }
      group.frames[page % GROUP] = frame;
    }
    for (const group of groups) {
      if (!group) continue;
      if (fresh.has(group)) for (const frame of group.frames) this.count(frame);
      else group.holders++;
    }
    return { holders: 1, groups };
  }

  private count(frame: number): void {
    if (frame === 0) return;
    const index = frame / PAGE_BYTES;
    if (index >= this.counts.length) {
      const counts = new Uint32Array(2 * index);
      counts.set(this.counts);
      this.counts = counts;
    }
    this.counts[index]!++;
  }

  /** One holder less. */
  release(pages: RegionPages): void {
    if (--pages.holders > 0) return;
    for (const group of pages.groups) {
      if (!group || --group.holders > 0) continue;
      for (const frame of group.frames) {
        if (frame !== 0 && --this.counts[frame / PAGE_BYTES]! === 0) this.core.freeFrame(frame);
      }
    }
  }
}

/** The frame of a page, 0 for zeros. */
export function frameOf(pages: RegionPages | undefined, page: number): number {
  return pages?.groups[Math.floor(page / GROUP)]?.frames[page % GROUP] ?? 0;
}

/** The pages whose frames differ. */
export function* differences(a: RegionPages | undefined, b: RegionPages | undefined): Generator<number> {
  if (a === b) return;
  const length = Math.max(a?.groups.length ?? 0, b?.groups.length ?? 0);
  for (let index = 0; index < length; index++) {
    const [one, other] = [a?.groups[index], b?.groups[index]];
    if (one === other) continue;
    for (let i = 0; i < GROUP; i++) {
      if ((one?.frames[i] ?? 0) !== (other?.frames[i] ?? 0)) yield index * GROUP + i;
    }
  }
}

/** Bytes that one keeps alive and the other does not: pages, and the groups that hold them. */
export function pageBytesBeyond(pages: RegionPages | undefined, other: RegionPages | undefined): number {
  if (!pages || pages === other) return 0;
  let bytes = pages.groups.length * POINTER_BYTES;
  pages.groups.forEach((group, index) => {
    const known = other?.groups[index];
    if (!group || group === known) return;
    bytes += group.frames.byteLength;
    group.frames.forEach((frame, i) => (bytes += frame !== 0 && frame !== known?.frames[i] ? PAGE_BYTES : 0));
  });
  return bytes;
}
