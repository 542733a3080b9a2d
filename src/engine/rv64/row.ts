import type { Format, Operand } from './formats';

/** What a row of the table may add to mnemonic, format and opcode bits. */
export interface RowOptions {
  /**
   * Bits of the word that are neither operand nor opcode: decoders ignore them, encoders write what `match` says.
   * The manual asks for this in the fence instructions.
   */
  readonly ignored?: number;
  /**
   * Values of operands with which the encoding is reserved or is another instruction. Such words do not decode to
   * this instruction and the encoder refuses them.
   */
  readonly never?: { readonly [operand in Operand]?: number };
}

/** A base instruction: mnemonic, format, and the word with all operands zero. */
export type BaseRow = readonly [mnemonic: string, format: Format, match: number, options?: RowOptions];

/**
 * A compressed instruction: as a base row with the halfword, and what it means: the base instruction as assembly, where
 * rd, rs1, rs2 and imm stand for the operands of the compressed one.
 */
export type CompressedRow = readonly [
  mnemonic: string,
  format: Format,
  match: number,
  expansion: string,
  options?: RowOptions,
];
