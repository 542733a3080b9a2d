import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from './insn';

/** The slot that a relative call (`call pc+N`) or a function pointer (`subprog[+N]`) at `index` goes to, if it is one. */
export function calledSlot(insns: readonly BpfInsn[], index: number): number | undefined {
  const insn = insns[index];
  if (!insn) return undefined;
  if (insn.code === CALL && insn.src === BPF_PSEUDO.CALL) return index + 1 + insn.imm;
  if (insn.code === LD_IMM64 && insn.src === BPF_PSEUDO.FUNC) return index + 1 + insn.imm;
  return undefined;
}

/** Slots at which functions begin, ascending: 0 and all that are called or taken as a callback (add_subprog_and_kfunc). */
export function functionStarts(insns: readonly BpfInsn[]): number[] {
  const starts = new Set([0]);
  for (let i = 0; i < insns.length; i++) {
    const slot = calledSlot(insns, i);
    if (slot !== undefined) starts.add(slot);
    if (insns[i]?.code === LD_IMM64) i++;
  }
  return [...starts].sort((a, b) => a - b);
}
