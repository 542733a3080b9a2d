import { s64 } from '../../base/u64';
import type { Operands } from '../encode';
import type { BaseMnemonic } from '../table';

/** An instruction with all operands known. */
export interface PlainInsn {
  readonly mnemonic: BaseMnemonic;
  readonly operands: Operands;
}

const lowTwelve = (value: bigint): bigint => BigInt.asIntN(12, value);

/**
 * The instructions that load a 64-bit constant into register `rd`: at most eight, without a scratch register. 32-bit
 * values take lui and addiw; longer ones build their upper part first, shift it, and add twelve bits at a time.
 */
export function loadImmediate(rd: number, value: bigint): readonly PlainInsn[] {
  const wanted = s64(value);
  const low = lowTwelve(wanted);
  const imm = Number(low);
  if (wanted === BigInt.asIntN(32, wanted)) {
    const high = Number(BigInt.asUintN(20, (wanted - low) >> 12n));
    if (high === 0) return [{ mnemonic: 'addi', operands: { rd, rs1: 0, imm } }];
    const lui: PlainInsn = { mnemonic: 'lui', operands: { rd, imm: high } };
    return imm === 0 ? [lui] : [lui, { mnemonic: 'addiw', operands: { rd, rs1: rd, imm } }];
  }
  let shift = 12;
  let upper = BigInt.asIntN(52, (wanted - low) >> 12n);
  while ((upper & 1n) === 0n) {
    upper >>= 1n;
    shift++;
  }
  const result: PlainInsn[] = [
    ...loadImmediate(rd, upper),
    { mnemonic: 'slli', operands: { rd, rs1: rd, imm: shift } },
  ];
  if (imm !== 0) result.push({ mnemonic: 'addi', operands: { rd, rs1: rd, imm } });
  return result;
}
