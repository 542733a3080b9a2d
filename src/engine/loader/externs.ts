import { EngineError } from '../base/errors';
import { findType, typeOf } from '../btf/resolve';
import { SYMBOL_TYPE } from '../elf/types';
import type { BpfExtern } from './object';
import type { ObjectSections } from './sections';

/** The name of an extern and its symbol's index. */
export interface ExternSymbol extends BpfExtern {
  readonly symbol: number;
}

/**
 * What the object wants from outside (bpf_object__collect_externs): undefined symbols, whose kind the BTF sections `.kconfig` and
 * `.ksyms` tell.
 * @throws EngineError `loader/extern` for a symbol that they do not declare
 */
export function readExterns(object: ObjectSections): ExternSymbol[] {
  const { btf } = object;
  const kinds = new Map<string, BpfExtern['kind']>();
  for (const section of ['.kconfig', '.ksyms']) {
    const datasec = btf && findType(btf, 'datasec', section);
    for (const entry of datasec?.vars ?? []) {
      const type = btf && typeOf(btf, entry.type);
      if (type)
        kinds.set(type.name, section === '.kconfig' ? 'kconfig' : type.kind === 'func' ? 'kfunc' : 'ksym');
    }
  }
  return object.elf.symbols.flatMap((symbol): ExternSymbol[] => {
    const wanted = symbol.section === 0 && symbol.type === SYMBOL_TYPE.NOTYPE && symbol.name !== '';
    if (!wanted || (symbol.bind !== 'global' && symbol.bind !== 'weak')) return [];
    const kind = kinds.get(symbol.name);
    if (kind === undefined) {
      throw new EngineError(
        'loader/extern',
        `${object.name} uses ${symbol.name}, which it does not define: declare it with __ksym or __kconfig, or link the object that has it (bpftool gen object).`,
        { symbol: symbol.index },
      );
    }
    return [{ name: symbol.name, kind, weak: symbol.bind === 'weak', symbol: symbol.index }];
  });
}
