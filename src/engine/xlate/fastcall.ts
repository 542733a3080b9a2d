import { BPF_CLASS, BPF_JMP_OP } from '../bpf/insn';
import type { Code } from './code';
import { jump } from './emit';
import type { FunctionFacts } from './verify/env';

/** Spills and fills around calls that keep the registers become nothing, and the stack shrinks (remove_fastcall_spills_fills). */
export function removeFastcallSpills(code: Code, functions: readonly FunctionFacts[]): void {
  const changed = new Set<number>();
  code.slots.forEach(({ insn, facts }, i) => {
    if (facts.fastcallPairs === 0 || insn.code !== (BPF_CLASS.JMP | BPF_JMP_OP.CALL)) return;
    for (let pair = 1; pair <= facts.fastcallPairs; pair++) {
      for (const at of [i - pair, i + pair]) {
        const slot = code.at(at);
        slot.insn = jump(0);
        slot.origin = { insn: slot.origin.insn, rule: 'fastcall' };
      }
    }
    changed.add(code.functionAt(i));
  });
  for (const index of changed) {
    const facts = functions[index]!;
    if (!facts.keepFastcallStack) code.functions[index]!.stackDepth = -facts.fastcallOffset;
  }
}
