/** A minimal ELF64 RISC-V executable with one section `.text`, enough for disassemblers to read. */

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

/** The file's bytes, with `code` at address `base`. */
export function wrapInElf(code: Uint8Array, base: bigint): Uint8Array {
  const names = new TextEncoder().encode(NAMES);
  const codeOffset = HEADER;
  const namesOffset = codeOffset + code.length;
  const tableOffset = Math.ceil((namesOffset + names.length) / 8) * 8;
  const sections: readonly Section[] = [
    { name: 0, type: 0, flags: 0n, address: 0n, offset: 0, size: 0 },
    // SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR
    {
      name: NAMES.indexOf('.text'),
      type: 1,
      flags: 6n,
      address: base,
      offset: codeOffset,
      size: code.length,
    },
    // SHT_STRTAB
    {
      name: NAMES.indexOf('.shstrtab'),
      type: 3,
      flags: 0n,
      address: 0n,
      offset: namesOffset,
      size: names.length,
    },
  ];
  const file = new Uint8Array(tableOffset + sections.length * SECTION_HEADER);
  const view = new DataView(file.buffer);
  // e_ident: magic, 64-bit, little-endian, version 1
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // e_type: ET_EXEC
  view.setUint16(18, 243, true); // e_machine: EM_RISCV
  view.setUint32(20, 1, true); // e_version
  view.setBigUint64(24, base, true); // e_entry
  view.setBigUint64(40, BigInt(tableOffset), true); // e_shoff
  view.setUint32(48, 1, true); // e_flags: EF_RISCV_RVC
  view.setUint16(52, HEADER, true); // e_ehsize
  view.setUint16(58, SECTION_HEADER, true); // e_shentsize
  view.setUint16(60, sections.length, true); // e_shnum
  view.setUint16(62, sections.length - 1, true); // e_shstrndx
  file.set(code, codeOffset);
  file.set(names, namesOffset);
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
