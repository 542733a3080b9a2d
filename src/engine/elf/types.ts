/** An ELF64 little-endian file: everything described, contents as views of the file's bytes. */
export interface ElfFile {
  /** Name of the file, for messages. */
  readonly name: string;
  /** e_type, see {@link ELF_TYPE}. */
  readonly type: number;
  /** e_machine, see machine.ts. */
  readonly machine: number;
  readonly entry: bigint;
  readonly flags: number;
  readonly sections: readonly ElfSection[];
  /** All symbols of the (first) symbol table; symbol 0 is the empty one. */
  readonly symbols: readonly ElfSymbol[];
  /** Program headers; empty in relocatable files. */
  readonly segments: readonly ElfSegment[];
}

/** A section header and the section's bytes. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** sh_type, see {@link SECTION_TYPE}. */
  readonly type: number;
  /** sh_flags, see {@link SECTION_FLAG}. */
  readonly flags: bigint;
  readonly address: bigint;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes; of a NOBITS section in memory, where the file has none. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  /** The contents; empty for NOBITS. */
  readonly bytes: Uint8Array;
}

/** An entry of the symbol table. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  /** Offset in the section (relocatable files) or address. */
  readonly value: bigint;
  readonly size: bigint;
  readonly bind: 'local' | 'global' | 'weak' | 'other';
  /** STT_*, see {@link SYMBOL_TYPE}. */
  readonly type: number;
  /** STV_HIDDEN or STV_INTERNAL: not seen outside of what it is linked into. */
  readonly hidden: boolean;
  /** Section index; 0 = undefined, 0xfff1 = absolute, 0xfff2 = common. */
  readonly section: number;
}

/** An entry of a relocation section. */
export interface ElfRelocation {
  /** Bytes from the start of the section that is relocated. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
  /** Explicit addend of RELA entries; 0 for REL, where it stands in the code. */
  readonly addend: bigint;
}

/** A program header and the bytes that it loads. */
export interface ElfSegment {
  /** p_type: 1 = LOAD. */
  readonly type: number;
  /** Bits: 1 execute, 2 write, 4 read. */
  readonly flags: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  /** The part that is in the file. */
  readonly bytes: Uint8Array;
  /** Bytes in memory; what the file does not have is 0. */
  readonly memorySize: bigint;
}

export const ELF_TYPE = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;
export const SECTION_TYPE = {
  NULL: 0,
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  NOBITS: 8,
  REL: 9,
} as const;
export const SECTION_FLAG = { WRITE: 1n, ALLOC: 2n, EXEC: 4n } as const;
export const SYMBOL_TYPE = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const;
export const SEGMENT_LOAD = 1;
