import { BPF_CLASS, BPF_JMP_OP, BPF_SRC } from '../../bpf/insn';
import { enc } from '../../rv64/encode';
import { branchDistance, emitBranch, emitJumpAndLink, type Condition } from '../branch';
import type { JitContext } from '../context';
import { isSimm12 } from '../emit';
import { emitSextw, emitZextw } from '../extend';
import { emitImm32 } from '../load-immediate';
import { RV } from '../registers';
import { lowerCall } from './call';
import { lowerTailCall } from './tail-call';

/** The comparison of each conditional jump by the upper half of its opcode; JSET is made apart. */
const CONDITIONS: Readonly<Record<number, Condition>> = {
  [BPF_JMP_OP.JEQ]: 'jeq',
  [BPF_JMP_OP.JNE]: 'jne',
  [BPF_JMP_OP.JGT]: 'jgt',
  [BPF_JMP_OP.JGE]: 'jge',
  [BPF_JMP_OP.JLT]: 'jlt',
  [BPF_JMP_OP.JLE]: 'jle',
  [BPF_JMP_OP.JSGT]: 'jsgt',
  [BPF_JMP_OP.JSGE]: 'jsge',
  [BPF_JMP_OP.JSLT]: 'jslt',
  [BPF_JMP_OP.JSLE]: 'jsle',
};

const isSignedComparison = (op: number): boolean =>
  op === BPF_JMP_OP.JSGT || op === BPF_JMP_OP.JSGE || op === BPF_JMP_OP.JSLT || op === BPF_JMP_OP.JSLE;

/** Classes JMP and JMP32: jumps, calls, exit (spec 4 to 6.5). */
export function lowerJump(ctx: JitContext, i: number): number {
  const { code } = ctx.unit;
  const opcode = code.opcode(i);
  switch (opcode) {
    case BPF_CLASS.JMP | BPF_JMP_OP.JA:
      ctx.register(code.src(i));
      jumpBy(ctx, i, code.off(i));
      return 0;
    case BPF_CLASS.JMP32 | BPF_JMP_OP.JA:
      ctx.register(code.dst(i));
      ctx.register(code.src(i));
      jumpBy(ctx, i, code.imm(i));
      return 0;
    case BPF_CLASS.JMP | BPF_JMP_OP.CALL:
      ctx.register(code.src(i));
      lowerCall(ctx, i);
      return 0;
    case BPF_CLASS.JMP | BPF_JMP_OP.TAIL_CALL:
      ctx.register(code.src(i));
      lowerTailCall(ctx, i);
      return 0;
    case BPF_CLASS.JMP | BPF_JMP_OP.EXIT:
      ctx.register(code.src(i));
      lowerExit(ctx, i);
      return 0;
    default:
      lowerConditional(ctx, i, opcode);
      return 0;
  }
}

function jumpBy(ctx: JitContext, i: number, off: number): void {
  if (!emitJumpAndLink(ctx.e, RV.zero, branchDistance(ctx, i, off), true, 'jump/always')) {
    throw ctx.error('jit/range', i, 'the jump goes further than 2 GiB.');
  }
}

/** 0x95: the last instruction falls into the epilogue, others jump there. */
function lowerExit(ctx: JitContext, i: number): void {
  if (i === ctx.unit.code.length - 1) return;
  const distance = 2 * (ctx.exitTarget - ctx.e.ninsns);
  if (!emitJumpAndLink(ctx.e, RV.zero, distance, true, 'jump/exit')) {
    throw ctx.error('jit/range', i, 'the epilogue is further than 2 GiB away.');
  }
}

/** Conditional jumps: bring both sides to comparable form, then branch (spec 6.5). */
function lowerConditional(ctx: JitContext, i: number, opcode: number): void {
  const { e } = ctx;
  const { code } = ctx.unit;
  const op = opcode & 0xf0;
  const condition = op === BPF_JMP_OP.JSET ? 'jne' : CONDITIONS[op];
  if (condition === undefined) {
    throw ctx.error(
      'jit/opcode',
      i,
      'unknown opcode; may_goto and conditional pseudo jumps are rewritten before the JIT.',
    );
  }
  const rd = ctx.register(code.dst(i));
  const rs = ctx.register(code.src(i));
  const is64 = (opcode & 7) === BPF_CLASS.JMP;
  const start = e.ninsns;
  const far = branchDistance(ctx, i, code.off(i));
  /** Distance from here: what was emitted for this instruction so far lies behind. */
  const distance = (): number => far - 2 * (e.ninsns - start);

  if ((opcode & BPF_SRC.X) === 0) {
    const imm = code.imm(i);
    if (op === BPF_JMP_OP.JSET) {
      emitTestOfConstant(ctx, rd, imm, is64);
      emitBranch(e, 'jne', RV.t1, RV.zero, distance());
    } else {
      const b = emitConstantOperand(ctx, imm);
      if (!is64) extendForConstant(ctx, rd, imm, isSignedComparison(op));
      emitBranch(e, condition, is64 ? rd : RV.t2, b, distance());
    }
    return;
  }
  if (!is64) extendOperands(ctx, rd, rs, isSignedComparison(op));
  const a = is64 ? rd : RV.t2;
  const b = is64 ? rs : RV.t1;
  if (op === BPF_JMP_OP.JSET) {
    e.rule('branch/test-bits');
    e.emit(enc.and(RV.t1, a, b));
    emitBranch(e, 'jne', RV.t1, RV.zero, distance());
  } else {
    emitBranch(e, condition, a, b, distance());
  }
}

/** The register that holds the constant: x0 for 0, otherwise t1. */
function emitConstantOperand(ctx: JitContext, imm: number): number {
  if (imm === 0) return RV.zero;
  ctx.e.rule('immediate/load');
  emitImm32(ctx.e, RV.t1, imm);
  return RV.t1;
}

/** t2 = rd, t1 = rs, both extended as the 32-bit comparison asks. */
function extendOperands(ctx: JitContext, rd: number, rs: number, signed: boolean): void {
  const { e } = ctx;
  e.rule('branch/extend-operands');
  if (ctx.unit.facts.jmp32ExtendsInPlace) {
    const extend = signed ? emitSextw : emitZextw;
    extend(e, RV.t1, rs);
    extend(e, RV.t2, rd);
  } else if (signed) {
    e.addiw(RV.t2, rd, 0);
    e.addiw(RV.t1, rs, 0);
  } else {
    e.mv(RV.t2, rd);
    emitZextw(e, RV.t2, RV.t2);
    e.mv(RV.t1, rs);
    emitZextw(e, RV.t1, RV.t1);
  }
}

/** t2 = rd extended; t1 holds the sign-extended constant, which an unsigned comparison zero-extends. */
function extendForConstant(ctx: JitContext, rd: number, imm: number, signed: boolean): void {
  const { e } = ctx;
  e.rule('branch/extend-operands');
  if (ctx.unit.facts.jmp32ExtendsInPlace) {
    if (signed) {
      emitSextw(e, RV.t2, rd);
    } else {
      emitZextw(e, RV.t2, rd);
      if (imm !== 0) emitZextw(e, RV.t1, RV.t1);
    }
  } else if (signed) {
    e.addiw(RV.t2, rd, 0);
  } else {
    e.mv(RV.t2, rd);
    emitZextw(e, RV.t2, RV.t2);
    emitZextw(e, RV.t1, RV.t1); // whatever t1 holds when the constant is 0; nothing reads it then
  }
}

/** t1 = rd & imm; a 32-bit test drops what a negative constant lets through from the upper half. */
function emitTestOfConstant(ctx: JitContext, rd: number, imm: number, is64: boolean): void {
  const { e } = ctx;
  if (isSimm12(imm)) {
    e.rule('branch/test-bits');
    e.andi(RV.t1, rd, imm);
  } else {
    e.rule('immediate/load');
    emitImm32(e, RV.t1, imm);
    e.rule('branch/test-bits');
    e.emit(enc.and(RV.t1, rd, RV.t1));
  }
  if (!is64 && imm < 0) emitSextw(e, RV.t1, RV.t1);
}
