import { EngineError } from '../base/errors';
import type { BpfObject, BpfProgram } from '../loader/object';
import { indexKey } from './maps/map-object';
import { isMapTypeSupported } from './maps/registry';
import type { MapStore } from './map-store';
import type { Programs } from './programs';

/**
 * Creates an object's maps with their first contents, loads programs, and fills prog arrays and maps of maps as the source says (what
 * libbpf's bpf_object__load() does).
 * @param names programs wanted; those that their prog arrays hold come with them. All when absent.
 * @throws EngineError for what is not there, not supported or refused
 */
export function loadObjectInto(
  maps: MapStore,
  loaded: Programs,
  object: BpfObject,
  names: readonly string[] | undefined,
): void {
  const programs = wantedPrograms(object, names);
  const used = new Set(programs.flatMap(mapsOf));
  for (const definition of object.maps) {
    // A map that no wanted program uses is made for the user to see, if it can be.
    if (!used.has(definition.name) && !isMapTypeSupported(definition.type)) continue;
    const map = maps.create(definition);
    if (definition.initial) maps.update(map, new Uint8Array(4), definition.initial, 0n);
    if (definition.readOnly === true) map.freeze();
  }
  for (const program of programs) loaded.load(program);
  for (const definition of object.maps) {
    if (!maps.has(definition.name)) continue;
    const map = maps.named(definition.name);
    for (const { index, target } of definition.slots ?? []) {
      const id = loaded.find(target)?.id ?? (maps.has(target) ? maps.named(target).id : undefined);
      if (id !== undefined) maps.update(map, indexKey(index), indexKey(id), 0n);
    }
  }
}

/** Names of the maps that a program refers to. */
const mapsOf = (program: BpfProgram): string[] =>
  program.relocations.flatMap((relocation) => ('map' in relocation ? [relocation.map] : []));

/**
 * The programs asked for, and those that prog arrays of theirs hold from the start, in the order of the object.
 * @throws EngineError `kernel/no-program`
 */
function wantedPrograms(object: BpfObject, names: readonly string[] | undefined): BpfProgram[] {
  if (!names) return [...object.programs];
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    const program = object.programs.find((candidate) => candidate.name === name);
    if (!program) {
      const known = object.programs.map((candidate) => candidate.name).join(', ') || 'none';
      throw new EngineError(
        'kernel/no-program',
        `${object.name} has no program named '${name}'; it has: ${known}.`,
        { program: name },
      );
    }
    wanted.add(name);
    const maps = new Set(
      program.relocations.flatMap((relocation) => ('map' in relocation ? [relocation.map] : [])),
    );
    for (const map of object.maps) {
      if (!maps.has(map.name)) continue;
      for (const slot of map.slots ?? [])
        if (object.programs.some((candidate) => candidate.name === slot.target)) add(slot.target);
    }
  };
  names.forEach(add);
  return object.programs.filter((program) => wanted.has(program.name));
}
