import { EngineError } from '../base/errors';
import { ByteReader } from '../base/reader';
import { StringTable } from '../base/strings';
import type { Btf, BtfKind, BtfMember, BtfType } from './types';

/** BTF with the table of its strings, which .BTF.ext shares. */
export interface BtfFile {
  readonly btf: Btf;
  readonly strings: StringTable;
}

const CODE = 'btf/format';
const MAGIC = 0xeb9f;
const TYPE_BYTES = 12;

/** Kinds by their number (BTF_KIND_*). */
const KINDS: readonly BtfKind[] = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
];

/** Where a subsection of .BTF or .BTF.ext is. */
export interface BtfHeader {
  readonly reader: ByteReader;
  /** Bytes from the start to what follows the header; subsection offsets count from there. */
  readonly headerBytes: number;
}

/**
 * Checks the magic number and version that .BTF and .BTF.ext begin with.
 * @throws EngineError `btf/format`
 */
export function readBtfHeader(bytes: Uint8Array, what: string): BtfHeader {
  const reader = new ByteReader(bytes, CODE, what);
  const magic = reader.u16(0, `The magic number of ${what}`);
  if (magic !== MAGIC) {
    const advice = magic === 0x9feb ? 'it is big-endian, which RISC-V kernels do not take' : 'it is damaged';
    throw new EngineError(
      CODE,
      `${what} begins with 0x${magic.toString(16)} instead of 0x${MAGIC.toString(16)}; ${advice}.`,
      { magic },
    );
  }
  const version = reader.u8(2, `The version of ${what}`);
  if (version !== 1) {
    throw new EngineError(CODE, `${what} has version ${version}; Hartbeat knows version 1.`, { version });
  }
  return { reader, headerBytes: reader.u32(4, `The header length of ${what}`) };
}

/**
 * Parses a .BTF section (or a detached BTF file). Type ids that refer to other types are kept as they are: use the
 * functions of resolve.ts, which bear with ids that do not exist and with cycles.
 * @throws EngineError `btf/format` that names the type.
 */
export function parseBtf(bytes: Uint8Array, what = 'section .BTF'): BtfFile {
  const { reader, headerBytes } = readBtfHeader(bytes, what);
  const typeOffset = headerBytes + reader.u32(8, 'The type offset');
  const typeBytes = reader.u32(12, 'The type length');
  const stringOffset = headerBytes + reader.u32(16, 'The string offset');
  const stringBytes = reader.u32(20, 'The string length');
  reader.check(typeOffset, typeBytes, `The types of ${what}`);
  const strings = new StringTable(
    reader.slice(stringOffset, stringBytes, `The strings of ${what}`),
    CODE,
    `the strings of ${what}`,
  );

  const types: BtfType[] = [{ id: 0, kind: 'void', name: 'void' }];
  const typesReader = new ByteReader(
    reader.slice(typeOffset, typeBytes, 'The types'),
    CODE,
    `the types of ${what}`,
  );
  for (let at = 0; at < typeBytes;) {
    const { type, next } = parseType(typesReader, strings, at, types.length);
    types.push(type);
    at = next;
  }
  return { btf: { types }, strings };
}

function parseType(
  reader: ByteReader,
  strings: StringTable,
  at: number,
  id: number,
): { type: BtfType; next: number } {
  const what = `Type ${id}`;
  const info = reader.u32(at + 4, what);
  const kind = KINDS[(info >>> 24) & 31];
  if (kind === undefined || kind === 'void') {
    throw new EngineError(
      CODE,
      `${what} has the unknown kind ${(info >>> 24) & 31}; it comes from a newer compiler or the BTF is damaged.`,
      {
        type: id,
        offset: at,
      },
    );
  }
  const count = info & 0xffff;
  const flag = info >>> 31 !== 0;
  const sizeOrType = reader.u32(at + 8, what);
  const base = { id, kind, name: strings.at(reader.u32(at, what), `${what}'s name`) };
  const rest = at + TYPE_BYTES;
  const string = (offset: number): string => strings.at(reader.u32(offset, what), `A name in type ${id}`);
  /** `count` entries of `bytes` each behind the fixed part. */
  const entries = <T>(bytes: number, read: (offset: number) => T): { list: T[]; next: number } => {
    reader.check(rest, count * bytes, `The ${count} entries of type ${id}`);
    return {
      list: Array.from({ length: count }, (_, i) => read(rest + i * bytes)),
      next: rest + count * bytes,
    };
  };

  switch (kind) {
    case 'int': {
      const bits = reader.u32(rest, what);
      const encoding = (bits >>> 24) & 15;
      const int = {
        signed: (encoding & 1) !== 0,
        char: (encoding & 2) !== 0,
        bool: (encoding & 4) !== 0,
        bits: bits & 0xff,
        bitOffset: (bits >>> 16) & 0xff,
      };
      return { type: { ...base, size: sizeOrType, int }, next: rest + 4 };
    }
    case 'float':
      return { type: { ...base, size: sizeOrType }, next: rest };
    case 'array': {
      const array = {
        type: reader.u32(rest, what),
        indexType: reader.u32(rest + 4, what),
        length: reader.u32(rest + 8, what),
      };
      return { type: { ...base, array }, next: rest + 12 };
    }
    case 'struct':
    case 'union': {
      const { list, next } = entries(12, (offset): BtfMember => {
        const place = reader.u32(offset + 8, what);
        // kind_flag: the upper 8 bits are the width of a bit field
        const bits = flag
          ? { bitOffset: place & 0xffffff, bitSize: place >>> 24 }
          : { bitOffset: place, bitSize: 0 };
        return { name: string(offset), type: reader.u32(offset + 4, what), ...bits };
      });
      return { type: { ...base, size: sizeOrType, members: list }, next };
    }
    case 'enum': {
      const { list, next } = entries(8, (offset) => {
        const value = reader.u32(offset + 4, what);
        return { name: string(offset), value: BigInt(flag ? value | 0 : value) };
      });
      return { type: { ...base, size: sizeOrType, values: list, signed: flag }, next };
    }
    case 'enum64': {
      const { list, next } = entries(12, (offset) => {
        const value = reader.u64(offset + 4, what);
        return { name: string(offset), value: flag ? BigInt.asIntN(64, value) : value };
      });
      return { type: { ...base, size: sizeOrType, values: list, signed: flag }, next };
    }
    case 'func_proto': {
      const { list, next } = entries(8, (offset) => ({
        name: string(offset),
        type: reader.u32(offset + 4, what),
      }));
      return { type: { ...base, type: sizeOrType, params: list }, next };
    }
    case 'datasec': {
      const { list, next } = entries(12, (offset) => ({
        type: reader.u32(offset, what),
        offset: reader.u32(offset + 4, what),
        size: reader.u32(offset + 8, what),
      }));
      return { type: { ...base, size: sizeOrType, vars: list }, next };
    }
    case 'fwd':
      return { type: { ...base, isUnion: flag }, next: rest };
    case 'func':
      return { type: { ...base, type: sizeOrType, linkage: count }, next: rest };
    case 'var':
      return { type: { ...base, type: sizeOrType, linkage: reader.u32(rest, what) }, next: rest + 4 };
    case 'decl_tag':
      return { type: { ...base, type: sizeOrType, componentIndex: reader.s32(rest, what) }, next: rest + 4 };
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'type_tag':
      return { type: { ...base, type: sizeOrType }, next: rest };
  }
}
