import { isHelperCall, isKfuncCall, rewriteCall, rewriteKfuncCall, type CallContext } from './calls';
import { targetOf, type Code, type Patch } from './code';
import { DIVISION_RULE, guardDivision } from './divisions';
import { expandPacketLoad } from './ld-abs';
import { expandMayGoto, insertMayGotoStarts, isMayGoto, mayGotoStack } from './may-goto';

/**
 * The last rewrites of single instructions: divisions, packet loads, helper calls, tail calls, may_goto (do_misc_fixups).
 * Stack depths of functions with may_goto grow by their counter.
 */
export function fixInstructions(code: Code, context: CallContext): void {
  const counting = new Set<number>();
  const patches = new Map<number, Patch>();
  for (let i = 0; i < code.length; i++) {
    if (code.isSecondHalf(i)) continue;
    const { insn } = code.at(i);
    if (isMayGoto(insn)) {
      const index = code.functionAt(i);
      counting.add(index);
      const insns = expandMayGoto(targetOf(insn, i)!, code.functions[index]!.stackDepth, context);
      patches.set(i, { insns, rule: 'may-goto' });
      continue;
    }
    const division = guardDivision(insn, context.facts);
    if (division) {
      patches.set(i, { insns: division, rule: DIVISION_RULE });
      continue;
    }
    const packet = expandPacketLoad(insn, context);
    if (packet) {
      patches.set(i, { insns: packet, rule: 'ld-abs' });
      continue;
    }
    if (isKfuncCall(insn) || isHelperCall(insn)) fixCall(code, i, context, patches);
  }
  code.apply(patches);
  for (const index of counting) code.functions[index]!.stackDepth += mayGotoStack(context);
  insertMayGotoStarts(code, counting, context);
}

function fixCall(code: Code, index: number, context: CallContext, patches: Map<number, Patch>): void {
  const slot = code.at(index);
  const { insn } = slot;
  const { insns, rule } = isKfuncCall(insn)
    ? rewriteKfuncCall(insn, slot.origin.insn, context)
    : rewriteCall(insn, slot.origin.insn, slot.facts, context);
  const [only] = insns;
  if (insns.length > 1 || !only) {
    patches.set(index, { insns, rule });
    return;
  }
  // in place, as the kernel does
  if (only !== insn) slot.origin = { insn: slot.origin.insn, rule };
  slot.insn = only;
}
