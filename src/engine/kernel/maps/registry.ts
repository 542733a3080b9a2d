import { EngineError } from '../../base/errors';
import { mapTypeName } from '../../loader/map-types';
import type { KernelEnv } from '../env';
import { ArrayMap } from './array';
import { HashMap } from './hash';
import { LpmTrieMap } from './lpm-trie';
import { LruHashMap } from './lru-hash';
import { ArrayOfMaps, HashOfMaps, type MapDirectory } from './map-in-map';
import type { MapDefinition, MapObject } from './map-object';
import { PerCpuArrayMap } from './percpu-array';
import { PerfEventArrayMap } from './perf-event-array';
import { ProgArrayMap, type ProgDirectory } from './prog-array';
import { QueueStackMap } from './queue-stack';
import { RingbufMap } from './ringbuf';

/** What map constructors may need beside the kernel's parts. */
export interface MapNeeds {
  readonly env: KernelEnv;
  readonly programs: ProgDirectory;
  readonly maps: MapDirectory;
}

type Constructor = (needs: MapNeeds, definition: MapDefinition, id: number) => MapObject;

const plainHash = { perCpu: false, lru: false, ops: 'htab_map_ops' };
const perCpuHash = { perCpu: true, lru: false, ops: 'htab_percpu_map_ops' };
const lruHash = { perCpu: false, lru: true, ops: 'htab_lru_map_ops' };
const lruPerCpuHash = { perCpu: true, lru: true, ops: 'htab_lru_percpu_map_ops' };

const CONSTRUCTORS: Readonly<Record<string, Constructor>> = {
  hash: ({ env }, definition, id) => new HashMap(env, definition, id, plainHash),
  array: ({ env }, definition, id) => new ArrayMap(env, definition, id),
  prog_array: ({ env, programs }, definition, id) => new ProgArrayMap(env, definition, id, programs),
  perf_event_array: ({ env }, definition, id) => new PerfEventArrayMap(env, definition, id),
  percpu_hash: ({ env }, definition, id) => new HashMap(env, definition, id, perCpuHash),
  percpu_array: ({ env }, definition, id) => new PerCpuArrayMap(env, definition, id),
  lru_hash: ({ env }, definition, id) => new LruHashMap(env, definition, id, lruHash),
  lru_percpu_hash: ({ env }, definition, id) => new LruHashMap(env, definition, id, lruPerCpuHash),
  lpm_trie: ({ env }, definition, id) => new LpmTrieMap(env, definition, id),
  array_of_maps: ({ env, maps }, definition, id) => new ArrayOfMaps(env, definition, id, maps),
  hash_of_maps: ({ env, maps }, definition, id) => new HashOfMaps(env, definition, id, maps),
  queue: ({ env }, definition, id) => new QueueStackMap(env, definition, id, false),
  stack: ({ env }, definition, id) => new QueueStackMap(env, definition, id, true),
  ringbuf: ({ env }, definition, id) => new RingbufMap(env, definition, id),
};

/** Whether maps of this type can be made. */
export function isMapTypeSupported(type: number): boolean {
  return mapTypeName(type) in CONSTRUCTORS;
}

/**
 * Makes a map with its struct bpf_map and elements in machine memory.
 * @throws EngineError `kernel/map-type` for a type that is not modelled; `kernel/errno` where bpf(BPF_MAP_CREATE) would fail.
 */
export function createMap(needs: MapNeeds, definition: MapDefinition, id: number): MapObject {
  const type = mapTypeName(definition.type);
  const construct = CONSTRUCTORS[type];
  if (!construct) {
    throw new EngineError(
      'kernel/map-type',
      `Map ${definition.name} is a ${type} (type ${definition.type}), which is not supported yet; supported are ` +
        `${Object.keys(CONSTRUCTORS).join(', ')}. Choose a program that does not use this map.`,
      { map: definition.name, type: definition.type },
    );
  }
  return construct(needs, definition, id);
}

/** The `struct bpf_map_ops` variables that maps point to; kernel data symbols. */
export const MAP_OPS_SYMBOLS: readonly string[] = [
  'htab_map_ops',
  'array_map_ops',
  'prog_array_map_ops',
  'perf_event_array_map_ops',
  'htab_percpu_map_ops',
  'percpu_array_map_ops',
  'htab_lru_map_ops',
  'htab_lru_percpu_map_ops',
  'trie_map_ops',
  'array_of_maps_map_ops',
  'htab_of_maps_map_ops',
  'queue_map_ops',
  'stack_map_ops',
  'ringbuf_map_ops',
];
