import { hex64 } from '../base/hex';
import type { MachineMemory } from '../machine/types';

/** A window of memory: two hex digits a byte, `..` where nothing is mapped. */
export interface MemoryWindow {
  readonly address: string;
  readonly bytes: readonly string[];
  /** Name of the region that the window begins in. */
  readonly region?: string;
}

const UNMAPPED = '..';

/** @param length bytes */
export function memoryView(memory: MachineMemory, address: bigint, length: number): MemoryWindow {
  const bytes: string[] = [];
  while (bytes.length < length) {
    const at = BigInt.asUintN(64, address + BigInt(bytes.length));
    const left = length - bytes.length;
    const region = memory.regionAt(at);
    const inRegion =
      region && memory.tryRead(at, Math.min(left, Number(region.base + BigInt(region.size) - at)));
    if (inRegion) for (const byte of inRegion) bytes.push(byte.toString(16).padStart(2, '0'));
    else bytes.push(UNMAPPED);
  }
  const region = memory.regionAt(address)?.name;
  return { address: hex64(address), bytes, ...(region !== undefined && { region }) };
}
