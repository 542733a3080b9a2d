import type { BaseRow } from '../row';

/** Instruction-fetch fence. Its other fields are reserved and must be ignored. */
export const ZIFENCEI = [
  ['fence.i', 'none', 0x0000100f, { ignored: 0xffff8f80 }],
] as const satisfies readonly BaseRow[];
