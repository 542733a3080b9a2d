import { EngineError } from '../../base/errors';
import { hex64 } from '../../base/hex';
import { u64 } from '../../base/u64';
import type { MachineMemory, Region } from '../types';

interface PlainRegion {
  readonly region: Region;
  readonly end: bigint;
  readonly bytes: Uint8Array;
}

/** Memory for the reference hart: one array a region, byte by byte, nothing clever. */
export class PlainMemory implements MachineMemory {
  private readonly mapped: PlainRegion[] = [];
  private last: PlainRegion | undefined;

  map(region: Region, bytes?: Uint8Array): void {
    const contents = new Uint8Array(region.size);
    if (bytes) contents.set(bytes);
    this.mapped.push({ region, end: region.base + BigInt(region.size), bytes: contents });
  }

  unmap(base: bigint): void {
    const index = this.mapped.findIndex(({ region }) => region.base === u64(base));
    if (index < 0)
      throw new EngineError('machine/unmapped', `No region begins at ${hex64(base)}.`, { address: base });
    this.mapped.splice(index, 1);
    this.last = undefined;
  }

  regions(): readonly Region[] {
    return this.mapped.map(({ region }) => region);
  }

  private find(address: bigint): PlainRegion | undefined {
    const at = u64(address);
    const holds = ({ region, end }: PlainRegion): boolean => at >= region.base && at < end;
    if (this.last && holds(this.last)) return this.last;
    const found = this.mapped.find(holds);
    if (found) this.last = found;
    return found;
  }

  regionAt(address: bigint): Region | undefined {
    return this.find(address)?.region;
  }

  tryRead(address: bigint, length: number): Uint8Array | undefined {
    const result = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const at = u64(address + BigInt(i));
      const found = this.find(at);
      if (!found) return undefined;
      result[i] = found.bytes[Number(at - found.region.base)]!;
    }
    return result;
  }

  read(address: bigint, length: number): Uint8Array {
    const result = this.tryRead(address, length);
    if (!result) throw unmapped(address, length);
    return result;
  }

  write(address: bigint, bytes: Uint8Array): void {
    if (!this.tryRead(address, bytes.length)) throw unmapped(address, bytes.length);
    bytes.forEach((byte, i) => {
      const at = u64(address + BigInt(i));
      const found = this.find(at)!;
      found.bytes[Number(at - found.region.base)] = byte;
    });
  }

  private readNumber(address: bigint, length: number): bigint {
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.readU8(address + BigInt(i)));
    return value;
  }
  private writeNumber(address: bigint, length: number, value: bigint): void {
    this.write(
      address,
      Uint8Array.from({ length }, (_, i) => Number((u64(value) >> BigInt(8 * i)) & 0xffn)),
    );
  }

  readU8(address: bigint): number {
    const at = u64(address);
    const found = this.find(at);
    if (!found) throw unmapped(address, 1);
    return found.bytes[Number(at - found.region.base)]!;
  }
  readU16(address: bigint): number {
    return this.readU8(address) | (this.readU8(address + 1n) << 8);
  }
  readU32(address: bigint): number {
    return (this.readU16(address) | (this.readU16(address + 2n) << 16)) >>> 0;
  }
  readU64(address: bigint): bigint {
    return this.readNumber(address, 8);
  }
  writeU8(address: bigint, value: number): void {
    this.writeNumber(address, 1, BigInt(value));
  }
  writeU16(address: bigint, value: number): void {
    this.writeNumber(address, 2, BigInt(value));
  }
  writeU32(address: bigint, value: number): void {
    this.writeNumber(address, 4, BigInt(value));
  }
  writeU64(address: bigint, value: bigint): void {
    this.writeNumber(address, 8, value);
  }
}

const unmapped = (address: bigint, length: number): EngineError =>
  new EngineError('machine/unmapped', `${length} bytes at ${hex64(address)} are not all mapped.`, {
    address,
    length,
  });
