import { unreachable } from '../base/errors';
import { s64, u32, u64 } from '../base/u64';
import type { AluName, BranchName } from './table';

/**
 * The result of an ALU operation (ISA "Arithmetic instructions"): `a op b` on the low `width` bits, 32-bit results zero-extended.
 * Division by zero gives 0, modulo by zero leaves `a` (its low 32 bits in 32-bit operations); `signed` chooses sdiv and smod, of
 * which the smallest number by -1 wraps. Shift amounts count modulo the width.
 * @param a, b unsigned 64-bit values
 */
export function aluResult(op: AluName, width: 32 | 64, a: bigint, b: bigint, signed = false): bigint {
  const cut = (value: bigint): bigint => BigInt.asUintN(width, value);
  const wide = (value: bigint): bigint => BigInt.asIntN(width, value);
  const shift = BigInt.asUintN(width === 64 ? 6 : 5, b);
  switch (op) {
    case 'add':
      return cut(a + b);
    case 'sub':
      return cut(a - b);
    case 'mul':
      return cut(a * b);
    case 'div':
      if (cut(b) === 0n) return 0n;
      return cut(signed ? wide(a) / wide(b) : cut(a) / cut(b));
    case 'mod':
      if (cut(b) === 0n) return cut(a);
      return cut(signed ? wide(a) % wide(b) : cut(a) % cut(b));
    case 'or':
      return cut(a | b);
    case 'and':
      return cut(a & b);
    case 'xor':
      return cut(a ^ b);
    case 'lsh':
      return cut(a << shift);
    case 'rsh':
      return cut(a) >> shift;
    case 'arsh':
      return cut(wide(a) >> shift);
    case 'neg':
      return cut(-a);
    case 'mov':
      return cut(b);
    default:
      return unreachable(op);
  }
}

/** Whether the jump is taken: `a op b` on the low `width` bits; the `s` comparisons are signed, `set` tests common bits. */
export function branchTaken(op: BranchName, width: 32 | 64, a: bigint, b: bigint): boolean {
  const ua = BigInt.asUintN(width, a);
  const ub = BigInt.asUintN(width, b);
  const sa = BigInt.asIntN(width, a);
  const sb = BigInt.asIntN(width, b);
  switch (op) {
    case 'eq':
      return ua === ub;
    case 'ne':
      return ua !== ub;
    case 'gt':
      return ua > ub;
    case 'ge':
      return ua >= ub;
    case 'lt':
      return ua < ub;
    case 'le':
      return ua <= ub;
    case 'set':
      return (ua & ub) !== 0n;
    case 'sgt':
      return sa > sb;
    case 'sge':
      return sa >= sb;
    case 'slt':
      return sa < sb;
    case 'sle':
      return sa <= sb;
    default:
      return unreachable(op);
  }
}

/** The low `bits` (16, 32 or 64) of a value with their bytes reversed (`swap`) or not, zero-extended. */
export function byteOrder(value: bigint, bits: number, swap: boolean): bigint {
  const low = BigInt.asUintN(bits, value);
  if (!swap) return low;
  let result = 0n;
  for (let i = 0; i < bits; i += 8) result = (result << 8n) | ((low >> BigInt(i)) & 0xffn);
  return result;
}

/** A register move: sign extension from 8, 16 or 32 bits (`bits`, 0 for none), then the 32-bit form cuts. */
export function moved(width: 32 | 64, value: bigint, bits: number): bigint {
  const extended = bits === 0 ? value : BigInt.asIntN(bits, value);
  return width === 32 ? u32(extended) : u64(extended);
}

/** The low `bytes` bytes of a loaded value, sign- or zero-extended to 64 bits. */
export function extended(value: bigint, bytes: number, signed: boolean): bigint {
  return signed ? u64(BigInt.asIntN(bytes * 8, value)) : BigInt.asUintN(bytes * 8, value);
}

/** An immediate as an operand: sign-extended to 64 bits. */
export const immediate = (imm: number): bigint => u64(s64(BigInt(imm)));
