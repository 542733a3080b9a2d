import type { BaseRow } from '../row';

/** Conditional operations. */
export const ZICOND = [
  ['czero.eqz', 'r', 0x0e005033],
  ['czero.nez', 'r', 0x0e007033],
] as const satisfies readonly BaseRow[];
