import type { BaseRow } from '../row';

/** Single-bit instructions. */
export const ZBS = [
  ['bclr', 'r', 0x48001033],
  ['bext', 'r', 0x48005033],
  ['binv', 'r', 0x68001033],
  ['bset', 'r', 0x28001033],
  ['bclri', 'shift6', 0x48001013],
  ['bexti', 'shift6', 0x48005013],
  ['binvi', 'shift6', 0x68001013],
  ['bseti', 'shift6', 0x28001013],
] as const satisfies readonly BaseRow[];
