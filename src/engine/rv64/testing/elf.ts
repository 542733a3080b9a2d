/** A minimal ELF64 RISC-V executable with sections `.text`, enough for disassemblers to read. */

const HEADER = 64;
const SECTION_HEADER = 64;
const NAMES = '\0.text\0.shstrtab\0';

interface Section {
  readonly name: number;
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
}

/** Code and the address at which it lies. */
export interface PlacedCode {
  readonly bytes: Uint8Array;
  readonly address: bigint;
}

/** Section numbers from here on have another meaning (SHN_LORESERVE). */
export const MAX_PIECES = 0xff00 - 3;

/** The file's bytes, with each piece of code in a section of its own, in this order; their addresses may overlap. */
export function wrapInElf(pieces: readonly PlacedCode[]): Uint8Array {
  const names = new TextEncoder().encode(NAMES);
  let end = HEADER;
  const place = (size: number): number => {
    const offset = end;
    end = Math.ceil((end + size) / 8) * 8;
    return offset;
  };
  const sections: readonly Section[] = [
    { name: 0, type: 0, flags: 0n, address: 0n, offset: 0, size: 0 },
    // SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR
    ...pieces.map(({ bytes, address }) => ({
      name: NAMES.indexOf('.text'),
      type: 1,
      flags: 6n,
      address,
      offset: place(bytes.length),
      size: bytes.length,
    })),
    // SHT_STRTAB
    {
      name: NAMES.indexOf('.shstrtab'),
      type: 3,
      flags: 0n,
      address: 0n,
      offset: place(names.length),
      size: names.length,
    },
  ];
  const tableOffset = end;
  const file = new Uint8Array(tableOffset + sections.length * SECTION_HEADER);
  const view = new DataView(file.buffer);
  // e_ident: magic, 64-bit, little-endian, version 1
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // e_type: ET_EXEC
  view.setUint16(18, 243, true); // e_machine: EM_RISCV
  view.setUint32(20, 1, true); // e_version
  view.setBigUint64(24, pieces[0]?.address ?? 0n, true); // e_entry
  view.setBigUint64(40, BigInt(tableOffset), true); // e_shoff
  view.setUint32(48, 1, true); // e_flags: EF_RISCV_RVC
  view.setUint16(52, HEADER, true); // e_ehsize
  view.setUint16(58, SECTION_HEADER, true); // e_shentsize
  view.setUint16(60, sections.length, true); // e_shnum
  view.setUint16(62, sections.length - 1, true); // e_shstrndx
  pieces.forEach(({ bytes }, index) => file.set(bytes, sections[index + 1]!.offset));
  file.set(names, sections.at(-1)!.offset);
  sections.forEach((section, index) => {
    const at = tableOffset + index * SECTION_HEADER;
    view.setUint32(at, section.name, true);
    view.setUint32(at + 4, section.type, true);
    view.setBigUint64(at + 8, section.flags, true);
    view.setBigUint64(at + 16, section.address, true);
    view.setBigUint64(at + 24, BigInt(section.offset), true);
    view.setBigUint64(at + 32, BigInt(section.size), true);
    view.setBigUint64(at + 48, section.type === 1 ? 2n : 1n, true); // sh_addralign
  });
  return file;
}
