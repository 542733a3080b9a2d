import type { DecodedInsn } from './decode';

/**
 * Whether a compressed instruction is a HINT (Unprivileged ISA, "RVC HINT Instructions"): it computes into zero, or adds
 * or shifts by nothing. It executes as a nop; assemblers never choose it, and disassemblers show its compressed form
 * because the expansion would hide what it is.
 */
export function isCompressedHint({ spec, base, rd, rs1, imm }: DecodedInsn): boolean {
  if (spec.size !== 2) return false;
  const shift = base.format === 'shift6';
  const computes = shift || base.format === 'i' || base.format === 'r' || base.format === 'u';
  if (!computes) return false;
  if (rd === 0) return spec.mnemonic !== 'c.nop' || imm !== 0;
  return imm === 0 && (shift || (base.mnemonic === 'addi' && rd === rs1));
}
