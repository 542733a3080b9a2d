import { SYMBOL_TYPE, type ElfSection } from '../elf/types';
import { findType, resolveType, typeOf } from '../btf/resolve';
import { MAP_TYPE } from './map-types';
import type { BpfMapDef, BpfStructOps } from './object';
import { relocationsOf, symbolsOf, type ObjectSections } from './sections';

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

/**
 * The variables in `.struct_ops` sections with the programs that their members point to (bpf_object__collect_st_ops_relos).
 * What BTF does not describe as a pointer to a function is left out.
 */
export function structOpsVariables(object: ObjectSections): BpfStructOps[] {
  return object.structOps.flatMap((section) => variablesIn(object, section));
}

function variablesIn(object: ObjectSections, section: ElfSection): BpfStructOps[] {
  const { btf } = object;
  const datasec = btf && findType(btf, 'datasec', section.name);
  if (!datasec) return [];
  const targets = new Map(
    relocationsOf(object, section).map(({ offset, symbol }) => [offset, symbol] as const),
  );
  return (datasec.vars ?? []).flatMap((entry) => {
    const variable = typeOf(btf, entry.type);
    const symbol = symbolsOf(object, section).find(({ name }) => name === variable?.name);
    const struct = resolveType(btf, variable?.type);
    if (!variable || !symbol || struct?.kind !== 'struct') return [];
    const members = (struct.members ?? []).flatMap(({ name, type, bitOffset }) => {
      const target = targets.get(Number(symbol.value) + bitOffset / 8);
      const pointer = resolveType(btf, type);
      const proto = pointer?.kind === 'ptr' ? resolveType(btf, pointer.type) : undefined;
      if (target?.type !== SYMBOL_TYPE.FUNC || proto?.kind !== 'func_proto') return [];
      return [{ name, btfId: proto.id, program: target.name }];
    });
    return [{ name: variable.name, type: struct.name, members }];
  });
}
