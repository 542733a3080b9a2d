import { CSR } from './csrs';
import type { Operand } from './formats';
import type { BaseMnemonic, CompressedMnemonic } from './table';

/**
 * Another way to write a base instruction some of whose operands have certain values (Unprivileged ISA, "RISC-V
 * Assembly Programmer's Handbook", and the assemblers). Printer and assembler both follow this list.
 */
export interface Alias {
  readonly name: string;
  readonly base: BaseMnemonic;
  readonly fixed: { readonly [operand in Operand]?: number };
  /** The other operands, as in FormatShape.syntax. */
  readonly syntax: string;
  /** Only assembled, never printed: another alias or the base form is what disassemblers show. */
  readonly parseOnly?: true;
  /** Printed only when the instruction in memory is this compressed one. */
  readonly only?: CompressedMnemonic;
}

type Options = Pick<Alias, 'parseOnly' | 'only'>;

const alias = (
  name: string,
  base: BaseMnemonic,
  fixed: Alias['fixed'],
  syntax: string,
  options: Options = {},
): Alias => ({
  name,
  base,
  fixed,
  syntax,
  ...options,
});

const parseOnly = { parseOnly: true } as const;

/** Assemblers take an immediate as the last operand of these and choose the immediate form. */
const WITH_IMMEDIATE = [
  ...(['addi', 'andi', 'ori', 'xori', 'slli', 'srli', 'srai', 'slti', 'sltiu'] as const),
  ...(['addiw', 'slliw', 'srliw', 'sraiw', 'rori', 'roriw', 'bclri', 'bexti', 'binvi', 'bseti'] as const),
];

/** In order of preference: the printer takes the first that fits. */
export const ALIASES: readonly Alias[] = [
  alias('nop', 'addi', { rd: 0, rs1: 0, imm: 0 }, ''),
  alias('li', 'addi', { rs1: 0 }, 'rd, imm'),
  alias('mv', 'addi', { imm: 0 }, 'rd, rs1'),
  alias('mv', 'add', { rs1: 0 }, 'rd, rs2', { only: 'c.mv' }),
  alias('not', 'xori', { imm: -1 }, 'rd, rs1'),
  alias('neg', 'sub', { rs1: 0 }, 'rd, rs2'),
  alias('negw', 'subw', { rs1: 0 }, 'rd, rs2'),
  alias('sext.w', 'addiw', { imm: 0 }, 'rd, rs1'),
  alias('zext.b', 'andi', { imm: 255 }, 'rd, rs1', parseOnly),
  alias('zext.w', 'add.uw', { rs2: 0 }, 'rd, rs1'),
  alias('seqz', 'sltiu', { imm: 1 }, 'rd, rs1'),
  alias('snez', 'sltu', { rs1: 0 }, 'rd, rs2'),
  alias('sltz', 'slt', { rs2: 0 }, 'rd, rs1'),
  alias('sgtz', 'slt', { rs1: 0 }, 'rd, rs2'),
  alias('sgt', 'slt', {}, 'rd, rs2, rs1', parseOnly),
  alias('sgtu', 'sltu', {}, 'rd, rs2, rs1', parseOnly),

  alias('beqz', 'beq', { rs2: 0 }, 'rs1, target'),
  alias('bnez', 'bne', { rs2: 0 }, 'rs1, target'),
  alias('blez', 'bge', { rs1: 0 }, 'rs2, target'),
  alias('bgez', 'bge', { rs2: 0 }, 'rs1, target'),
  alias('bltz', 'blt', { rs2: 0 }, 'rs1, target'),
  alias('bgtz', 'blt', { rs1: 0 }, 'rs2, target'),
  alias('bgt', 'blt', {}, 'rs2, rs1, target', parseOnly),
  alias('ble', 'bge', {}, 'rs2, rs1, target', parseOnly),
  alias('bgtu', 'bltu', {}, 'rs2, rs1, target', parseOnly),
  alias('bleu', 'bgeu', {}, 'rs2, rs1, target', parseOnly),

  alias('j', 'jal', { rd: 0 }, 'target'),
  alias('jal', 'jal', { rd: 1 }, 'target'),
  alias('ret', 'jalr', { rd: 0, rs1: 1, imm: 0 }, ''),
  alias('jr', 'jalr', { rd: 0, imm: 0 }, 'rs1'),
  alias('jr', 'jalr', { rd: 0 }, 'imm(rs1)'),
  alias('jalr', 'jalr', { rd: 1, imm: 0 }, 'rs1'),
  alias('jalr', 'jalr', { rd: 1 }, 'imm(rs1)'),
  alias('jalr', 'jalr', { imm: 0 }, 'rd, rs1'),
  alias('jalr', 'jalr', {}, 'rd, rs1, imm', parseOnly),

  alias('fence', 'fence', { imm: 0xff }, ''),
  // A write to a read-only CSR is illegal everywhere: the customary trap.
  alias('unimp', 'csrrw', { rd: 0, csr: CSR.cycle, rs1: 0 }, ''),
  alias('rdcycle', 'csrrs', { csr: CSR.cycle, rs1: 0 }, 'rd'),
  alias('rdtime', 'csrrs', { csr: CSR.time, rs1: 0 }, 'rd'),
  alias('rdinstret', 'csrrs', { csr: CSR.instret, rs1: 0 }, 'rd'),
  alias('csrr', 'csrrs', { rs1: 0 }, 'rd, csr'),
  alias('csrw', 'csrrw', { rd: 0 }, 'csr, rs1'),
  alias('csrs', 'csrrs', { rd: 0 }, 'csr, rs1'),
  alias('csrc', 'csrrc', { rd: 0 }, 'csr, rs1'),
  alias('csrwi', 'csrrwi', { rd: 0 }, 'csr, imm'),
  alias('csrsi', 'csrrsi', { rd: 0 }, 'csr, imm'),
  alias('csrci', 'csrrci', { rd: 0 }, 'csr, imm'),
  alias('csrw', 'csrrwi', { rd: 0 }, 'csr, imm', parseOnly),
  alias('csrs', 'csrrsi', { rd: 0 }, 'csr, imm', parseOnly),
  alias('csrc', 'csrrci', { rd: 0 }, 'csr, imm', parseOnly),
  ...WITH_IMMEDIATE.map((base) =>
    alias(base.replace(/i(?=[uw]?$)/, ''), base, {}, 'rd, rs1, imm', parseOnly),
  ),
];
