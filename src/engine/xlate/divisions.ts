import { BPF_ALU_OP, BPF_CLASS, BPF_JMP_OP, BPF_SRC, type BpfInsn } from '../bpf/insn';
import type { XlateFacts } from '../profile/xlate-facts';
import { alu32Reg, jump, jumpImm, jump32Imm, mov32Imm, mov32Reg } from './emit';
import { insnClass, insnOp } from './verify/liveness';

/** `rule` of the patches of this file. */
export const DIVISION_RULE = 'div-by-zero';

/**
 * What a division or modulo by a register (or a signed one by -1) becomes, so that zero divides to 0 and leaves the dividend
 * as remainder, and the least number by -1 does not trap (spec 9.4, do_misc_fixups). undefined: stays as it is.
 */
export function guardDivision(insn: BpfInsn, facts: XlateFacts): BpfInsn[] | undefined {
  const group = insnClass(insn.code);
  const op = insnOp(insn.code);
  if (
    (group !== BPF_CLASS.ALU && group !== BPF_CLASS.ALU64) ||
    (op !== BPF_ALU_OP.DIV && op !== BPF_ALU_OP.MOD)
  )
    return undefined;
  const wide = group === BPF_CLASS.ALU64;
  const signed = insn.off === 1;
  const divides = op === BPF_ALU_OP.DIV;
  if ((insn.code & BPF_SRC.X) === 0) {
    if (!signed || insn.imm !== -1 || !facts.signedDivisionPatched) return undefined;
    return [divides ? negate(group, insn.dst) : mov32Imm(insn.dst, 0)];
  }
  if (signed && facts.signedDivisionPatched)
    return divides ? signedDivision(insn, wide, facts) : signedModulo(insn, wide, facts);
  return divides ? unsignedDivision(insn, wide) : unsignedModulo(insn, wide);
}

const negate = (group: number, reg: number): BpfInsn => ({
  code: group | BPF_ALU_OP.NEG,
  dst: reg,
  src: 0,
  off: 0,
  imm: 0,
});

/** A jump of the division's width. */
const branch = (wide: boolean, op: 0x10 | 0x20 | 0x50, reg: number, imm: number, off: number): BpfInsn =>
  wide ? jumpImm(op, reg, imm, off) : jump32Imm(op, reg, imm, off);

function unsignedDivision(insn: BpfInsn, wide: boolean): BpfInsn[] {
  return [
    branch(wide, BPF_JMP_OP.JNE, insn.src, 0, 2),
    alu32Reg(BPF_ALU_OP.XOR, insn.dst, insn.dst),
    jump(1),
    insn,
  ];
}

function unsignedModulo(insn: BpfInsn, wide: boolean): BpfInsn[] {
  const skip = branch(wide, BPF_JMP_OP.JEQ, insn.src, 0, wide ? 1 : 2);
  // the dividend that is left must be zero-extended as the result of a 32-bit operation
  return wide ? [skip, insn] : [skip, insn, jump(1), mov32Reg(insn.dst, insn.dst)];
}

/** AX = divisor + 1, so that 0 and -1 are the unsigned numbers 1 and 0. */
function successor(insn: BpfInsn, wide: boolean, ax: number): BpfInsn[] {
  const group = wide ? BPF_CLASS.ALU64 : BPF_CLASS.ALU;
  return [
    { code: BPF_CLASS.ALU64 | BPF_ALU_OP.MOV | BPF_SRC.X, dst: ax, src: insn.src, off: 0, imm: 0 },
    { code: group | BPF_ALU_OP.ADD, dst: ax, src: 0, off: 0, imm: 1 },
  ];
}

function signedDivision(insn: BpfInsn, wide: boolean, facts: XlateFacts): BpfInsn[] {
  const ax = facts.axRegister;
  const group = wide ? BPF_CLASS.ALU64 : BPF_CLASS.ALU;
  return [
    ...successor(insn, wide, ax),
    branch(wide, BPF_JMP_OP.JGT, ax, 1, 4),
    branch(wide, BPF_JMP_OP.JEQ, ax, 0, 1),
    { code: group | BPF_ALU_OP.MOV, dst: insn.dst, src: 0, off: 0, imm: 0 },
    negate(group, insn.dst),
    jump(1),
    insn,
  ];
}

function signedModulo(insn: BpfInsn, wide: boolean, facts: XlateFacts): BpfInsn[] {
  const ax = facts.axRegister;
  const guarded = [
    ...successor(insn, wide, ax),
    branch(wide, BPF_JMP_OP.JGT, ax, 1, 3),
    branch(wide, BPF_JMP_OP.JEQ, ax, 1, wide ? 3 : 4),
    mov32Imm(insn.dst, 0),
    jump(1),
    insn,
  ];
  return wide ? guarded : [...guarded, jump(1), mov32Reg(insn.dst, insn.dst)];
}
