import { BPF_CLASS, BPF_JMP_OP, type BpfInsn } from '../bpf/insn';
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
  const dead = code.slots.map((slot) => !slot.facts.seen);
  if (dead.includes(true)) code.remove((i) => dead[i] === true);
}

/**
 * Jumps to the next instruction are taken out (opt_remove_nops): those that are such jumps before the pass, and with
 * `mayGotoToo` may_goto over nothing and what its removal turns into one right before it.
 */
export function removeNops(code: Code, mayGotoToo: boolean): void {
  const removed = new Set<number>();
  const kept: number[] = [];
  const isNop = (insn: BpfInsn, distance: number): boolean =>
    (insn.code === JA || (mayGotoToo && insn.code === MAY_GOTO)) &&
    distance === 0 &&
    insn.dst === 0 &&
    insn.imm === 0;
  for (let i = 0; i < code.length; i++) {
    const { insn } = code.at(i);
    if (!isNop(insn, insn.off)) {
      kept.push(i);
      continue;
    }
    removed.add(i);
    let lookBack = insn.code === MAY_GOTO;
    while (lookBack && kept.length > 0) {
      const before = kept[kept.length - 1]!;
      const previous = code.at(before).insn;
      // all slots from there to here are gone
      if (!isNop(previous, before + 1 + previous.off === i + 1 ? 0 : -1)) break;
      kept.pop();
      removed.add(before);
      lookBack = previous.code === MAY_GOTO;
    }
  }
  if (removed.size > 0) code.remove((i) => removed.has(i));
}
