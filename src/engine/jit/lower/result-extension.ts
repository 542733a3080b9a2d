import { BPF_ALU_OP, BPF_CLASS, BPF_SRC } from '../../bpf/insn';
import type { JitContext } from '../context';
import { emitSextw, emitZextw } from '../extend';
import type { UnitCode } from '../unit-code';

const MOV32_X = BPF_CLASS.ALU | BPF_ALU_OP.MOV | BPF_SRC.X;

/** `insn_is_zext`: the move with imm = 1 that the verifier inserts behind 32-bit results (spec 9.6). */
export function isExplicitZext(code: UnitCode, i: number): boolean {
  return code.opcode(i) === MOV32_X && code.imm(i) === 1;
}

/**
 * Zero-extends the 32-bit result that slot `i` left in `rd`, unless the verifier has seen to it (`verifier_zext`).
 * @param explicit the extension was asked for by an instruction of its own
 */
export function extendResult(ctx: JitContext, i: number, rd: number, explicit = false): void {
  if (ctx.unit.verifierZext && !explicit) return;
  ctx.e.rule(explicit ? 'alu/explicit-zero-extend' : 'alu/zero-extend');
  switch (seededExtension(ctx, i)) {
    case 'none':
      return;
    case 'sign':
      emitSextw(ctx.e, rd, rd);
      return;
    case 'zero':
      emitZextw(ctx.e, rd, rd);
  }
}

/** What two past bugs made of the extension behind an operation; the right answer is always 'zero'. */
function seededExtension(ctx: JitContext, i: number): 'none' | 'sign' | 'zero' {
  const opcode = ctx.unit.code.opcode(i);
  if ((opcode & 7) !== BPF_CLASS.ALU) return 'zero';
  switch (opcode & 0xf0) {
    case BPF_ALU_OP.AND:
    case BPF_ALU_OP.OR:
    case BPF_ALU_OP.XOR:
      return ctx.faults['alu32-logic-keeps-upper'] ? 'none' : 'zero';
    case BPF_ALU_OP.ADD:
    case BPF_ALU_OP.SUB:
    case BPF_ALU_OP.NEG:
    case BPF_ALU_OP.LSH:
    case BPF_ALU_OP.RSH:
    case BPF_ALU_OP.ARSH:
      return ctx.faults['alu32-sign-extends'] ? 'sign' : 'zero';
    default:
      return 'zero';
  }
}
