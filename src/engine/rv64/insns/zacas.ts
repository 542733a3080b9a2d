import type { BaseRow } from '../row';

/**
 * Compare and swap: rd holds the expected value and receives the old one. In the 128-bit form rd and rs2 are the first of a
 * pair of registers.
 */
export const ZACAS = [
  ['amocas.w', 'amo', 0x2800202f],
  ['amocas.d', 'amo', 0x2800302f],
  ['amocas.q', 'amopair', 0x2800402f],
] as const satisfies readonly BaseRow[];
