import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import type { Core } from './core';
import { PAGE_BYTES, PAGE_DIRTY, ZERO_FRAME } from './core/layout';
import { RegionTable, type MappedRegion } from './regions';
import type { MachineMemory, MachineObserver, Region } from './types';

/** Told when what may be executed goes away or changes. */
export interface MappingListener {
  unmapped(mapped: MappedRegion): void;
  /** Bytes of a region that instructions were decoded from are about to be written, by other means than the hart's stores. */
  written(): void;
}

/** Memory by kernel address: regions of pages, whose frames are made when they are first written. */
export class PagedMemory implements MachineMemory {
  readonly table: RegionTable;
  listener: MappingListener | undefined;
  observer: MachineObserver | undefined;

  constructor(private readonly core: Core) {
    this.table = new RegionTable(core);
  }

  map(region: Region, bytes?: Uint8Array): void {
    if (bytes && bytes.length > region.size) {
      throw new EngineError(
        'machine/region',
        `Region '${region.name}' has ${region.size} bytes, fewer than the ${bytes.length} bytes given to fill it.`,
        { name: region.name, size: region.size, bytes: bytes.length },
      );
    }
    this.table.add(region);
    if (bytes) this.write(region.base, bytes);
  }

  unmap(base: bigint): void {
    const mapped = this.table.find(u64(base));
    if (!mapped || mapped.base !== u64(base)) {
      throw new EngineError('machine/unmapped', `No region begins at ${hex64(base)}; nothing was unmapped.`, {
        address: base,
      });
    }
    this.remove(mapped);
  }

  /** Unmaps a region that is known to be mapped. */
  remove(mapped: MappedRegion): void {
    this.table.remove(mapped);
    this.listener?.unmapped(mapped);
  }

  regions(): readonly Region[] {
    return this.table.all.map(({ region }) => region);
  }

  regionAt(address: bigint): Region | undefined {
    return this.table.find(u64(address))?.region;
  }

  /** The frame that a page of a region is read from. */
  frameToRead(mapped: MappedRegion, page: number): number {
    const frame = this.core.u32[(mapped.pages >>> 2) + page]! & -PAGE_BYTES;
    return frame === 0 ? ZERO_FRAME : frame >>> 0;
  }

  private frameToWrite(mapped: MappedRegion, page: number): number {
    if (mapped.code !== 0) this.listener?.written();
    const entry = this.core.u32[(mapped.pages >>> 2) + page]!;
    if (entry & PAGE_DIRTY) return (entry & -PAGE_BYTES) >>> 0;
    const offset = page * PAGE_BYTES - mapped.lead;
    return this.core.touch(mapped.base + BigInt(Math.max(0, offset)));
  }

  /**
   * Calls `visit` for each piece of the range that lies in one page.
   * @returns the first unmapped address, or undefined when all of the range is mapped
   */
  private pieces(
    address: bigint,
    length: number,
    visit: (mapped: MappedRegion, page: number, inPage: number, done: number, bytes: number) => void,
  ): bigint | undefined {
    let done = 0;
    while (done < length) {
      const at = u64(address + BigInt(done));
      const mapped = this.table.find(at);
      if (!mapped) return at;
      const position = Number(at - mapped.base) + mapped.lead;
      const inPage = position % PAGE_BYTES;
      const page = (position - inPage) / PAGE_BYTES;
      const inRegion = mapped.region.size - Number(at - mapped.base);
      const bytes = Math.min(length - done, PAGE_BYTES - inPage, inRegion);
      visit(mapped, page, inPage, done, bytes);
      done += bytes;
    }
    return undefined;
  }

  private unmappedError(address: bigint, length: number, missing: bigint): EngineError {
    return new EngineError(
      'machine/unmapped',
      `${length} bytes at ${hex64(address)} are not all mapped: there is nothing at ${hex64(missing)}.`,
      { address, length, missing },
    );
  }

  private readInto(address: bigint, length: number): Uint8Array | bigint {
    checkLength(length);
    this.observer?.read(address, length);
    const result = new Uint8Array(length);
    const missing = this.pieces(address, length, (mapped, page, inPage, done, bytes) => {
      const from = this.frameToRead(mapped, page) + inPage;
      result.set(this.core.u8.subarray(from, from + bytes), done);
    });
    return missing ?? result;
  }

  read(address: bigint, length: number): Uint8Array {
    const result = this.readInto(address, length);
    if (typeof result === 'bigint') throw this.unmappedError(address, length, result);
    return result;
  }

  tryRead(address: bigint, length: number): Uint8Array | undefined {
    const result = this.readInto(address, length);
    return typeof result === 'bigint' ? undefined : result;
  }

  write(address: bigint, bytes: Uint8Array): void {
    const missing = this.pieces(address, bytes.length, () => undefined);
    if (missing !== undefined) throw this.unmappedError(address, bytes.length, missing);
    this.observer?.write(address, bytes.length);
    this.pieces(address, bytes.length, (mapped, page, inPage, done, count) => {
      const frame = this.frameToWrite(mapped, page);
      this.core.u8.set(bytes.subarray(done, done + count), frame + inPage);
    });
  }

  /** Core address of `length` bytes that lie in one page, or -1 if they do not. */
  private direct(address: bigint, length: number, write: boolean): number {
    const at = u64(address);
    const mapped = this.table.find(at);
    if (!mapped) throw this.unmappedError(address, length, at);
    const position = Number(at - mapped.base);
    const inPage = (position + mapped.lead) % PAGE_BYTES;
    if (inPage + length > PAGE_BYTES || position + length > mapped.region.size) return -1;
    const page = (position + mapped.lead - inPage) / PAGE_BYTES;
    if (this.observer) {
      if (write) this.observer.write(at, length);
      else this.observer.read(at, length);
    }
    return (write ? this.frameToWrite(mapped, page) : this.frameToRead(mapped, page)) + inPage;
  }

  readU8(address: bigint): number {
    return this.core.data.getUint8(this.direct(address, 1, false));
  }
  readU16(address: bigint): number {
    const at = this.direct(address, 2, false);
    return at < 0 ? view(this.read(address, 2)).getUint16(0, true) : this.core.data.getUint16(at, true);
  }
  readU32(address: bigint): number {
    const at = this.direct(address, 4, false);
    return at < 0 ? view(this.read(address, 4)).getUint32(0, true) : this.core.data.getUint32(at, true);
  }
  readU64(address: bigint): bigint {
    const at = this.direct(address, 8, false);
    return at < 0 ? view(this.read(address, 8)).getBigUint64(0, true) : this.core.data.getBigUint64(at, true);
  }
  writeU8(address: bigint, value: number): void {
    const at = this.direct(address, 1, true);
    this.core.data.setUint8(at, value);
  }
  writeU16(address: bigint, value: number): void {
    const at = this.direct(address, 2, true);
    if (at >= 0) return this.core.data.setUint16(at, value, true);
    const bytes = new Uint8Array(2);
    view(bytes).setUint16(0, value, true);
    this.write(address, bytes);
  }
  writeU32(address: bigint, value: number): void {
    const at = this.direct(address, 4, true);
    if (at >= 0) return this.core.data.setUint32(at, value, true);
    const bytes = new Uint8Array(4);
    view(bytes).setUint32(0, value, true);
    this.write(address, bytes);
  }
  writeU64(address: bigint, value: bigint): void {
    const at = this.direct(address, 8, true);
    if (at >= 0) return this.core.data.setBigUint64(at, value, true);
    const bytes = new Uint8Array(8);
    view(bytes).setBigUint64(0, value, true);
    this.write(address, bytes);
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new EngineError('machine/length', `${length} is not a number of bytes.`, { length });
  }
}
