import { BPF_ALU_OP, BPF_CLASS, BPF_SRC } from '../../bpf/insn';
import { enc } from '../../rv64/encode';
import type { JitContext } from '../context';
import { emitSextb, emitSexth, emitSextw, emitZexth, emitZextw } from '../extend';
import { isSimm12 } from '../emit';
import { emitImm32 } from '../load-immediate';
import { RV } from '../registers';
import { emitBswap } from './byte-swap';
import { emitCastUser, emitPerCpuAddress, isCastUser, isPerCpuMove } from './address-moves';
import { extendResult, isExplicitZext } from './result-extension';

/** Classes ALU (32-bit) and ALU64: spec 6.4. Opcode 0xS4 or 0xS7, S = operation and source. */
export function lowerAlu(ctx: JitContext, i: number): number {
  const { code } = ctx.unit;
  const opcode = code.opcode(i);
  const rd = ctx.register(code.dst(i));
  const rs = ctx.register(code.src(i));
  const is64 = (opcode & 7) === BPF_CLASS.ALU64;
  const op = opcode & 0xf0;

  switch (op) {
    case BPF_ALU_OP.MOV:
      if ((opcode & BPF_SRC.X) !== 0) lowerMove(ctx, i, rd, rs, is64);
      else lowerConstant(ctx, i, rd, is64);
      return 0;
    case BPF_ALU_OP.END:
      lowerByteOrder(ctx, i, rd, opcode);
      return 0;
    case BPF_ALU_OP.NEG:
      if ((opcode & BPF_SRC.X) !== 0)
        throw ctx.error('jit/opcode', i, 'unknown opcode; negation takes no source.');
      ctx.e.rule('alu/negate');
      ctx.e.emit(enc.sub(rd, RV.zero, rd));
      break;
    default:
      if ((opcode & BPF_SRC.X) !== 0) emitRegisterForm(ctx, i, op, rd, rs, is64);
      else emitConstantForm(ctx, i, op, rd, is64);
  }
  if (!is64) extendResult(ctx, i, rd);
  return 0;
}

/** MOV X: also the explicit zero extension, MOVSX, and the two moves that stand for address arithmetic. */
function lowerMove(ctx: JitContext, i: number, rd: number, rs: number, is64: boolean): void {
  const { e, unit } = ctx;
  const { code } = unit;
  if (isCastUser(unit, i)) {
    emitCastUser(ctx, rd, rs);
    return;
  }
  if (isPerCpuMove(unit, i)) {
    emitPerCpuAddress(ctx, rd, rs);
    return;
  }
  if (isExplicitZext(code, i)) {
    extendResult(ctx, i - 1, rd, true);
    return;
  }
  const width = code.off(i);
  switch (width) {
    case 0:
      e.rule('alu/move');
      e.mv(rd, rs);
      break;
    case 8:
    case 16:
      e.rule('alu/sign-extending-move');
      if (!unit.facts.movsxByExtension) {
        e.slli(RV.t1, rs, 64 - width);
        e.srai(rd, RV.t1, 64 - width);
      } else if (width === 8) {
        emitSextb(e, rd, rs);
      } else {
        emitSexth(e, rd, rs);
      }
      break;
    case 32:
      if (!is64)
        throw ctx.error('jit/opcode', i, 'a 32-bit move extends from 8 or 16 bits; use r registers for 32.');
      e.rule('alu/sign-extending-move');
      emitSextw(e, rd, rs);
      break;
    default:
      throw ctx.error('jit/opcode', i, `a move has off 0, or 8, 16 or 32 to sign-extend, not ${width}.`);
  }
  if (!is64) extendResult(ctx, i, rd);
}

function lowerConstant(ctx: JitContext, i: number, rd: number, is64: boolean): void {
  ctx.e.rule('alu/constant');
  emitImm32(ctx.e, rd, ctx.unit.code.imm(i));
  if (!is64) extendResult(ctx, i, rd);
}

/** END (0xd4 to little endian, 0xdc to big endian) and BSWAP (0xd7); imm is the width in bits. */
function lowerByteOrder(ctx: JitContext, i: number, rd: number, opcode: number): void {
  const { e, unit } = ctx;
  const bits = unit.code.imm(i);
  if (bits !== 16 && bits !== 32 && bits !== 64) {
    throw ctx.error('jit/opcode', i, `byte order is changed on 16, 32 or 64 bits, not ${bits}.`);
  }
  e.rule('alu/byte-order');
  if (
    opcode === (BPF_CLASS.ALU | BPF_ALU_OP.END | BPF_SRC.X) ||
    opcode === (BPF_CLASS.ALU64 | BPF_ALU_OP.END)
  ) {
    emitBswap(e, rd, bits);
  } else if (opcode === (BPF_CLASS.ALU | BPF_ALU_OP.END)) {
    // The machine is little-endian: only the truncation is left.
    if (bits === 16) emitZexth(e, rd, rd);
    else if (bits === 32 && !unit.verifierZext) emitZextw(e, rd, rd);
  } else {
    throw ctx.error('jit/opcode', i, 'no such byte order instruction; BSWAP has opcode 0xd7.');
  }
}

/** A division or remainder with off = 1 is signed. */
function isSigned(ctx: JitContext, i: number): boolean {
  const off = ctx.unit.code.off(i);
  if (off !== 0 && off !== 1)
    throw ctx.error('jit/opcode', i, `a division has off 0, or 1 for signed, not ${off}.`);
  return off === 1;
}

/** rd = rd op rs */
function emitRegisterForm(
  ctx: JitContext,
  i: number,
  op: number,
  rd: number,
  rs: number,
  is64: boolean,
): void {
  const { e } = ctx;
  e.rule('alu/arithmetic');
  switch (op) {
    case BPF_ALU_OP.ADD:
      e.add(rd, rd, rs); // also for 32 bits: the extension follows
      break;
    case BPF_ALU_OP.SUB:
      if (is64) e.sub(rd, rd, rs);
      else e.subw(rd, rd, rs);
      break;
    case BPF_ALU_OP.AND:
      e.and(rd, rd, rs);
      break;
    case BPF_ALU_OP.OR:
      e.or(rd, rd, rs);
      break;
    case BPF_ALU_OP.XOR:
      e.xor(rd, rd, rs);
      break;
    case BPF_ALU_OP.MUL:
      e.emit(is64 ? enc.mul(rd, rd, rs) : enc.mulw(rd, rd, rs));
      break;
    case BPF_ALU_OP.DIV:
      if (isSigned(ctx, i)) e.emit(is64 ? enc.div(rd, rd, rs) : enc.divw(rd, rd, rs));
      else e.emit(is64 ? enc.divu(rd, rd, rs) : enc.divuw(rd, rd, rs));
      break;
    case BPF_ALU_OP.MOD:
      if (isSigned(ctx, i)) e.emit(is64 ? enc.rem(rd, rd, rs) : enc.remw(rd, rd, rs));
      else e.emit(is64 ? enc.remu(rd, rd, rs) : enc.remuw(rd, rd, rs));
      break;
    case BPF_ALU_OP.LSH:
      e.emit(is64 ? enc.sll(rd, rd, rs) : enc.sllw(rd, rd, rs));
      break;
    case BPF_ALU_OP.RSH:
      e.emit(is64 ? enc.srl(rd, rd, rs) : enc.srlw(rd, rd, rs));
      break;
    case BPF_ALU_OP.ARSH:
      e.emit(is64 ? enc.sra(rd, rd, rs) : enc.sraw(rd, rd, rs));
      break;
    default:
      throw ctx.error('jit/opcode', i, 'unknown opcode; the RV64 JIT has no code for it.');
  }
}

/** rd = rd op imm; a constant that fits no immediate goes through t1. */
function emitConstantForm(ctx: JitContext, i: number, op: number, rd: number, is64: boolean): void {
  const { e } = ctx;
  const imm = ctx.unit.code.imm(i);
  switch (op) {
    case BPF_ALU_OP.ADD:
    case BPF_ALU_OP.SUB: {
      const addend = op === BPF_ALU_OP.ADD ? imm : -imm;
      if (isSimm12(addend)) {
        e.rule('alu/arithmetic');
        e.addi(rd, rd, addend);
      } else {
        loadConstant(ctx, imm);
        if (op === BPF_ALU_OP.ADD) e.add(rd, rd, RV.t1);
        else e.sub(rd, rd, RV.t1);
      }
      break;
    }
    case BPF_ALU_OP.AND:
    case BPF_ALU_OP.OR:
    case BPF_ALU_OP.XOR:
      if (isSimm12(imm)) {
        e.rule('alu/arithmetic');
        if (op === BPF_ALU_OP.AND) e.andi(rd, rd, imm);
        else e.emit(op === BPF_ALU_OP.OR ? enc.ori(rd, rd, imm) : enc.xori(rd, rd, imm));
      } else {
        loadConstant(ctx, imm);
        emitRegisterForm(ctx, i, op, rd, RV.t1, is64);
      }
      break;
    case BPF_ALU_OP.MUL:
    case BPF_ALU_OP.DIV:
    case BPF_ALU_OP.MOD:
      loadConstant(ctx, imm);
      emitRegisterForm(ctx, i, op, rd, RV.t1, is64);
      break;
    case BPF_ALU_OP.LSH:
      // The 64-bit shift serves both classes: what it pushes into the upper half is extended away.
      e.rule('alu/arithmetic');
      e.slli(rd, rd, shiftAmount(ctx, i, imm, is64));
      break;
    case BPF_ALU_OP.RSH:
      e.rule('alu/arithmetic');
      if (is64) e.srli(rd, rd, shiftAmount(ctx, i, imm, is64));
      else e.emit(enc.srliw(rd, rd, shiftAmount(ctx, i, imm, is64)));
      break;
    case BPF_ALU_OP.ARSH:
      e.rule('alu/arithmetic');
      if (is64) e.srai(rd, rd, shiftAmount(ctx, i, imm, is64));
      else e.emit(enc.sraiw(rd, rd, shiftAmount(ctx, i, imm, is64)));
      break;
    default:
      throw ctx.error('jit/opcode', i, 'unknown opcode; the RV64 JIT has no code for it.');
  }
}

function loadConstant(ctx: JitContext, imm: number): void {
  ctx.e.rule('immediate/load');
  emitImm32(ctx.e, RV.t1, imm);
  ctx.e.rule('alu/arithmetic');
}

function shiftAmount(ctx: JitContext, i: number, imm: number, is64: boolean): number {
  if (imm >= 0 && imm < (is64 ? 64 : 32)) return imm;
  throw ctx.error('jit/shift', i, `the shift amount must be 0 to ${is64 ? 63 : 31}, not ${imm}.`);
}
