import { bytesToHex, hex64 } from '../base/hex';
import type { Kernel, KernelMap } from '../kernel/types';
import type { Machine } from '../machine/types';
import { mapTypeName } from './map-types';
import type { MapView } from './views';

/** Entries of a map that a view shows. */
const SHOWN = 256;

export function mapView(kernel: Kernel, _machine: Machine, map: KernelMap): MapView {
  const entries = kernel.dumpMap(map);
  return {
    name: map.name,
    type: mapTypeName(map.type),
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    address: hex64(map.address),
    entries: entries
      .slice(0, SHOWN)
      .map(({ key, value }) => ({ key: bytesToHex(key), value: bytesToHex(value) })),
    more: entries.length > SHOWN,
  };
}
