import { EngineError } from '../base/errors';
import { BPF_ALU_OP, BPF_CLASS, BPF_JMP_OP, BPF_SIZE, type BpfInsn } from '../bpf/insn';
import type { Code, OutgoingInsn, Patch } from './code';
import { alu64Imm, call, jumpImm, ldx, mov64Imm, st, stx } from './emit';
import { symbolOffset, type Rewrite } from './rewrite';

/** BPF_MAX_LOOPS and BPF_MAX_TIMED_LOOPS: rounds before a loop with may_goto ends. */
const MAX_LOOPS = 8 * 1024 * 1024;
const MAX_TIMED_LOOPS = 0xffff;
const FP = 10;

/** Whether an instruction is may_goto (BPF_JCOND). */
export const isMayGoto = (insn: BpfInsn): boolean => insn.code === (BPF_CLASS.JMP | BPF_JMP_OP.JCOND);

/** Bytes below a function's stack that hold the rounds that are left (and, if timed, the time of the start). */
export const mayGotoStack = (rewrite: Rewrite): number => (rewrite.facts.timedMayGoto ? 16 : 8);

/**
 * Counts down the rounds below the stack and leaves the loop at 0 (spec 9.8). `depth` is the function's stack in bytes,
 * `target` the slot that may_goto goes to.
 */
export function expandMayGoto(target: number, depth: number, rewrite: Rewrite): (BpfInsn | OutgoingInsn)[] {
  const ax = rewrite.facts.axRegister;
  const at = -depth - mayGotoStack(rewrite);
  const load = ldx(BPF_SIZE.DW, ax, FP, at);
  const leave: OutgoingInsn = { insn: jumpImm(BPF_JMP_OP.JEQ, ax, 0, 0), target };
  const count = alu64Imm(BPF_ALU_OP.SUB, ax, 1);
  const store = stx(BPF_SIZE.DW, FP, ax, at);
  if (!rewrite.facts.timedMayGoto) return [load, leave, count, store];
  const timed = symbolOffset(rewrite, 'arch_bpf_timed_may_goto');
  if (timed === undefined) {
    throw new EngineError(
      'xlate/symbol',
      'The kernel model has no function arch_bpf_timed_may_goto, which may_goto needs.',
    );
  }
  return [load, leave, count, jumpImm(BPF_JMP_OP.JNE, ax, 0, 2), mov64Imm(ax, at), call(timed), store];
}

/** Functions with may_goto begin with setting their counter; their stack depth includes it already. */
export function insertMayGotoStarts(code: Code, functions: ReadonlySet<number>, rewrite: Rewrite): void {
  const patches = new Map<number, Patch>();
  for (const index of functions) {
    const { start, stackDepth } = code.functions[index]!;
    const stores = rewrite.facts.timedMayGoto
      ? [st(BPF_SIZE.DW, FP, -stackDepth, MAX_TIMED_LOOPS), st(BPF_SIZE.DW, FP, -stackDepth + 8, 0)]
      : [st(BPF_SIZE.DW, FP, -stackDepth, MAX_LOOPS)];
    // a loop back to the first instruction does not start counting again
    const insns = [...stores, code.at(start).insn];
    patches.set(start, { insns, rule: 'may-goto-start', entry: stores.length });
  }
  code.apply(patches);
}
