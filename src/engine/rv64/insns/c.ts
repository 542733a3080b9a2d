import type { CompressedRow } from '../row';

/**
 * RV64C without floating point. The values under `never` are reserved, or belong to a more specific row. HINTs (such as
 * c.li with rd = zero) are ordinary instructions here: they expand to base instructions without effect.
 */
export const C = [
  ['c.addi4spn', 'ciw', 0x0000, 'addi rd, sp, imm', { never: { imm: 0 } }],
  ['c.lw', 'clw', 0x4000, 'lw rd, imm(rs1)'],
  ['c.ld', 'cld', 0x6000, 'ld rd, imm(rs1)'],
  ['c.sw', 'csw', 0xc000, 'sw rs2, imm(rs1)'],
  ['c.sd', 'csd', 0xe000, 'sd rs2, imm(rs1)'],

  ['c.nop', 'cnop', 0x0001, 'addi zero, zero, imm'],
  ['c.addi', 'ci', 0x0001, 'addi rd, rd, imm', { never: { rd: 0 } }],
  ['c.addiw', 'ci', 0x2001, 'addiw rd, rd, imm', { never: { rd: 0 } }],
  ['c.li', 'ci', 0x4001, 'addi rd, zero, imm'],
  ['c.addi16sp', 'c16sp', 0x6101, 'addi sp, sp, imm', { never: { imm: 0 } }],
  ['c.lui', 'clui', 0x6001, 'lui rd, imm', { never: { rd: 2, imm: 0 } }],
  ['c.srli', 'cshift', 0x8001, 'srli rd, rd, imm'],
  ['c.srai', 'cshift', 0x8401, 'srai rd, rd, imm'],
  ['c.andi', 'candi', 0x8801, 'andi rd, rd, imm'],
  ['c.sub', 'ca', 0x8c01, 'sub rd, rd, rs2'],
  ['c.xor', 'ca', 0x8c21, 'xor rd, rd, rs2'],
  ['c.or', 'ca', 0x8c41, 'or rd, rd, rs2'],
  ['c.and', 'ca', 0x8c61, 'and rd, rd, rs2'],
  ['c.subw', 'ca', 0x9c01, 'subw rd, rd, rs2'],
  ['c.addw', 'ca', 0x9c21, 'addw rd, rd, rs2'],
  ['c.j', 'cj', 0xa001, 'jal zero, imm'],
  ['c.beqz', 'cb', 0xc001, 'beq rs1, zero, imm'],
  ['c.bnez', 'cb', 0xe001, 'bne rs1, zero, imm'],

  ['c.slli', 'cslli', 0x0002, 'slli rd, rd, imm'],
  ['c.lwsp', 'clwsp', 0x4002, 'lw rd, imm(sp)', { never: { rd: 0 } }],
  ['c.ldsp', 'cldsp', 0x6002, 'ld rd, imm(sp)', { never: { rd: 0 } }],
  ['c.jr', 'cjr', 0x8002, 'jalr zero, 0(rs1)', { never: { rs1: 0 } }],
  ['c.mv', 'cr', 0x8002, 'add rd, zero, rs2', { never: { rs2: 0 } }],
  ['c.ebreak', 'cnone', 0x9002, 'ebreak'],
  ['c.jalr', 'cjr', 0x9002, 'jalr ra, 0(rs1)', { never: { rs1: 0 } }],
  ['c.add', 'cr', 0x9002, 'add rd, rd, rs2', { never: { rs2: 0 } }],
  ['c.swsp', 'cswsp', 0xc002, 'sw rs2, imm(sp)'],
  ['c.sdsp', 'csdsp', 0xe002, 'sd rs2, imm(sp)'],
] as const satisfies readonly CompressedRow[];
