import { EngineError } from '../base/errors';
import type { ByteReader } from '../base/reader';
import type { StringTable } from '../base/strings';
import { readBtfHeader } from './parse';

/** func_info: the function that begins at an instruction. */
export interface BtfFuncInfo {
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** BTF id of its FUNC. */
  readonly type: number;
}

/** line_info: the source line of the code from an instruction on. */
export interface BtfLineInfo {
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly file: string;
  /** 1-based; 0 when unknown */
  readonly line: number;
  /** 1-based; 0 when unknown */
  readonly column: number;
  readonly text: string;
}

/** core_relo: a place that depends on the layout of a kernel type (CO-RE). */
export interface BtfCoreRelo {
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** BTF id of the root type, in the object's own BTF. */
  readonly type: number;
  /** Path of member and array indices, as in `0:1:2`; an enum value's index; `0` for whole types. */
  readonly access: string;
  /** enum bpf_core_relo_kind */
  readonly kind: number;
}

/** What .BTF.ext says about the code of one section, in ascending order of offsets as compilers write it. */
export interface BtfSectionInfo {
  readonly funcs: readonly BtfFuncInfo[];
  readonly lines: readonly BtfLineInfo[];
  readonly coreRelos: readonly BtfCoreRelo[];
}

/** Contents of .BTF.ext by section name. */
export type BtfExt = ReadonlyMap<string, BtfSectionInfo>;

const CODE = 'btf/format';
const WHAT = 'section .BTF.ext';

/**
 * Parses .BTF.ext.
 * @param strings of the .BTF beside it
 * @throws EngineError `btf/format`
 */
export function parseBtfExt(bytes: Uint8Array, strings: StringTable): BtfExt {
  const { reader, headerBytes } = readBtfHeader(bytes, WHAT);
  const sections = new Map<
    string,
    { funcs: BtfFuncInfo[]; lines: BtfLineInfo[]; coreRelos: BtfCoreRelo[] }
  >();
  const of = (name: string): { funcs: BtfFuncInfo[]; lines: BtfLineInfo[]; coreRelos: BtfCoreRelo[] } => {
    const known = sections.get(name);
    if (known) return known;
    const made = { funcs: [], lines: [], coreRelos: [] };
    sections.set(name, made);
    return made;
  };
  const string = (at: number, field: string): string => strings.at(reader.u32(at, field), field);

  eachRecord(reader, strings, headerBytes, { header: 8, least: 8, name: 'func_info' }, (section, at) => {
    of(section).funcs.push({
      offset: reader.u32(at, 'A func_info'),
      type: reader.u32(at + 4, 'A func_info'),
    });
  });
  eachRecord(reader, strings, headerBytes, { header: 16, least: 16, name: 'line_info' }, (section, at) => {
    const position = reader.u32(at + 12, 'A line_info');
    of(section).lines.push({
      offset: reader.u32(at, 'A line_info'),
      file: string(at + 4, 'The file name of a line_info'),
      text: string(at + 8, 'The text of a line_info'),
      line: position >>> 10,
      column: position & 0x3ff,
    });
  });
  // Older compilers write a header without CO-RE relocations.
  if (headerBytes >= 32) {
    eachRecord(reader, strings, headerBytes, { header: 24, least: 16, name: 'core_relo' }, (section, at) => {
      of(section).coreRelos.push({
        offset: reader.u32(at, 'A core_relo'),
        type: reader.u32(at + 4, 'A core_relo'),
        access: string(at + 8, 'The access path of a core_relo'),
        kind: reader.u32(at + 12, 'A core_relo'),
      });
    });
  }
  return sections;
}

/** A subsection: where the header tells its place, and the least bytes of a record. */
interface Subsection {
  readonly header: number;
  readonly least: number;
  readonly name: string;
}

/** Calls `each` with the section name and the offset of each record of a subsection. */
function eachRecord(
  reader: ByteReader,
  strings: StringTable,
  headerBytes: number,
  { header, least, name }: Subsection,
  each: (section: string, at: number) => void,
): void {
  const start = headerBytes + reader.u32(header, `The offset of ${name}`);
  const length = reader.u32(header + 4, `The length of ${name}`);
  if (length === 0) return;
  reader.check(start, length, `The ${name} records`);
  const size = reader.u32(start, `The record size of ${name}`);
  if (size < least || size % 4 !== 0) {
    throw new EngineError(
      CODE,
      `The ${name} records of ${WHAT} have ${size} bytes, at least ${least} are needed; the section is damaged.`,
      { size },
    );
  }
  const end = start + length;
  for (let at = start + 4; at < end;) {
    const section = strings.at(reader.u32(at, `A section of ${name}`), `The section name of ${name}`);
    const count = reader.u32(at + 4, `A section of ${name}`);
    at += 8;
    if (at + count * size > end) {
      throw new EngineError(
        CODE,
        `${WHAT} says that there are ${count} ${name} records for section ${section}, more than it holds; the section is damaged.`,
        {
          section,
          count,
        },
      );
    }
    for (let i = 0; i < count; i++, at += size) each(section, at);
  }
}
