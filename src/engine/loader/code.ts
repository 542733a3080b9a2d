import { EngineError } from '../base/errors';
import { lastAtMost } from '../base/search';
import { decodeInsns, INSN_BYTES } from '../bpf/bytes';
import type { BpfInsn } from '../bpf/insn';
import { SYMBOL_TYPE, type ElfRelocation, type ElfSection } from '../elf/types';
import type { CodeInfo } from './code-info';
import { relocationsOf, symbolsOf, type ObjectSections } from './sections';

/** A function of the source: an entry program, or a subprogram when it lies in `.text`. */
export interface SourceFunction {
  readonly name: string;
  readonly code: CodeSection;
  /** Slots from the start of the section. */
  readonly start: number;
  /** First slot behind it. */
  readonly end: number;
  readonly linkage: 'static' | 'global';
  /** BTF id of its FUNC, 0 when unknown. */
  readonly btfId: number;
}

/** An executable section with its functions. */
export interface CodeSection {
  readonly section: ElfSection;
  readonly insns: readonly BpfInsn[];
  /** In the order of their start. */
  readonly functions: readonly SourceFunction[];
  /** By slot from the start of the section. */
  readonly relocations: ReadonlyMap<number, ElfRelocation>;
}

/** BTF_FUNC_STATIC */
const STATIC = 0;

/**
 * The code of every executable section in the order of sections (bpf_object__add_programs, bpf_object__collect_prog_relos).
 * @throws EngineError `loader/program` for functions that do not lie in their section, `loader/relocation`
 */
export function readCode(object: ObjectSections, info: CodeInfo): CodeSection[] {
  return object.code.map((section) => {
    const whole = section.bytes.subarray(0, section.bytes.length - (section.bytes.length % INSN_BYTES));
    const functions: SourceFunction[] = [];
    const code = {
      section,
      insns: decodeInsns(whole),
      functions,
      relocations: readRelocations(object, section),
    };
    for (const symbol of symbolsOf(object, section)) {
      if (symbol.type !== SYMBOL_TYPE.FUNC) continue;
      const offset = Number(symbol.value);
      const size = Number(symbol.size);
      const refuse = (why: string): EngineError =>
        new EngineError(
          'loader/program',
          `Function ${symbol.name} in section ${section.name} of ${object.name} ${why}.`,
          {
            section: section.index,
            offset,
            size,
          },
        );
      if (size === 0 || size % INSN_BYTES !== 0 || offset % INSN_BYTES !== 0) {
        throw refuse(
          `has ${size} bytes at offset ${offset}, no whole number of 8-byte instructions; the object is damaged`,
        );
      }
      if (offset + size > section.size)
        throw refuse(`runs over the end of its section; the object is damaged`);
      if (symbol.bind === 'local' && section !== object.text) {
        throw refuse(
          'is static; a program in a section of its own must be global, and a subprogram belongs in .text, without SEC()',
        );
      }
      const btfId = info.functionType(section.name, offset / INSN_BYTES);
      const declared = object.btf?.types[btfId];
      const isStatic =
        symbol.bind === 'local' ||
        symbol.hidden ||
        (declared?.kind === 'func' && declared.linkage === STATIC);
      functions.push({
        name: symbol.name,
        code,
        start: offset / INSN_BYTES,
        end: (offset + size) / INSN_BYTES,
        linkage: isStatic ? 'static' : 'global',
        btfId,
      });
    }
    functions.sort((a, b) => a.start - b.start);
    return code;
  });
}

/** The function of the section that the slot lies in. */
export function functionAt(code: CodeSection, slot: number): SourceFunction | undefined {
  const found = lastAtMost(code.functions, slot, (fn) => fn.start);
  return found && slot < found.end ? found : undefined;
}

function readRelocations(object: ObjectSections, section: ElfSection): ReadonlyMap<number, ElfRelocation> {
  const relocations = new Map<number, ElfRelocation>();
  for (const relocation of relocationsOf(object, section)) {
    const { offset } = relocation;
    if (offset % INSN_BYTES !== 0 || offset + INSN_BYTES > section.size) {
      throw new EngineError(
        'loader/relocation',
        `A relocation in section ${section.name} of ${object.name} is for byte ${offset}, where no instruction begins; the object is damaged.`,
        {
          section: section.index,
          offset,
        },
      );
    }
    relocations.set(offset / INSN_BYTES, relocation);
  }
  return relocations;
}
