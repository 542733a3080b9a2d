import type { BaseRow } from '../row';

/** Control and status registers. */
export const ZICSR = [
  ['csrrw', 'csr', 0x00001073],
  ['csrrs', 'csr', 0x00002073],
  ['csrrc', 'csr', 0x00003073],
  ['csrrwi', 'csri', 0x00005073],
  ['csrrsi', 'csri', 0x00006073],
  ['csrrci', 'csri', 0x00007073],
] as const satisfies readonly BaseRow[];
