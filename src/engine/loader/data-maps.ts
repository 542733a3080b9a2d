import { EngineError } from '../base/errors';
import { findType } from '../btf/resolve';
import type { BpfMapDef } from './object';
import { MAP_FLAG, MAP_TYPE } from './map-types';
import type { DataSection, ObjectSections } from './sections';

/** Bytes of a map name without its NUL (BPF_OBJ_NAME_LEN − 1). */
const NAME_BYTES = 15;
/** What a single data section may hold; more would not fit the simulated kernel's memory. */
const DATA_LIMIT = 64 << 20;

/** BTF_VAR_STATIC */
const STATIC = 0;

/** A data section and its map. */
export interface MappedSection {
  readonly section: DataSection;
  readonly map: BpfMapDef;
}

/**
 * The maps of all data sections.
 * @param taken names of other maps of the object
 * @throws EngineError `loader/map` when two maps would have the same name, `loader/data`
 */
export function dataMaps(object: ObjectSections, taken: ReadonlySet<string>): MappedSection[] {
  const names = new Set(taken);
  return object.data.map((section) => {
    // Two custom sections may agree in the 15 characters that the kernel keeps; users of libbpf then see the whole name.
    const short = dataMapName(object.name, section.section.name);
    const name = names.has(short) ? section.section.name : short;
    if (names.has(name)) {
      throw new EngineError(
        'loader/map',
        `${object.name} has two maps named ${name}; rename one of them or its section.`,
        { map: name },
      );
    }
    names.add(name);
    return { section, map: dataMap(object, section, name) };
  });
}

/**
 * The implicit one-element array of a data section (bpf_object__init_internal_map). It is mapped into user space when the
 * section has a variable that is not static, and read-only to programs when it is a `.rodata`.
 * @throws EngineError `loader/data` for a section that is too large
 */
function dataMap(object: ObjectSections, { section, kind }: DataSection, name: string): BpfMapDef {
  if (section.size > DATA_LIMIT) {
    throw new EngineError(
      'loader/data',
      `Section ${section.name} of ${object.name} has ${section.size} bytes; data sections may have up to ${DATA_LIMIT >> 20} MiB here.`,
      {
        section: section.index,
        size: section.size,
      },
    );
  }
  const datasec = object.btf && findType(object.btf, 'datasec', section.name);
  const shared = datasec?.vars?.some(
    (v) => object.btf?.types[v.type]?.kind === 'var' && object.btf.types[v.type]?.linkage !== STATIC,
  );
  return {
    name,
    type: MAP_TYPE.ARRAY,
    keySize: 4,
    valueSize: section.size,
    maxEntries: 1,
    flags: (kind === 'rodata' ? MAP_FLAG.RDONLY_PROG : 0) | (shared === true ? MAP_FLAG.MMAPABLE : 0),
    ...(kind === 'bss' ? {} : { initial: section.bytes }),
    ...(kind === 'rodata' ? { readOnly: true } : {}),
    ...(datasec ? { valueBtfId: datasec.id } : {}),
    origin: 'data',
  };
}

/**
 * libbpf's name for the map of a data section (internal_map_name): the object's name up to its first dot in front of the
 * section's, cut so that both fit 15 characters with at least 7 for the section; custom sections such as `.rodata.str1.1` stand alone.
 */
function dataMapName(objectName: string, section: string): string {
  const suffix = Math.min(Math.max(7, section.length), NAME_BYTES);
  const custom = section.indexOf('.', 1) >= 0;
  const prefix = custom ? '' : objectBaseName(objectName).slice(0, NAME_BYTES - suffix);
  return (prefix + section.slice(0, suffix)).replace(/[^A-Za-z0-9_.]/g, '_');
}

/** The object's name as libbpf keeps it: the file name up to the first dot, 15 characters. */
function objectBaseName(fileName: string): string {
  const dot = fileName.indexOf('.');
  return (dot < 0 ? fileName : fileName.slice(0, dot)).slice(0, NAME_BYTES);
}
