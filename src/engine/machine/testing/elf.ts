/** Writes small RV64 executables. */

export interface TestSegment {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Bytes in memory, if more than the file has. */
  readonly memorySize?: number;
  /** r = 4, w = 2, x = 1 */
  readonly flags: number;
}

const HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const PAGE = 4096;

/** An ELF64 executable for RISC-V with these segments and absolute symbols. */
export function buildElf(
  entry: bigint,
  segments: readonly TestSegment[],
  symbols: Readonly<Record<string, bigint>> = {},
): Uint8Array {
  // File offsets are congruent to addresses modulo the page size, as the ELF specification asks of loadable segments.
  let end = HEADER + segments.length * PROGRAM_HEADER;
  const offsets = segments.map(({ address, bytes }) => {
    const offset = end + ((Number(address % BigInt(PAGE)) - (end % PAGE) + PAGE) % PAGE);
    end = offset + bytes.length;
    return offset;
  });
  const names = ['', ...Object.keys(symbols)];
  const strings = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
  const symbolsAt = Math.ceil(end / 8) * 8;
  const stringsAt = symbolsAt + names.length * SYMBOL;
  const sectionsAt = Math.ceil((stringsAt + strings.length) / 8) * 8;

  const file = new Uint8Array(sectionsAt + 3 * SECTION_HEADER);
  const view = new DataView(file.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const u64 = (at: number, value: bigint | number): void => view.setBigUint64(at, BigInt(value), true);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64-bit, little-endian, version 1
  u16(16, 2); // ET_EXEC
  u16(18, 243); // EM_RISCV
  u32(20, 1);
  u64(24, entry);
  u64(32, HEADER);
  u64(40, sectionsAt);
  u32(48, 1); // EF_RISCV_RVC
  u16(52, HEADER);
  u16(54, PROGRAM_HEADER);
  u16(56, segments.length);
  u16(58, SECTION_HEADER);
  u16(60, 3);

  segments.forEach(({ address, bytes, memorySize, flags }, index) => {
    const at = HEADER + index * PROGRAM_HEADER;
    u32(at, 1); // PT_LOAD
    u32(at + 4, flags);
    u64(at + 8, offsets[index]!);
    u64(at + 16, address);
    u64(at + 24, address);
    u64(at + 32, bytes.length);
    u64(at + 40, memorySize ?? bytes.length);
    u64(at + 48, PAGE);
    file.set(bytes, offsets[index]!);
  });

  let nameAt = 0;
  names.forEach((name, index) => {
    const at = symbolsAt + index * SYMBOL;
    u32(at, nameAt);
    if (index > 0) {
      file[at + 4] = 0x10; // STB_GLOBAL, STT_NOTYPE
      u16(at + 6, 0xfff1); // SHN_ABS
      u64(at + 8, symbols[name]!);
    }
    nameAt += name.length + 1;
  });
  file.set(strings, stringsAt);

  const section = (
    index: number,
    type: number,
    offset: number,
    size: number,
    link: number,
    entrySize: number,
  ): void => {
    const at = sectionsAt + index * SECTION_HEADER;
    u32(at + 4, type);
    u64(at + 24, offset);
    u64(at + 32, size);
    u32(at + 40, link);
    u32(at + 44, type === 2 ? 1 : 0);
    u64(at + 48, 8);
    u64(at + 56, entrySize);
  };
  section(1, 2, symbolsAt, names.length * SYMBOL, 2, SYMBOL); // SHT_SYMTAB
  section(2, 3, stringsAt, strings.length, 0, 0); // SHT_STRTAB
  return file;
}
