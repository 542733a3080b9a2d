import { EngineError } from '../engine/base/errors';
import { bytesToHex, hexToBytes } from '../engine/base/hex';
import type { InputsView } from '../engine/debugger/views';
import { defaultInputs } from '../engine/debugger/inputs';
import { isProgArray } from '../engine/debugger/map-types';
import type { Kernel } from '../engine/kernel/types';
import type { BpfObject, BpfProgram } from '../engine/loader/object';
import { TIMING_NAMES, isTimingName, type TimingName } from '../engine/machine/timing/profile';
import { usage, type Arguments, type OptionSpec } from './command';
import type { Io } from './io';
import { PROFILE_OPTIONS } from './profile-options';

/** The options of everything that runs a program. */
export const RUN_OPTIONS: readonly OptionSpec[] = [
  { name: 'data', value: 'FILE|hex:…', help: 'packet bytes; a UDP packet unless given' },
  { name: 'ctx', value: 'FILE|hex:…', help: 'raw bytes of the user-visible context' },
  {
    name: 'map',
    value: 'NAME=FILE',
    repeatable: true,
    help: 'entries of a map: JSON list of [key hex, value hex]; prog arrays: [index, program name]',
  },
  { name: 'repeat', value: 'N', help: 'run it N times (default 1)' },
  { name: 'max-insns', value: 'N', help: 'instructions after which to give up (default 10^8)' },
  { name: 'timing', value: 'NAME|none', help: `timing profile: ${TIMING_NAMES.join(', ')} (default rocket)` },
  ...PROFILE_OPTIONS,
  { name: 'json', help: 'one JSON value on standard output, everything else on standard error' },
];

export const DEFAULT_MAX_INSNS = 100_000_000;

/** @throws EngineError `usage/arguments` for a name that is none of the timing profiles' */
export function timingFrom(args: Arguments): TimingName | 'none' {
  const name = args.text('timing') ?? 'rocket';
  if (isTimingName(name)) return name;
  throw usage(`there is no timing profile '${name}'; choose one of ${TIMING_NAMES.join(', ')}`);
}

/** Entries for one map from `--map`. */
export type MapSetting =
  | {
      readonly kind: 'entries';
      readonly map: string;
      readonly entries: readonly (readonly [Uint8Array, Uint8Array])[];
    }
  | {
      readonly kind: 'programs';
      readonly map: string;
      readonly slots: readonly (readonly [number, string])[];
    };

/** Bytes from a file, or from `hex:…`. @throws EngineError `base/hex`, `usage/file` */
export async function bytesOption(name: string, args: Arguments, io: Io): Promise<Uint8Array | undefined> {
  const text = args.text(name);
  if (text === undefined) return undefined;
  if (!text.startsWith('hex:')) return io.read(text);
  try {
    return hexToBytes(text.slice('hex:'.length));
  } catch (error) {
    throw usage(`--${name}: ${error instanceof EngineError ? error.message : String(error)}`);
  }
}

/** The program with this name. @throws EngineError `usage/arguments` with a list of the names there are */
export function programNamed(object: BpfObject, name: string): BpfProgram {
  const program = object.programs.find((p) => p.name === name);
  if (program) return program;
  const names = object.programs.map((p) => p.name).join(', ');
  throw usage(
    names === ''
      ? `${object.name} holds no program`
      : `${object.name} holds no program '${name}'; it holds ${names}`,
  );
}

/** What the program is given; says on standard error when it is a default. */
export async function inputsFrom(program: BpfProgram, args: Arguments, io: Io): Promise<InputsView> {
  const data = await bytesOption('data', args, io);
  const ctx = await bytesOption('ctx', args, io);
  const repeat = args.count('repeat');
  const standard = defaultInputs(program.type);
  const useStandardData = data === undefined && standard.data !== undefined;
  const useStandardCtx = ctx === undefined && standard.ctx !== undefined;
  if (useStandardData) {
    await io.err(`No --data given: using a UDP packet of ${standard.data!.length / 2} bytes.\n`);
  }
  if (useStandardCtx) {
    await io.err(`No --ctx given: using ${standard.ctx!.length / 2} bytes of zeros.\n`);
  }
  return {
    ...(data ? { data: bytesToHex(data) } : useStandardData && { data: standard.data }),
    ...(ctx ? { ctx: bytesToHex(ctx) } : useStandardCtx && { ctx: standard.ctx }),
    ...(repeat !== undefined && { repeat }),
  };
}

/** Reads every `--map NAME=FILE`. @throws EngineError `usage/…` for unknown maps and malformed files */
export async function mapSettings(object: BpfObject, args: Arguments, io: Io): Promise<MapSetting[]> {
  const settings: MapSetting[] = [];
  for (const text of args.texts('map')) {
    const at = text.indexOf('=');
    if (at <= 0) throw usage(`--map takes NAME=FILE, not '${text}'`);
    const name = text.slice(0, at);
    const file = text.slice(at + 1);
    const map = object.maps.find((m) => m.name === name);
    if (!map) {
      const names = object.maps.map((m) => m.name).join(', ');
      throw usage(`${object.name} holds no map '${name}'; it holds ${names === '' ? 'none' : names}`);
    }
    const list = entryList(new TextDecoder().decode(await io.read(file)), file);
    settings.push(
      isProgArray(map.type)
        ? { kind: 'programs', map: name, slots: list.map((entry) => programSlot(entry, file)) }
        : { kind: 'entries', map: name, entries: list.map((entry) => mapEntry(entry, file, map)) },
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

export function applyMapSettings(kernel: Kernel, settings: readonly MapSetting[]): void {
  for (const setting of settings) {
    const map = kernel.map(setting.map);
    if (setting.kind === 'programs') {
      for (const [index, program] of setting.slots) kernel.setProgArray(map, index, program);
    } else {
      for (const [key, value] of setting.entries) kernel.updateMap(map, key, value);
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
  map: { readonly keySize: number; readonly name: string },
): readonly [Uint8Array, Uint8Array] {
  if (typeof key !== 'string' || typeof value !== 'string') {
    throw usage(
      `${file}: the entries of map ${map.name} are pairs of hex texts, not ${JSON.stringify([key, value])}`,
    );
  }
  const keyBytes = hexIn(file, key);
  if (keyBytes.length !== map.keySize) {
    throw usage(
      `${file}: key ${key} has ${keyBytes.length} bytes; the keys of map ${map.name} have ${map.keySize}`,
    );
  }
  return [keyBytes, hexIn(file, value)];
}

function programSlot([index, program]: readonly [unknown, unknown], file: string): readonly [number, string] {
  const number = typeof index === 'string' && /^\d+$/.test(index) ? Number(index) : index;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || typeof program !== 'string') {
    throw usage(
      `${file}: the entries of a prog array are [index, program name], not ${JSON.stringify([index, program])}`,
    );
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
