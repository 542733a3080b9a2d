import { BPF_ALU_OP, BPF_CLASS, BPF_JMP_OP, BPF_SRC } from '../../src/engine/bpf/insn';
import { ALU_OPS } from '../../src/engine/bpf/table';
import type { FunctionWriter } from './function-writer';

const MOV = BPF_ALU_OP.MOV;
const { X, K } = BPF_SRC;

/** Operations of two operands, all but division and moves. */
const BINARY = ALU_OPS.filter(({ op }) => op !== 'div' && op !== 'mod' && op !== 'mov');

/** An arithmetic statement. */
export function arithmetic(w: FunctionWriter): void {
  const kind = w.random.below(16);
  if (kind < 8) return binary(w);
  if (kind < 10) return division(w);
  if (kind < 12) return movement(w);
  if (kind < 13) return signExtendingMove(w);
  if (kind < 14) return negation(w);
  if (kind < 15) return byteOrder(w);
  return w.constant(w.target());
}

const aluClass = (wide: boolean): number => (wide ? BPF_CLASS.ALU64 : BPF_CLASS.ALU);

/** What a result of that width is behind the instruction. */
function defined(w: FunctionWriter, register: number, wide: boolean): void {
  if (wide) w.registers.set(register, 'clean');
  else w.defined32(register);
}

function binary(w: FunctionWriter): void {
  const wide = w.chance(2);
  const { op, bits } = w.random.pick(BINARY);
  const least = wide ? 'clean' : 'dirty';
  const dst = w.number(least);
  if (w.chance(2)) {
    const shift = op === 'lsh' || op === 'rsh' || op === 'arsh';
    const imm = shift ? w.random.below(wide ? 64 : 32) : w.immediate();
    w.code.emit(aluClass(wide) | bits | K, dst, 0, 0, imm);
  } else {
    w.code.emit(aluClass(wide) | bits | X, dst, w.number(least));
  }
  defined(w, dst, wide);
}

/** Division and modulo by a register come with the verifier's tests for 0 and -1 around them (spec 9.4). */
function division(w: FunctionWriter): void {
  const wide = w.chance(2);
  const signed = w.chance(2);
  const modulo = w.chance(2);
  const least = wide ? 'clean' : 'dirty';
  const cls = aluClass(wide);
  const op = modulo ? BPF_ALU_OP.MOD : BPF_ALU_OP.DIV;
  const dst = w.number(least);
  if (w.chance(2)) {
    w.code.emit(cls | op | K, dst, 0, signed ? 1 : 0, w.immediate() || 3);
  } else if (signed) {
    signedDivision(w, wide, modulo, dst, w.number(least));
  } else {
    unsignedDivision(w, wide, modulo, dst, w.number(least));
  }
  defined(w, dst, wide);
}

function unsignedDivision(w: FunctionWriter, wide: boolean, modulo: boolean, dst: number, src: number): void {
  const { code } = w;
  const jump = wide ? BPF_CLASS.JMP : BPF_CLASS.JMP32;
  const last = code.label();
  if (!modulo) {
    const divide = code.label();
    code.jump(jump | BPF_JMP_OP.JNE, src, 0, 0, divide);
    code.emit(BPF_CLASS.ALU | BPF_ALU_OP.XOR | X, dst, dst);
    code.goto(last);
    code.place(divide);
    code.emit(aluClass(wide) | BPF_ALU_OP.DIV | X, dst, src);
  } else {
    const copy = wide ? last : code.label();
    code.jump(jump | BPF_JMP_OP.JEQ, src, 0, 0, copy);
    code.emit(aluClass(wide) | BPF_ALU_OP.MOD | X, dst, src);
    if (!wide) {
      code.goto(last);
      code.place(copy);
      code.emit(BPF_CLASS.ALU | MOV | X, dst, dst);
    }
  }
  code.place(last);
}

function signedDivision(w: FunctionWriter, wide: boolean, modulo: boolean, dst: number, src: number): void {
  const { code } = w;
  const ax = w.can.axRegister;
  const jump = wide ? BPF_CLASS.JMP : BPF_CLASS.JMP32;
  const operation = code.label();
  const last = code.label();
  code.emit(BPF_CLASS.ALU64 | MOV | X, ax, src);
  code.emit(aluClass(wide) | BPF_ALU_OP.ADD | K, ax, 0, 0, 1);
  code.jump(jump | BPF_JMP_OP.JGT, ax, 0, 1, operation);
  if (!modulo) {
    const negate = code.label();
    code.jump(jump | BPF_JMP_OP.JEQ, ax, 0, 0, negate);
    code.emit(aluClass(wide) | MOV | K, dst);
    code.place(negate);
    code.emit(aluClass(wide) | BPF_ALU_OP.NEG | K, dst);
    code.goto(last);
    code.place(operation);
    code.emit(aluClass(wide) | BPF_ALU_OP.DIV | X, dst, src, 1);
  } else {
    const copy = wide ? last : code.label();
    code.jump(jump | BPF_JMP_OP.JEQ, ax, 0, 1, copy);
    code.emit(BPF_CLASS.ALU | MOV | K, dst);
    code.goto(last);
    code.place(operation);
    code.emit(aluClass(wide) | BPF_ALU_OP.MOD | X, dst, src, 1);
    if (!wide) {
      code.goto(last);
      code.place(copy);
      code.emit(BPF_CLASS.ALU | MOV | X, dst, dst);
    }
  }
  code.place(last);
}

function movement(w: FunctionWriter): void {
  const wide = w.chance(2);
  const dst = w.target();
  if (w.chance(2)) {
    w.code.emit(aluClass(wide) | MOV | K, dst, 0, 0, w.immediate());
  } else {
    w.code.emit(aluClass(wide) | MOV | X, dst, w.number(wide ? 'clean' : 'dirty'));
  }
  defined(w, dst, wide);
}

function signExtendingMove(w: FunctionWriter): void {
  const wide = w.chance(2);
  const dst = w.target();
  const bits = w.random.pick(wide ? [8, 16, 32] : [8, 16]);
  w.code.emit(aluClass(wide) | MOV | X, dst, w.number('dirty'), bits);
  defined(w, dst, wide);
}

function negation(w: FunctionWriter): void {
  const wide = w.chance(2);
  const dst = w.number(wide ? 'clean' : 'dirty');
  w.code.emit(aluClass(wide) | BPF_ALU_OP.NEG, dst);
  defined(w, dst, wide);
}

function byteOrder(w: FunctionWriter): void {
  const bits = w.random.pick([16, 32, 64]);
  const code = w.random.pick([
    BPF_CLASS.ALU | BPF_ALU_OP.END | K,
    BPF_CLASS.ALU | BPF_ALU_OP.END | X,
    BPF_CLASS.ALU64 | BPF_ALU_OP.END | K,
  ]);
  const dst = w.number(bits === 64 ? 'clean' : 'dirty');
  w.code.emit(code, dst, 0, 0, bits);
  // 64-bit definitions to the verifier: all of bswap, and the others at 64 bits (is_reg64).
  defined(w, dst, bits === 64 || (code & 7) === BPF_CLASS.ALU64);
}
