import type { BaseRow } from '../row';

/** Compare and swap: rd holds the expected value and receives the old one. The 128-bit form is left out. */
export const ZACAS = [
  ['amocas.w', 'amo', 0x2800202f],
  ['amocas.d', 'amo', 0x2800302f],
] as const satisfies readonly BaseRow[];
