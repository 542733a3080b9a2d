import { findType, typeOf } from '../btf/resolve';
import { MAP_TYPE } from './map-types';
import type { BpfMapDef } from './object';
import { symbolsOf, type ObjectSections } from './sections';

/**
 * The variables in `.struct_ops` sections as maps (bpf_object__init_struct_ops_maps), so that `info` can name them. Their value size
 * needs the kernel's BTF and stays 0.
 */
export function structOpsMaps(object: ObjectSections): BpfMapDef[] {
  const { btf } = object;
  const sections = new Map(object.structOps.map((section) => [section.name, section]));
  return [...sections.values()].flatMap((section) => {
    const datasec = btf && findType(btf, 'datasec', section.name);
    const names = (datasec?.vars ?? []).flatMap((entry) => (btf && typeOf(btf, entry.type)?.name) || []);
    const symbols = new Set(symbolsOf(object, section).map((symbol) => symbol.name));
    return names
      .filter((name) => symbols.has(name))
      .map((name) => ({
        name,
        type: MAP_TYPE.STRUCT_OPS,
        keySize: 4,
        valueSize: 0,
        maxEntries: 1,
        flags: 0,
        origin: 'struct_ops' as const,
      }));
  });
}
