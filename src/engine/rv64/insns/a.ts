import type { BaseRow } from '../row';

/** Atomics: load-reserved, store-conditional and the read-modify-write operations; rs1 is the address. */
export const A = [
  ['lr.w', 'lr', 0x1000202f],
  ['sc.w', 'amo', 0x1800202f],
  ['amoswap.w', 'amo', 0x0800202f],
  ['amoadd.w', 'amo', 0x0000202f],
  ['amoxor.w', 'amo', 0x2000202f],
  ['amoand.w', 'amo', 0x6000202f],
  ['amoor.w', 'amo', 0x4000202f],
  ['amomin.w', 'amo', 0x8000202f],
  ['amomax.w', 'amo', 0xa000202f],
  ['amominu.w', 'amo', 0xc000202f],
  ['amomaxu.w', 'amo', 0xe000202f],

  ['lr.d', 'lr', 0x1000302f],
  ['sc.d', 'amo', 0x1800302f],
  ['amoswap.d', 'amo', 0x0800302f],
  ['amoadd.d', 'amo', 0x0000302f],
  ['amoxor.d', 'amo', 0x2000302f],
  ['amoand.d', 'amo', 0x6000302f],
  ['amoor.d', 'amo', 0x4000302f],
  ['amomin.d', 'amo', 0x8000302f],
  ['amomax.d', 'amo', 0xa000302f],
  ['amominu.d', 'amo', 0xc000302f],
  ['amomaxu.d', 'amo', 0xe000302f],
] as const satisfies readonly BaseRow[];
