import type { DecodedInsn } from '../../engine/rv64/decode';

/** What an instruction does to memory, at register rs1 + imm. */
export interface MemoryAccess {
  /** Bytes */
  readonly size: 1 | 2 | 4 | 8;
  /** rd receives what was in memory. */
  readonly loads: boolean;
  /** Memory is written: always by stores and AMOs, if it succeeds by sc. */
  readonly stores: boolean;
}

const SIZES = { b: 1, h: 2, w: 4, d: 8 } as const;

/** The access of a load, store, AMO, lr or sc; undefined for other instructions. */
export function memoryAccess({ base }: DecodedInsn): MemoryAccess | undefined {
  const [, kind = '', width] = /^(l|s|lr\.|sc\.|amo\w+\.)([bhwd])u?$/.exec(base.mnemonic) ?? [];
  if (width !== 'b' && width !== 'h' && width !== 'w' && width !== 'd') return undefined;
  const amo = kind.startsWith('amo');
  return {
    size: SIZES[width],
    loads: kind === 'l' || kind === 'lr.' || amo,
    stores: kind === 's' || kind === 'sc.' || amo,
  };
}
