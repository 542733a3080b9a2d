import { findType, sizeOf, typeOf } from '../btf/resolve';
import { SYMBOL_TYPE } from '../elf/types';
import type { BpfGlobal } from './object';
import { symbolsOf, type DataSection, type ObjectSections } from './sections';

/**
 * The variables of a data section, by offset. Compilers leave offsets out of the BTF (btf_fixup_datasec): places come from
 * the symbols, types from the BTF where it has a variable of that name.
 */
export function globalsOf(object: ObjectSections, { section }: DataSection, map: string): BpfGlobal[] {
  const { btf } = object;
  const types = new Map<string, { readonly type: number; readonly size: number }>();
  const datasec = btf && findType(btf, 'datasec', section.name);
  for (const entry of datasec?.vars ?? []) {
    const variable = btf && typeOf(btf, entry.type);
    if (variable?.kind === 'var') types.set(variable.name, { type: variable.type ?? 0, size: entry.size });
  }
  const globals: BpfGlobal[] = [];
  for (const symbol of symbolsOf(object, section)) {
    if (
      symbol.type === SYMBOL_TYPE.SECTION ||
      symbol.type === SYMBOL_TYPE.FILE ||
      symbol.value >= BigInt(section.size)
    )
      continue;
    const known = types.get(symbol.name);
    const bySymbol =
      symbol.size > 0n && symbol.size <= BigInt(section.size) ? Number(symbol.size) : undefined;
    const byType = btf && known ? sizeOf(btf, known.type) : undefined;
    globals.push({
      name: symbol.name,
      map,
      offset: Number(symbol.value),
      size: bySymbol ?? byType ?? 0,
      btfId: known?.type ?? 0,
    });
  }
  return globals.sort((a, b) => a.offset - b.offset);
}
