import { bytesToHex, hex64 } from '../base/hex';
import type { Kernel, KernelMap } from '../kernel/types';
import { MAP_TYPE, mapTypeName } from '../loader/map-types';
import type { MapView } from './views';

/** Entries of a map that a view shows. */
const SHOWN = 256;

/** A map with its entries as user space would read them. */
export function mapView(kernel: Kernel, map: KernelMap): MapView {
  const entries = kernel.dumpMap(map);
  return {
    name: map.name,
    type: mapTypeName(map.type),
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    address: hex64(map.address),
    entries: entries.slice(0, SHOWN).map(({ key, value }) => {
      const target = map.type === MAP_TYPE.PROG_ARRAY ? programName(kernel, value) : undefined;
      return { key: bytesToHex(key), value: bytesToHex(value), ...(target !== undefined && { target }) };
    }),
    more: entries.length > SHOWN,
  };
}

/** User space sees programs by their ids. */
function programName(kernel: Kernel, value: Uint8Array): string | undefined {
  const id = new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true);
  return kernel.programs.find((program) => program.id === id)?.name;
}
