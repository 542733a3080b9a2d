import { EngineError } from '../base/errors';
import { ByteReader } from '../base/reader';
import { StringTable } from '../base/strings';
import { WANTED, type MACHINE } from './machine';
import { readHeader, type TableShape } from './header';
import {
  SECTION_TYPE,
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSegment,
  type ElfSymbol,
} from './types';

const SECTION_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;
const CODE = 'elf/truncated';

/**
 * Reads an ELF64 little-endian file of any machine (see {@link expectMachine}). Nothing is copied: contents are views of `bytes`.
 * Every offset is treated as hostile.
 * @param name file name without directory, for messages
 * @param machine for which machine's code it was chosen, for messages; not checked
 * @throws EngineError `elf/…` with one sentence for what is no such file, truncated or damaged.
 */
export function readElf(bytes: Uint8Array, name: string, machine: keyof typeof MACHINE = 'BPF'): ElfFile {
  const file = new ByteReader(bytes, CODE, name);
  const header = readHeader(file, name, WANTED[machine]);
  const sections = readSections(file, header.sectionHeaders, header.namesIndex);
  return {
    name,
    type: header.type,
    machine: header.machine,
    entry: header.entry,
    flags: header.flags,
    sections,
    symbols: readSymbols(sections, name),
    segments: readSegments(file, header.programHeaders),
  };
}

/** The relocations in a REL or RELA section, in the file's order. @throws EngineError `elf/truncated`, `elf/relocation` */
export function relocationsIn(elf: ElfFile, section: ElfSection): ElfRelocation[] {
  const rela = section.type === SECTION_TYPE.RELA;
  const size = rela ? 24 : 16;
  const reader = readerOf(section);
  const relocations: ElfRelocation[] = [];
  for (let at = 0; at + size <= section.bytes.length; at += size) {
    const info = reader.u64(at + 8, 'A relocation');
    const index = Number(info >> 32n);
    const symbol = elf.symbols[index];
    if (!symbol) {
      throw new EngineError(
        'elf/relocation',
        `A relocation in section ${section.name} names symbol ${index}, but there are ${elf.symbols.length} symbols.`,
        {
          section: section.index,
          offset: at,
          symbol: index,
        },
      );
    }
    relocations.push({
      offset: toNumber(reader.u64(at, 'A relocation'), `A relocation in section ${section.name}`),
      type: Number(info & 0xffff_ffffn),
      symbol,
      addend: rela ? BigInt.asIntN(64, reader.u64(at + 16, 'A relocation')) : 0n,
    });
  }
  return relocations;
}

/** The REL and RELA sections by the index of the section that they are for, in the file's order. */
export function relocationSections(elf: ElfFile): ReadonlyMap<number, readonly ElfSection[]> {
  const byTarget = new Map<number, ElfSection[]>();
  for (const section of elf.sections) {
    if (section.type !== SECTION_TYPE.REL && section.type !== SECTION_TYPE.RELA) continue;
    const own = byTarget.get(section.info);
    if (own) own.push(section);
    else byTarget.set(section.info, [section]);
  }
  return byTarget;
}

/** A checked reader of a section's contents. */
export function readerOf(section: ElfSection): ByteReader {
  return new ByteReader(section.bytes, CODE, `section ${section.name}`);
}

function readSections(file: ByteReader, table: TableShape, namesIndex: number): ElfSection[] {
  if (table.count === 0 || table.offset === 0n) return [];
  checkEntrySize(table.entrySize, SECTION_HEADER_BYTES, 'section');
  const start = toNumber(table.offset, 'The section header table');
  file.check(start, table.count * table.entrySize, 'The section header table');
  const headers = Array.from({ length: table.count }, (_, index) =>
    readSectionHeader(file, start + index * table.entrySize, index),
  );
  refuseOverlap(headers, file);
  const names = headers[namesIndex];
  const strings = new StringTable(names ? names.bytes : new Uint8Array(), CODE, 'the table of section names');
  return headers.map(({ nameOffset, ...section }) => ({
    ...section,
    name:
      section.type === SECTION_TYPE.NULL
        ? ''
        : strings.at(nameOffset, `The name of section ${section.index}`),
  }));
}

function readSectionHeader(
  file: ByteReader,
  at: number,
  index: number,
): Omit<ElfSection, 'name'> & { nameOffset: number } {
  const what = `Section ${index}`;
  const type = file.u32(at + 4, what);
  const offset = toNumber(file.u64(at + 24, what), `${what}'s offset`);
  const size = toNumber(file.u64(at + 32, what), `${what}'s size`);
  const inFile = type !== SECTION_TYPE.NOBITS && type !== SECTION_TYPE.NULL;
  return {
    index,
    nameOffset: file.u32(at, what),
    type,
    flags: file.u64(at + 8, what),
    address: file.u64(at + 16, what),
    offset,
    size: type === SECTION_TYPE.NULL ? 0 : size,
    link: file.u32(at + 40, what),
    info: file.u32(at + 44, what),
    entrySize: Number(file.u64(at + 56, what) & 0xffff_ffffn),
    bytes: inFile ? file.slice(offset, size, `${what}'s contents`) : new Uint8Array(),
  };
}

/** Sections of real files share no bytes; a hostile file could make one stretch of bytes stand for thousands of sections. */
function refuseOverlap(sections: readonly Pick<ElfSection, 'bytes'>[], file: ByteReader): void {
  const total = sections.reduce((sum, section) => sum + section.bytes.length, 0);
  if (total <= file.length) return;
  throw new EngineError(
    'elf/overlap',
    `The sections of ${file.what} have ${total} bytes together, more than the file's ${file.length}: they overlap, so the file is damaged.`,
    { total, length: file.length },
  );
}

function readSymbols(sections: readonly ElfSection[], name: string): ElfSymbol[] {
  const table = sections.find((section) => section.type === SECTION_TYPE.SYMTAB);
  if (!table) return [];
  const names = sections[table.link];
  if (names?.type !== SECTION_TYPE.STRTAB) {
    throw new EngineError(
      'elf/symbols',
      `The symbol table of ${name} names section ${table.link} for its strings, which is no string table; the file is damaged.`,
      {
        section: table.index,
        link: table.link,
      },
    );
  }
  const strings = new StringTable(names.bytes, CODE, `section ${names.name}`);
  const reader = readerOf(table);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at + SYMBOL_BYTES <= table.bytes.length; at += SYMBOL_BYTES) {
    const what = `Symbol ${symbols.length}`;
    const info = reader.u8(at + 4, what);
    const visibility = reader.u8(at + 5, what) & 3;
    symbols.push({
      index: symbols.length,
      name: strings.at(reader.u32(at, what), `${what}'s name`),
      value: reader.u64(at + 8, what),
      size: reader.u64(at + 16, what),
      bind: (['local', 'global', 'weak'] as const)[info >> 4] ?? 'other',
      type: info & 15,
      hidden: visibility === 1 || visibility === 2,
      section: reader.u16(at + 6, what),
    });
  }
  return symbols;
}

function readSegments(file: ByteReader, table: TableShape): ElfSegment[] {
  if (table.count === 0 || table.offset === 0n) return [];
  checkEntrySize(table.entrySize, PROGRAM_HEADER_BYTES, 'program');
  const start = toNumber(table.offset, 'The program header table');
  file.check(start, table.count * table.entrySize, 'The program header table');
  return Array.from({ length: table.count }, (_, index) => {
    const at = start + index * table.entrySize;
    const what = `Program header ${index}`;
    const offset = toNumber(file.u64(at + 8, what), `${what}'s offset`);
    const size = toNumber(file.u64(at + 32, what), `${what}'s file size`);
    return {
      type: file.u32(at, what),
      flags: file.u32(at + 4, what),
      virtualAddress: file.u64(at + 16, what),
      physicalAddress: file.u64(at + 24, what),
      // Segments that are all zero may name an offset behind the end of the file.
      bytes: size === 0 ? new Uint8Array() : file.slice(offset, size, `${what}'s contents`),
      memorySize: file.u64(at + 40, what),
    };
  });
}

function checkEntrySize(size: number, least: number, what: string): void {
  if (size >= least) return;
  throw new EngineError(
    'elf/header',
    `The ${what} headers of this ELF file have ${size} bytes each instead of ${least}; the file is damaged.`,
    { size },
  );
}

/** An offset or size as a number; what does not fit one cannot lie inside a file. */
function toNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new EngineError(
      CODE,
      `${what} is 0x${value.toString(16)}, far outside of any file; the file is damaged.`,
      { value },
    );
  }
  return Number(value);
}
