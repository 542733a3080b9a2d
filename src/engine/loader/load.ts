import { CodeInfo } from './code-info';
import { readCode, type SourceFunction } from './code';
import { dataMaps } from './data-maps';
import { readExterns } from './externs';
import { globalsOf } from './globals';
import { Lines } from './line-info';
import { MAP_TYPE } from './map-types';
import { btfMaps } from './maps-btf';
import { legacyMaps } from './maps-legacy';
import type { BpfObject, BpfProgram } from './object';
import { progType, sectionKind } from './program-types';
import { Relocations } from './relocate';
import { readObjectSections } from './sections';
import { structOpsMaps, structOpsVariables } from './struct-ops';
import { Linker } from './subprograms';
import { unsupportedReason } from './unsupported';

/**
 * Loads a BPF object as libbpf 1.5 would: programs with their subprograms, maps, globals. References to maps, variables and kernel
 * symbols are described, not patched (see {@link BpfReloc}). A program that needs what Hartbeat does not have is listed with the reason
 * in `unsupported`. Legacy `maps` sections are read as libbpf 0.x did.
 * @param bytes the ELF file
 * @param name file name without directory; names of data section maps derive from it
 * @throws EngineError `elf/…`, `btf/…` or `loader/…` with one sentence for a file that cannot be loaded
 */
export function loadObject(bytes: Uint8Array, name: string): BpfObject {
  const object = readObjectSections(bytes, name);
  const placed = [...legacyMaps(object), ...btfMaps(object)];
  const data = dataMaps(object, new Set(placed.map((map) => map.def.name)));
  const externs = readExterns(object);
  const maps = [...placed.map((map) => map.def), ...data.map(({ map }) => map), ...structOpsMaps(object)];
  const mapsByName = new Map(maps.map((map) => [map.name, map]));

  const mapOfSection = new Map(data.map(({ section, map }) => [section.section.index, map.name]));
  const arena = maps.find((map) => map.type === MAP_TYPE.ARENA);
  if (arena && object.arena) mapOfSection.set(object.arena.index, arena.name);

  const info = new CodeInfo(object.ext);
  const code = readCode(object, info);
  const linker = new Linker(
    name,
    code.find((c) => c.section === object.text),
    new Relocations(object, placed, mapOfSection, externs),
  );
  const lines = new Lines(info);
  const program = (main: SourceFunction): BpfProgram => {
    const linked = linker.link(main);
    const optional = main.code.section.name.startsWith('?');
    const section = optional ? main.code.section.name.slice(1) : main.code.section.name;
    const kind = sectionKind(section);
    const unsupported = unsupportedReason({
      main,
      kind,
      linked,
      info,
      btf: object.btf,
      maps: mapsByName,
    });
    return {
      name: main.name,
      section,
      type: kind?.type ?? progType('unspec'),
      attachType: kind?.attachType ?? 0,
      ...(kind?.attachTo === undefined ? {} : { attachTo: kind.attachTo }),
      flags: kind?.flags ?? 0,
      insns: linked.insns,
      functions: linked.functions.map(({ fn, start }) => ({
        name: fn.name,
        start,
        btfId: fn.btfId,
        linkage: fn.linkage,
      })),
      relocations: linked.relocations,
      lines: lines.of(linked.functions),
      ...(unsupported === undefined ? {} : { unsupported }),
      ...(optional ? { optional } : {}),
    };
  };
  const structOps = structOpsVariables(object);
  return {
    name,
    license: object.license,
    programs: code.filter((c) => c.section !== object.text).flatMap((c) => c.functions.map(program)),
    maps,
    globals: data.flatMap(({ section, map }) => globalsOf(object, section, map.name)),
    externs: externs.map(({ name: extern, kind, weak }) => ({ name: extern, kind, weak })),
    ...(structOps.length > 0 ? { structOps } : {}),
    ...(object.btf ? { btf: object.btf } : {}),
  };
}
