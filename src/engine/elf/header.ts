import { EngineError } from '../base/errors';
import type { ByteReader } from '../base/reader';
import { MACHINE, machineName } from './machine';

/** The parts of the ELF64 header that lead to everything else. */
export interface ElfHeader {
  readonly type: number;
  readonly machine: number;
  readonly entry: bigint;
  readonly flags: number;
  readonly programHeaders: TableShape;
  readonly sectionHeaders: TableShape;
  /** Index of the section with the section names. */
  readonly namesIndex: number;
}

/** Where a table of the file is: offset in bytes, bytes an entry, entries. */
export interface TableShape {
  readonly offset: bigint;
  readonly entrySize: number;
  readonly count: number;
}

const HEADER_BYTES = 64;

/**
 * Reads the ELF header.
 * @throws EngineError `elf/empty`, `elf/magic`, `elf/class`, `elf/endian`, `elf/truncated`, `elf/version`: one sentence each.
 */
export function readHeader(file: ByteReader, name: string, wanted: string): ElfHeader {
  checkIdentity(file, name, wanted);
  return {
    type: file.u16(16, 'The ELF type'),
    machine: file.u16(18, 'The ELF machine'),
    entry: file.u64(24, 'The entry address'),
    flags: file.u32(48, 'The ELF flags'),
    programHeaders: {
      offset: file.u64(32, 'The program header offset'),
      entrySize: file.u16(54, 'The program header size'),
      count: file.u16(56, 'The program header count'),
    },
    sectionHeaders: {
      offset: file.u64(40, 'The section header offset'),
      entrySize: file.u16(58, 'The section header size'),
      count: file.u16(60, 'The section header count'),
    },
    namesIndex: file.u16(62, 'The index of the section names'),
  };
}

/** e_ident: magic number, class, byte order, version. */
function checkIdentity(file: ByteReader, name: string, wanted: string): void {
  const { bytes } = file;
  if (bytes.length === 0) {
    throw new EngineError('elf/empty', `${name} is an empty file; ${wanted}.`);
  }
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (!magic.every((byte, i) => bytes[i] === byte)) {
    const cut = bytes.length < 4 && magic.slice(0, bytes.length).every((byte, i) => bytes[i] === byte);
    if (!cut) {
      throw new EngineError(
        'elf/magic',
        `${name} is not an ELF file but ${describeContents(bytes)}; ${wanted}.`,
      );
    }
  }
  if (bytes.length < HEADER_BYTES) {
    throw new EngineError(
      'elf/truncated',
      `${name} is truncated: an ELF64 file begins with a header of ${HEADER_BYTES} bytes, and there are only ${bytes.length}; copy or compile it again.`,
      { length: bytes.length },
    );
  }
  const bigEndian = bytes[5] === 2;
  const machine = bigEndian ? ((bytes[18] ?? 0) << 8) | (bytes[19] ?? 0) : file.u16(18, 'The ELF machine');
  if (bytes[4] !== 2) {
    throw new EngineError(
      'elf/class',
      `${name} is a ${bytes[4] === 1 ? '32-bit' : 'damaged'} ELF file for ${machineName(machine)}; Hartbeat reads 64-bit ELF files only.`,
      {
        machine,
      },
    );
  }
  if (bytes[5] !== 1) {
    const what =
      machine === MACHINE.BPF
        ? 'a big-endian BPF object'
        : `a big-endian ELF file for ${machineName(machine)}`;
    const advice =
      machine === MACHINE.BPF
        ? 'RISC-V kernels run little-endian BPF: compile with -target bpf or bpfel'
        : 'Hartbeat reads little-endian files only';
    throw new EngineError(
      'elf/endian',
      `${name} is ${bigEndian ? what : 'an ELF file of unknown byte order'}; ${advice}.`,
      { machine },
    );
  }
  if (bytes[6] !== 1) {
    throw new EngineError(
      'elf/version',
      `${name} has ELF version ${bytes[6]}; there is only version 1, so the file is damaged.`,
    );
  }
}

/** What a file that is no ELF looks like, for the message. */
function describeContents(bytes: Uint8Array): string {
  const starts = (text: string): boolean => [...text].every((c, i) => bytes[i] === c.charCodeAt(0));
  if (starts('BC\xc0\xde')) return 'LLVM bitcode';
  if (starts('!<arch>\n')) return 'an archive (.a)';
  if (starts('\x1f\x8b')) return 'compressed by gzip';
  const head = bytes.subarray(0, 512);
  const text = head.every((byte) =>
    byte >= 0x20 ? byte !== 0x7f : byte === 9 || byte === 10 || byte === 12 || byte === 13,
  );
  return text ? 'a text file' : 'other binary data';
}
