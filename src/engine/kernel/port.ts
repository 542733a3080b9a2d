import { isKfuncName } from '../bpf/kfuncs';
import type { XlateMap, XlatePort } from '../xlate/types';
import type { KernelEnv } from './env';
import { helperFunction } from './helpers/registry';
import { ArrayOfMaps, HashOfMaps } from './maps/map-in-map';
import type { MapStore } from './map-store';
import type { MapObject } from './maps/map-object';

/** A program cannot write to the map. */
const BPF_F_RDONLY_PROG = 1 << 7;

/** What the verifier's rewrites ask of the kernel: addresses of maps, functions and variables, struct offsets. */
export class KernelXlatePort implements XlatePort {
  constructor(
    private readonly env: KernelEnv,
    private readonly maps: MapStore,
  ) {}

  get callBase(): bigint {
    return this.env.symbols.callBase;
  }

  map(name: string): XlateMap {
    const map = this.maps.named(name);
    const constant = map.frozen && (map.flags & BPF_F_RDONLY_PROG) !== 0 && map.valueAddress !== undefined;
    return {
      name: map.name,
      type: map.type,
      keySize: map.keySize,
      valueSize: map.valueSize,
      maxEntries: map.maxEntries,
      flags: map.flags,
      address: map.address,
      valueAddress: map.valueAddress,
      inner: innerOf(map),
      frozen: constant ? this.env.memory.read(map.valueAddress!, map.valueSize) : undefined,
    };
  }

  /** Helpers that are not modelled have an address, too, and stop the run when they are called. */
  helper(id: number, progType: number): bigint | undefined {
    const name = helperFunction(id, progType);
    return name === undefined ? undefined : this.env.symbols.address(name);
  }

  symbol(name: string): bigint | undefined {
    return this.env.symbols.find(name);
  }

  kfunc(name: string): bigint | undefined {
    return isKfuncName(name) ? this.env.symbols.find(name) : undefined;
  }

  field(name: string): { readonly offset: number; readonly size: number } | undefined {
    return this.env.structs.find(name);
  }
}

/** What lookups in a map of maps give. */
function innerOf(map: MapObject): XlateMap | undefined {
  if (!(map instanceof ArrayOfMaps) && !(map instanceof HashOfMaps)) return undefined;
  return map.inner && { ...map.inner.definition, inner: undefined, address: map.inner.meta };
}
