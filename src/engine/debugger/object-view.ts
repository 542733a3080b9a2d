import type { BpfObject } from '../loader/object';
import { defaultInputs } from './inputs';
import { mapTypeName } from '../loader/map-types';
import { hasTrampoline } from './trampoline-suggestions';
import type { ObjectView } from './views';

/** What a window shows of an opened object. */
export function objectView(id: string, object: BpfObject): ObjectView {
  return {
    id,
    name: object.name,
    license: object.license,
    programs: object.programs.map((program) => ({
      name: program.name,
      section: program.section,
      type: program.type.name,
      instructions: program.insns.length,
      subprograms: program.functions.slice(1).map((fn) => fn.name),
      ...(program.unsupported !== undefined && { unsupported: program.unsupported }),
      ...(hasTrampoline(program) && { trampoline: true as const }),
      inputs: defaultInputs(program.type),
    })),
    maps: object.maps.map((map) => ({
      name: map.name,
      type: mapTypeName(map.type),
      keySize: map.keySize,
      valueSize: map.valueSize,
      maxEntries: map.maxEntries,
    })),
  };
}
