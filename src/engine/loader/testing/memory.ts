import type { BpfMemory } from '../../bpf/interpret-host';

/** Memory made of separate ranges of zeros, for tests that run programs in the interpreter. */
export interface BpfAccess extends BpfMemory {
  map(address: bigint, bytes: number): void;
}

export function flatMemory(): BpfAccess {
  const ranges: { readonly base: bigint; readonly bytes: Uint8Array }[] = [];
  const find = (address: bigint, size: number): { bytes: Uint8Array; at: number } | undefined => {
    const range = ranges.find(
      (r) => address >= r.base && address + BigInt(size) <= r.base + BigInt(r.bytes.length),
    );
    return range && { bytes: range.bytes, at: Number(address - range.base) };
  };
  return {
    map: (base, bytes) => void ranges.push({ base, bytes: new Uint8Array(bytes) }),
    load(address, size) {
      const place = find(address, size);
      if (!place) return undefined;
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(place.bytes[place.at + i] ?? 0);
      return value;
    },
    store(address, size, value) {
      const place = find(address, size);
      if (!place) return false;
      for (let i = 0; i < size; i++) place.bytes[place.at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      return true;
    },
  };
}
