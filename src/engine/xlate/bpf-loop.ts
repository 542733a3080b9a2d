import { BPF_ALU_OP, BPF_JMP_OP, BPF_SIZE, CALL, type BpfInsn } from '../bpf/insn';
import { roundUp } from '../base/u64';
import type { Code, Patch } from './code';
import { alu64Imm, callFunction, jump, jumpImm, jumpReg, ldx, mov32Imm, mov64Reg, stx } from './emit';
import { HELPER } from './verify/helper-protos';

/** BPF_MAX_LOOPS */
const MAX_LOOPS = 8 * 1024 * 1024;
const E2BIG = 7;
const FP = 10;
/** Where in the patch the callback is called. */
const CALL_AT = 12;

/** r6, r7 and r8 are saved at `base` from the frame pointer, then count the rounds (inline_bpf_loop). */
function loopInsns(base: number): BpfInsn[] {
  const [limit, index, context] = [6, 7, 8];
  const saved = [limit, index, context];
  return [
    jumpImm(BPF_JMP_OP.JLE, 1, MAX_LOOPS, 2),
    mov32Imm(0, -E2BIG),
    jump(16),
    ...saved.map((reg, i) => stx(BPF_SIZE.DW, FP, reg, base + 8 * i)),
    mov64Reg(limit, 1),
    mov32Imm(index, 0),
    mov64Reg(context, 3),
    jumpReg(BPF_JMP_OP.JGE, index, limit, 5),
    mov64Reg(1, index),
    mov64Reg(2, context),
    callFunction(0),
    alu64Imm(BPF_ALU_OP.ADD, index, 1),
    jumpImm(BPF_JMP_OP.JEQ, 0, 0, -6),
    mov64Reg(0, index),
    ...saved.map((reg, i) => ldx(BPF_SIZE.DW, reg, FP, base + 8 * i)),
  ];
}

/**
 * Calls of bpf_loop with one known callback and flags 0 become loops with bpf2bpf calls (spec 9.8, optimize_bpf_loop). The
 * functions' stacks grow by the saved registers.
 */
export function inlineBpfLoops(code: Code): void {
  const extra = new Map<number, number>();
  const patches = new Map<number, Patch>();
  code.slots.forEach(({ insn, facts }, i) => {
    if (insn.code !== CALL || insn.src !== 0 || insn.imm !== HELPER.LOOP || facts.loop?.inlinable !== true)
      return;
    const index = code.functionAt(i);
    const { stackDepth } = code.functions[index]!;
    const grows = roundUp(stackDepth, 8) - stackDepth + 3 * 8;
    extra.set(index, grows);
    const target = code.functions[facts.loop.callback]!.start;
    const insns = loopInsns(-(stackDepth + grows)).map((made, k) =>
      k === CALL_AT ? { insn: made, target } : made,
    );
    patches.set(i, { insns, rule: 'bpf-loop-inline' });
  });
  code.apply(patches);
  for (const [index, bytes] of extra) code.functions[index]!.stackDepth += bytes;
}
