import { BPF_CLASS, BPF_JMP_OP } from '../bpf/insn';
import type { Code } from './code';
import { jump } from './emit';
import { insnClass, insnOp } from './verify/liveness';

/** Opcode of `goto +off` */
const JA = BPF_CLASS.JMP | BPF_JMP_OP.JA;
const MAY_GOTO = BPF_CLASS.JMP | BPF_JMP_OP.JCOND;

function isConditional(code: number): boolean {
  const group = insnClass(code);
  const op = insnOp(code);
  if (group === BPF_CLASS.JMP32) return op !== BPF_JMP_OP.JA;
  return group === BPF_CLASS.JMP && op !== BPF_JMP_OP.JA && op !== BPF_JMP_OP.EXIT && op !== BPF_JMP_OP.CALL;
}

/** Conditional jumps of which no path took one side become plain jumps (opt_hard_wire_dead_code_branches). */
export function hardWireBranches(code: Code): void {
  code.slots.forEach((slot, i) => {
    if (!isConditional(slot.insn.code)) return;
    const seen = (index: number): boolean => code.slots[index]?.facts.seen === true;
    let off: number;
    if (!seen(i + 1)) off = slot.insn.off;
    else if (!seen(i + 1 + slot.insn.off)) off = 0;
    else return;
    slot.insn = jump(off);
    slot.origin = { insn: slot.origin.insn, rule: 'dead-branch' };
  });
}

/** Instructions that no path reached are taken out (opt_remove_dead_code). */
export function removeDeadCode(code: Code): void {
  for (let i = 0; i < code.length; i++) {
    let count = 0;
    while (i + count < code.length && !code.at(i + count).facts.seen) count++;
    if (count > 0) code.remove(i, count);
  }
}

/** Jumps to the next instruction are taken out (opt_remove_nops). */
export function removeNops(code: Code, mayGotoToo: boolean): void {
  for (let i = 0; i < code.length; i++) {
    const { insn } = code.at(i);
    const nop =
      (insn.code === JA || (mayGotoToo && insn.code === MAY_GOTO)) &&
      insn.off === 0 &&
      insn.dst === 0 &&
      insn.imm === 0;
    if (!nop || code.isSecondHalf(i)) continue;
    code.remove(i, 1);
    // one nop may have been the only thing between a jump and its target
    i -= mayGotoToo && insn.code === MAY_GOTO && i > 0 ? 2 : 1;
  }
}
