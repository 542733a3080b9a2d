import { EngineError } from '../base/errors';
import { expectMachine } from '../elf/machine';
import { readElf, relocationSections, relocationsIn } from '../elf/read';
import {
  ELF_TYPE,
  SECTION_FLAG,
  SECTION_TYPE,
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
} from '../elf/types';
import { parseBtfExt, type BtfExt } from '../btf/ext';
import { parseBtf } from '../btf/parse';
import type { Btf } from '../btf/types';

/** A section that becomes an implicit map. */
export interface DataSection {
  readonly section: ElfSection;
  readonly kind: 'data' | 'rodata' | 'bss';
}

/** The sections of an object by what they are to a loader (libbpf's bpf_object__elf_collect). */
export interface ObjectSections {
  readonly elf: ElfFile;
  /** File name without directory, for messages. */
  readonly name: string;
  readonly btf?: Btf;
  readonly ext: BtfExt;
  /** Executable sections with code. */
  readonly code: readonly ElfSection[];
  /** `.text`, where subprograms live. */
  readonly text?: ElfSection;
  /** `.maps` */
  readonly btfMaps?: ElfSection;
  /** `maps`, from before BTF */
  readonly legacyMaps?: ElfSection;
  readonly data: readonly DataSection[];
  /** `.struct_ops`, `.struct_ops.link` and their optional forms */
  readonly structOps: readonly ElfSection[];
  /** `.addr_space.1`, variables in the arena */
  readonly arena?: ElfSection;
  readonly license: string;
  /** Named symbols by section index. */
  readonly symbols: ReadonlyMap<number, readonly ElfSymbol[]>;
  /** REL sections by the index of the section that they are for. */
  readonly relocations: ReadonlyMap<number, readonly ElfSection[]>;
}

/**
 * Reads the ELF file, its BTF and what each section is.
 * @throws EngineError `elf/…`, `btf/…`; `loader/type` when the file is no relocatable object
 */
export function readObjectSections(bytes: Uint8Array, name: string): ObjectSections {
  const elf = readElf(bytes, name);
  expectMachine(elf, 'BPF');
  if (elf.type !== ELF_TYPE.REL) {
    throw new EngineError(
      'loader/type',
      `${name} is a linked BPF file (ELF type ${elf.type}), not an object; open what clang -target bpf -c made.`,
      {
        type: elf.type,
      },
    );
  }
  const named = (section: string): ElfSection | undefined =>
    elf.sections.find((s) => s.name === section && s.bytes.length > 0);
  const btfSection = named('.BTF');
  const parsed = btfSection && parseBtf(btfSection.bytes);
  const extSection = parsed && named('.BTF.ext');
  const code = elf.sections.filter(
    (s) => s.type === SECTION_TYPE.PROGBITS && (s.flags & SECTION_FLAG.EXEC) !== 0n && s.size > 0,
  );
  const license = named('license');
  return {
    elf,
    name,
    btf: parsed?.btf,
    ext: parsed && extSection ? parseBtfExt(extSection.bytes, parsed.strings) : new Map(),
    code,
    text: code.find((s) => s.name === '.text'),
    btfMaps: named('.maps'),
    legacyMaps: named('maps'),
    data: elf.sections.flatMap((section) => {
      const kind = dataKind(section);
      return kind && section.size > 0 ? [{ section, kind }] : [];
    }),
    structOps: elf.sections.filter((s) => /^\??\.struct_ops(\.link)?$/.test(s.name) && s.size > 0),
    arena: named('.addr_space.1'),
    license: license ? cString(license.bytes) : '',
    symbols: symbolsBySection(elf),
    relocations: relocationSections(elf),
  };
}

/** `.data`, `.rodata`, `.bss` and their custom forms such as `.rodata.str1.1`. */
function dataKind(section: ElfSection): DataSection['kind'] | undefined {
  const is = (name: string): boolean => section.name === name || section.name.startsWith(`${name}.`);
  if (section.type === SECTION_TYPE.NOBITS) return is('.bss') ? 'bss' : undefined;
  if (section.type !== SECTION_TYPE.PROGBITS || (section.flags & SECTION_FLAG.EXEC) !== 0n) return undefined;
  return is('.data') ? 'data' : is('.rodata') ? 'rodata' : undefined;
}

function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The named symbols of each section, by section index, in the order of the symbol table. */
function symbolsBySection(elf: ElfFile): ReadonlyMap<number, readonly ElfSymbol[]> {
  const sections = new Map<number, ElfSymbol[]>();
  for (const symbol of elf.symbols) {
    if (symbol.name === '') continue;
    const own = sections.get(symbol.section);
    if (own) own.push(symbol);
    else sections.set(symbol.section, [symbol]);
  }
  return sections;
}

/** The named symbols of a section. */
export function symbolsOf(object: ObjectSections, section: ElfSection): readonly ElfSymbol[] {
  return object.symbols.get(section.index) ?? [];
}

/** The relocations of a section. @throws EngineError `elf/…` */
export function relocationsOf(object: ObjectSections, section: ElfSection): ElfRelocation[] {
  return (object.relocations.get(section.index) ?? []).flatMap((table) => relocationsIn(object.elf, table));
}
