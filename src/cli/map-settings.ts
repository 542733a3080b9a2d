import { EngineError } from '../engine/base/errors';
import { hexToBytes } from '../engine/base/hex';
import { isPerCpu, MAP_TYPE, mapTypeName } from '../engine/loader/map-types';
import type { Kernel } from '../engine/kernel/types';
import type { BpfMapDef, BpfObject } from '../engine/loader/object';
import { usage, type Arguments } from './command';
import type { Io } from './io';

/** Entries for one map from `--map`. */
export type MapSetting =
  | {
      readonly kind: 'entries';
      readonly map: string;
      readonly file: string;
      readonly entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
    }
  | {
      readonly kind: 'programs';
      readonly map: string;
      readonly file: string;
      readonly slots: readonly (readonly [index: number, program: string])[];
    };

/** Reads every `--map NAME=FILE`. @throws EngineError `usage/…` for unknown maps and malformed files */
export async function mapSettings(object: BpfObject, args: Arguments, io: Io): Promise<MapSetting[]> {
  const settings: MapSetting[] = [];
  for (const text of args.texts('map')) {
    const at = text.indexOf('=');
    if (at <= 0 || at === text.length - 1) throw usage(`--map takes NAME=FILE, not '${text}'`);
    const name = text.slice(0, at);
    const file = text.slice(at + 1);
    const map = object.maps.find((m) => m.name === name);
    if (!map) {
      const names = object.maps.map((m) => m.name).join(', ');
      throw usage(`${object.name} holds no map '${name}'; it holds ${names === '' ? 'none' : names}`);
    }
    if (map.valueSize === 0)
      throw usage(`map ${name} is a ${mapTypeName(map.type)}, which has no entries to set`);
    const list = entryList(new TextDecoder().decode(await io.read(file)), file);
    settings.push(
      map.type === MAP_TYPE.PROG_ARRAY
        ? { kind: 'programs', map: name, file, slots: list.map((entry) => programSlot(entry, file, object)) }
        : { kind: 'entries', map: name, file, entries: list.map((entry) => mapEntry(entry, file, map)) },
    );
  }
  return settings;
}

/** Programs that the settings put into prog arrays: they must be loaded, too. */
export function programsIn(settings: readonly MapSetting[]): string[] {
  return settings.flatMap((setting) =>
    setting.kind === 'programs' ? setting.slots.map(([, name]) => name) : [],
  );
}

/**
 * The object with the settings of its read-only data (`.rodata`) in it: such a map is frozen before programs are loaded, since the
 * verifier takes what it holds as constants, so a user of libbpf sets it in the open object.
 */
export function withReadOnlyData(object: BpfObject, settings: readonly MapSetting[]): BpfObject {
  const initialOf = (map: BpfMapDef): Uint8Array | undefined =>
    settings
      .filter((setting) => setting.kind === 'entries' && setting.map === map.name)
      .flatMap((setting) => (setting.kind === 'entries' ? setting.entries.map(([, value]) => value) : []))
      .at(-1);
  const maps = object.maps.map((map) => {
    const initial = map.readOnly === true ? initialOf(map) : undefined;
    return initial ? { ...map, initial } : map;
  });
  return { ...object, maps };
}

/** Fills the maps of a kernel that has loaded the object. @throws EngineError for what a map refuses, naming the file */
export function applyMapSettings(kernel: Kernel, object: BpfObject, settings: readonly MapSetting[]): void {
  for (const setting of settings) {
    const definition = object.maps.find((map) => map.name === setting.map);
    if (definition?.readOnly === true) continue;
    const map = kernel.map(setting.map);
    try {
      if (setting.kind === 'programs') {
        for (const [index, program] of setting.slots) kernel.setProgArray(map, index, program);
      } else {
        for (const [key, value] of setting.entries) kernel.updateMap(map, key, value);
      }
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new EngineError(error.code, `${setting.file}: ${error.message}`, error.data);
    }
  }
}

function entryList(text: string, file: string): readonly (readonly [unknown, unknown])[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw usage(`${file} is not JSON: ${(error as Error).message}`);
  }
  const isPair = (entry: unknown): entry is readonly [unknown, unknown] =>
    Array.isArray(entry) && entry.length === 2;
  if (!Array.isArray(list) || !list.every(isPair)) throw usage(`${file} is not a JSON list of pairs`);
  return list;
}

function mapEntry(
  [key, value]: readonly [unknown, unknown],
  file: string,
  map: BpfMapDef,
): readonly [Uint8Array, Uint8Array] {
  if (typeof key !== 'string' || typeof value !== 'string') {
    throw usage(
      `${file}: the entries of map ${map.name} are pairs of hex texts, not ${JSON.stringify([key, value])}`,
    );
  }
  const keyBytes = sized(file, key, map.keySize, `the keys of map ${map.name}`);
  // User space sees the values of a per-CPU map rounded up to 8 bytes; both lengths are what people call a value.
  const slot = isPerCpu(map.type) ? Math.ceil(map.valueSize / 8) * 8 : map.valueSize;
  const what = `the values of map ${map.name}`;
  const exact = value.length / 2 === slot ? slot : map.valueSize;
  const valueBytes = new Uint8Array(slot);
  valueBytes.set(sized(file, value, exact, what));
  return [keyBytes, valueBytes];
}

function sized(file: string, text: string, size: number, what: string): Uint8Array {
  const bytes = hexIn(file, text);
  if (bytes.length === size) return bytes;
  const shown = text.length <= 40 ? `'${text}'` : `'${text.slice(0, 40)}…'`;
  throw usage(`${file}: ${shown} has a length of ${bytes.length}; ${what} have ${size} bytes`);
}

function programSlot(
  [index, program]: readonly [unknown, unknown],
  file: string,
  object: BpfObject,
): readonly [number, string] {
  const number = typeof index === 'string' && /^\d+$/.test(index) ? Number(index) : index;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || typeof program !== 'string') {
    throw usage(
      `${file}: the entries of a prog array are [index, program name], not ${JSON.stringify([index, program])}`,
    );
  }
  if (!object.programs.some(({ name }) => name === program)) {
    const names = object.programs.map(({ name }) => name).join(', ');
    throw usage(`${file}: ${object.name} holds no program '${program}'; it holds ${names}`);
  }
  return [number, program];
}

function hexIn(file: string, text: string): Uint8Array {
  try {
    return hexToBytes(text);
  } catch (error) {
    throw usage(`${file}: ${error instanceof EngineError ? error.message : String(error)}`);
  }
}
