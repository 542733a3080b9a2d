import { EngineError } from '../base/errors';
import { INSN_BYTES } from '../bpf/bytes';
import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../bpf/insn';
import { SYMBOL_TYPE, type ElfRelocation } from '../elf/types';
import type { CodeSection } from './code';
import type { ExternSymbol } from './externs';
import type { PlacedMap } from './maps-legacy';
import type { BpfReloc } from './object';
import type { ObjectSections } from './sections';

/** What a relocation of an instruction refers to. */
export type RelocationTarget =
  /** A function in `.text`: `slot` plus what the instruction itself says. */
  | { readonly kind: 'call' | 'function'; readonly slot: number }
  | { readonly kind: 'map'; readonly map: string }
  /** A variable: `offset` bytes plus the instruction's imm into the map's value. */
  | { readonly kind: 'map-value'; readonly map: string; readonly offset: number }
  | { readonly kind: 'extern'; readonly extern: ExternSymbol };

/** Finds out what relocations refer to (bpf_program__record_reloc). */
export class Relocations {
  private readonly externs: ReadonlyMap<number, ExternSymbol>;
  private readonly maps: ReadonlyMap<string, PlacedMap>;

  /**
   * @param maps with the place of their definitions
   * @param dataMaps names of the maps of data sections, by ELF section index
   */
  constructor(
    private readonly object: ObjectSections,
    maps: readonly PlacedMap[],
    private readonly dataMaps: ReadonlyMap<number, string>,
    externs: readonly ExternSymbol[],
  ) {
    this.maps = new Map(maps.map((map) => [placeKey(map.section, map.offset), map]));
    this.externs = new Map(externs.map((extern) => [extern.symbol, extern]));
  }

  /** @throws EngineError `loader/relocation` for a place or symbol that no loader can resolve */
  target(code: CodeSection, slot: number, relocation: ElfRelocation): RelocationTarget {
    const insn = code.insns[slot];
    const { symbol } = relocation;
    const symbolName =
      symbol.name === ''
        ? `the start of section ${this.object.elf.sections[symbol.section]?.name ?? symbol.section}`
        : symbol.name;
    const refuse = (why: string): EngineError =>
      new EngineError(
        'loader/relocation',
        `Instruction ${slot} of section ${code.section.name} in ${this.object.name} refers to ${symbolName}: ${why}.`,
        {
          section: code.section.index,
          insn: slot,
          symbol: symbol.index,
        },
      );
    if (insn?.code !== CALL && insn?.code !== LD_IMM64)
      throw refuse('only calls and 64-bit loads can be relocated');
    const extern = this.externs.get(symbol.index);
    if (extern) return { kind: 'extern', extern };
    const inText = symbol.section !== 0 && symbol.section === this.object.text?.index;
    const offset = Number(symbol.value);
    if (insn.code === CALL) {
      if (insn.src !== BPF_PSEUDO.CALL) throw refuse('a helper call cannot be relocated');
      if (!inText) throw refuse('only functions in .text can be called; take SEC() off the subprogram');
      if (offset % INSN_BYTES !== 0) throw refuse('no instruction begins there; the object is damaged');
      return { kind: 'call', slot: offset / INSN_BYTES };
    }
    if (inText && (symbol.type === SYMBOL_TYPE.FUNC || symbol.type === SYMBOL_TYPE.SECTION)) {
      if (offset % INSN_BYTES !== 0 || insn.imm % INSN_BYTES !== 0)
        throw refuse('no instruction begins there; the object is damaged');
      return { kind: 'function', slot: offset / INSN_BYTES };
    }
    const data = this.dataMaps.get(symbol.section);
    if (data !== undefined) return { kind: 'map-value', map: data, offset };
    const map = this.maps.get(placeKey(symbol.section, offset));
    if (map) return { kind: 'map', map: map.def.name };
    throw refuse('this is neither a map, nor a variable, nor a function in .text');
  }
}

const placeKey = (section: number, offset: number): string => `${section}:${offset}`;

/** A reference to something outside of the program, put into the instruction as libbpf puts it. */
export interface Applied {
  readonly insn: BpfInsn;
  /** The second slot, when it changes. */
  readonly next?: BpfInsn;
  readonly relocation?: BpfReloc;
}

/**
 * The instruction (at `slot` of the program) with its reference described instead of patched (bpf_object__relocate_data): imm is 0 where
 * libbpf writes a file descriptor or a BTF id.
 */
export function describeReference(
  insn: BpfInsn,
  next: BpfInsn | undefined,
  slot: number,
  target: RelocationTarget,
): Applied {
  switch (target.kind) {
    case 'call':
    case 'function':
      return { insn };
    case 'map':
      return {
        insn: { ...insn, src: BPF_PSEUDO.MAP_FD, imm: 0 },
        relocation: { kind: 'map', insn: slot, map: target.map },
      };
    case 'map-value': {
      const offset = (insn.imm + target.offset) | 0;
      return {
        insn: { ...insn, src: BPF_PSEUDO.MAP_VALUE, imm: 0 },
        ...(next ? { next: { ...next, imm: offset } } : {}),
        relocation: { kind: 'map-value', insn: slot, map: target.map, offset },
      };
    }
    case 'extern': {
      const { name, kind } = target.extern;
      if (insn.code === CALL) {
        return {
          insn: { ...insn, src: BPF_PSEUDO.KFUNC_CALL, imm: 0 },
          relocation: { kind: 'kfunc', insn: slot, name },
        };
      }
      const src = kind === 'kconfig' ? BPF_PSEUDO.MAP_VALUE : BPF_PSEUDO.BTF_ID;
      return { insn: { ...insn, src, imm: 0 }, relocation: { kind: 'ksym', insn: slot, name } };
    }
  }
}
