import { EngineError } from '../base/errors';
import { bytesToHex } from '../base/hex';
import { errnoError, errnoName } from './errno';
import type { KernelEnv } from './env';
import type { MapDirectory } from './maps/map-in-map';
import { MapObject, type MapDefinition } from './maps/map-object';
import type { ProgDirectory } from './maps/prog-array';
import { createMap } from './maps/registry';
import type { KernelMap } from './types';

export interface MapStoreState {
  readonly maps: readonly MapObject[];
  readonly nextId: number;
}

/** The maps there are, and what user space does with them: the bpf() commands on maps. */
export class MapStore implements MapDirectory {
  private list: MapObject[] = [];
  private nextId = 1;

  constructor(
    private readonly env: KernelEnv,
    private readonly programs: () => ProgDirectory,
  ) {}

  all(): readonly MapObject[] {
    return this.list;
  }

  byId(id: number): MapObject | undefined {
    return this.list.find((map) => map.id === id);
  }

  byAddress(address: bigint): MapObject | undefined {
    return this.list.find((map) => map.address === address);
  }

  has(name: string): boolean {
    return this.list.some((map) => map.name === name);
  }

  /** @throws EngineError `kernel/no-map` naming those there are */
  named(name: string): MapObject {
    const map = this.list.find((candidate) => candidate.name === name);
    if (!map) {
      const names = this.list.map((candidate) => candidate.name).join(', ') || 'none';
      throw new EngineError('kernel/no-map', `There is no map named '${name}'; loaded maps: ${names}.`, {
        map: name,
      });
    }
    return map;
  }

  /** The object of a map that this store handed out. */
  own(map: KernelMap): MapObject {
    return map instanceof MapObject && this.list.includes(map) ? map : this.named(map.name);
  }

  /** BPF_MAP_CREATE @throws EngineError `kernel/duplicate`, `kernel/map-type`, `kernel/errno` */
  create(definition: MapDefinition): MapObject {
    const { name } = definition;
    if (this.has(name)) {
      throw new EngineError(
        'kernel/duplicate',
        `A map named ${name} exists already; maps are known by their names.`,
        { map: name },
      );
    }
    const map = createMap({ env: this.env, programs: this.programs(), maps: this }, definition, this.nextId);
    this.nextId++;
    this.list.push(map);
    return map;
  }

  /** BPF_MAP_UPDATE_ELEM @throws EngineError `kernel/errno` */
  update(map: KernelMap, key: Uint8Array, value: Uint8Array, flags: bigint): void {
    const object = this.own(map);
    checkAccess(object, key, value);
    check(
      object.userUpdate(key, value, flags),
      `Map ${object.name} refuses the value for key ${bytesToHex(key)}`,
    );
  }

  /** BPF_MAP_DELETE_ELEM @throws EngineError `kernel/errno` */
  delete(map: KernelMap, key: Uint8Array): void {
    const object = this.own(map);
    checkAccess(object, key);
    check(object.userDelete(key), `Map ${object.name} cannot delete key ${bytesToHex(key)}`);
  }

  save(): MapStoreState {
    return { maps: [...this.list], nextId: this.nextId };
  }

  load(state: MapStoreState): void {
    this.list = [...state.maps];
    this.nextId = state.nextId;
  }
}

function checkAccess(map: MapObject, key: Uint8Array, value?: Uint8Array): void {
  if (map.frozen)
    throw errnoError('EPERM', `Map ${map.name} is frozen: user space cannot change it`, { map: map.name });
  if (key.length !== map.keySize) {
    throw errnoError('EINVAL', `Keys of map ${map.name} have ${map.keySize} bytes, not ${key.length}`, {
      map: map.name,
    });
  }
  if (value && value.length < map.userValueSize) {
    throw errnoError(
      'EINVAL',
      `Values of map ${map.name} have ${map.userValueSize} bytes, not ${value.length}`,
      { map: map.name },
    );
  }
}

function check(status: number, what: string): void {
  if (status < 0)
    throw new EngineError('kernel/errno', `${what} (-${errnoName(-status)}).`, { errno: -status });
}
