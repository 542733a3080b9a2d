import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_SIZE,
  BPF_SRC,
  CALL,
  EXIT,
  LD_IMM64,
  type BpfInsn,
} from '../bpf/insn';

/** Short constructors for the instructions that rewrites insert, named as the kernel's BPF_… macros in include/linux/filter.h. */

const raw = (code: number, dst: number, src: number, off: number, imm: number): BpfInsn => ({
  code,
  dst,
  src,
  off,
  imm,
});
type Alu = (typeof BPF_ALU_OP)[keyof typeof BPF_ALU_OP];
type Jump = (typeof BPF_JMP_OP)[keyof typeof BPF_JMP_OP];
type Size = (typeof BPF_SIZE)[keyof typeof BPF_SIZE];

export const alu64Reg = (op: Alu, dst: number, src: number): BpfInsn =>
  raw(BPF_CLASS.ALU64 | op | BPF_SRC.X, dst, src, 0, 0);
export const alu64Imm = (op: Alu, dst: number, imm: number): BpfInsn =>
  raw(BPF_CLASS.ALU64 | op, dst, 0, 0, imm);
export const alu32Reg = (op: Alu, dst: number, src: number): BpfInsn =>
  raw(BPF_CLASS.ALU | op | BPF_SRC.X, dst, src, 0, 0);
export const alu32Imm = (op: Alu, dst: number, imm: number): BpfInsn =>
  raw(BPF_CLASS.ALU | op, dst, 0, 0, imm);
export const mov64Reg = (dst: number, src: number): BpfInsn => alu64Reg(BPF_ALU_OP.MOV, dst, src);
export const mov64Imm = (dst: number, imm: number): BpfInsn => alu64Imm(BPF_ALU_OP.MOV, dst, imm);
export const mov32Reg = (dst: number, src: number): BpfInsn => alu32Reg(BPF_ALU_OP.MOV, dst, src);
export const mov32Imm = (dst: number, imm: number): BpfInsn => alu32Imm(BPF_ALU_OP.MOV, dst, imm);
/** `r = (s<bits>)r` */
export const movsx64 = (dst: number, src: number, bits: number): BpfInsn => ({
  ...mov64Reg(dst, src),
  off: bits,
});
/** The marked move that clears the upper half (BPF_ZEXT_REG). */
export const zext = (reg: number): BpfInsn => ({ ...mov32Reg(reg, reg), imm: 1 });
/** Adds this CPU's offset to a per-cpu address (BPF_MOV64_PERCPU_REG). */
export const perCpu = (dst: number, src: number): BpfInsn => ({ ...mov64Reg(dst, src), off: -1 });

export const jump = (off: number): BpfInsn => raw(BPF_CLASS.JMP | BPF_JMP_OP.JA, 0, 0, off, 0);
export const jumpImm = (op: Jump, dst: number, imm: number, off: number): BpfInsn =>
  raw(BPF_CLASS.JMP | op, dst, 0, off, imm);
export const jumpReg = (op: Jump, dst: number, src: number, off: number): BpfInsn =>
  raw(BPF_CLASS.JMP | op | BPF_SRC.X, dst, src, off, 0);
export const jump32Imm = (op: Jump, dst: number, imm: number, off: number): BpfInsn =>
  raw(BPF_CLASS.JMP32 | op, dst, 0, off, imm);
export const jump32Reg = (op: Jump, dst: number, src: number, off: number): BpfInsn =>
  raw(BPF_CLASS.JMP32 | op | BPF_SRC.X, dst, src, off, 0);
export const call = (imm: number): BpfInsn => raw(CALL, 0, 0, 0, imm);
/** A call of the function that starts `distance` slots behind the next one. */
export const callFunction = (distance: number): BpfInsn => raw(CALL, 0, 1, 0, distance);
export const exit = (): BpfInsn => raw(EXIT, 0, 0, 0, 0);

export const ldx = (size: Size, dst: number, src: number, off: number): BpfInsn =>
  raw(BPF_CLASS.LDX | size | BPF_MODE.MEM, dst, src, off, 0);
export const stx = (size: Size, dst: number, src: number, off: number): BpfInsn =>
  raw(BPF_CLASS.STX | size | BPF_MODE.MEM, dst, src, off, 0);
export const st = (size: Size, dst: number, off: number, imm: number): BpfInsn =>
  raw(BPF_CLASS.ST | size | BPF_MODE.MEM, dst, 0, off, imm);
export const xchg64 = (dst: number, src: number, off: number): BpfInsn =>
  raw(BPF_CLASS.STX | BPF_SIZE.DW | BPF_MODE.ATOMIC, dst, src, off, BPF_ATOMIC_OP.XCHG);
/** Both slots of a 64-bit load. */
export const ldImm64 = (dst: number, value: bigint): [BpfInsn, BpfInsn] => [
  raw(LD_IMM64, dst, 0, 0, Number(BigInt.asIntN(32, value))),
  raw(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n))),
];
