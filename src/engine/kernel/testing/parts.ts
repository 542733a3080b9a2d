import { MAP_TYPE } from '../../loader/map-types';
import { createMachine } from '../../machine/machine';
import { parseProfile, type Profile } from '../../jit/profile';
import { AddressSpace } from '../address-space';
import { VirtualClock } from '../clock';
import type { KernelEnv } from '../env';
import type { HelperNote, HelperWorld } from '../helpers/call';
import { HELPER_FUNCTIONS } from '../helpers/registry';
import type { MapDefinition, MapObject } from '../maps/map-object';
import { createMap, MAP_OPS_SYMBOLS } from '../maps/registry';
import type { ProgDirectory } from '../maps/prog-array';
import { NetNamespace } from '../net';
import { PerCpuMemory } from '../percpu';
import { RandomSource } from '../random';
import { Structs } from '../structs';
import { SymbolTable } from '../symbols';
import { CurrentTask, TEST_RUN_FUNCTIONS } from '../task';

/** The parts of a kernel on a fresh machine, for tests of single parts. */
export function makeEnv(profile: Profile = parseProfile()): KernelEnv {
  const machine = createMachine();
  const { memory } = machine;
  const symbols = new SymbolTable(
    profile.kernel,
    memory,
    [...HELPER_FUNCTIONS, ...TEST_RUN_FUNCTIONS],
    ['jiffies', ...MAP_OPS_SYMBOLS],
  );
  return {
    profile,
    machine,
    memory,
    structs: new Structs(memory, profile),
    space: new AddressSpace(memory, 'sv39'),
    percpu: new PerCpuMemory(memory, profile.kernel, 'sv39', symbols.perCpuOffset),
    symbols,
    random: new RandomSource(1),
  };
}

const NO_PROGRAMS: ProgDirectory = {
  idAt: () => undefined,
  addressOf: () => undefined,
  accepts: () => false,
};

export interface TestWorld extends HelperWorld {
  readonly notes: HelperNote[];
  /** Makes a map of a type given by name. */
  map(type: string, attributes: Partial<MapDefinition>): MapObject;
}

/** What helpers see, with maps made on demand and the notes they leave. */
export function makeWorld(env: KernelEnv = makeEnv(), programs: ProgDirectory = NO_PROGRAMS): TestWorld {
  const maps: MapObject[] = [];
  const notes: HelperNote[] = [];
  const directory = {
    byId: (id: number) => maps.find((map) => map.id === id),
    byAddress: (address: bigint) => maps.find((map) => map.address === address),
    all: () => maps,
  };
  return {
    env,
    net: new NetNamespace(env),
    clock: new VirtualClock(env.machine),
    task: new CurrentTask(env),
    maps: directory,
    symbolAt: (address) => env.symbols.at(address),
    note: (note) => void notes.push(note),
    notes,
    map(type, attributes) {
      const definition = {
        name: `m${maps.length}`,
        type: MAP_TYPE[type.toUpperCase() as keyof typeof MAP_TYPE],
        keySize: 4,
        valueSize: 8,
        maxEntries: 4,
        flags: 0,
        ...attributes,
      };
      const map = createMap({ env, programs, maps: directory }, definition, maps.length + 1);
      maps.push(map);
      return map;
    },
  };
}

/** A small generator of numbers with a fixed seed (xorshift32), for property tests. */
export function numbers(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A u32 in memory order. */
export const u32le = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
/** A u64 in memory order. */
export const u64le = (value: bigint | number): Uint8Array =>
  new Uint8Array(new BigUint64Array([BigInt.asUintN(64, BigInt(value))]).buffer);
