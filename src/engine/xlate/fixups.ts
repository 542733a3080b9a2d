import { isHelperCall, isKfuncCall, rewriteCall, rewriteKfuncCall, type CallContext } from './calls';
import type { Code } from './code';
import { DIVISION_RULE, guardDivision } from './divisions';
import { expandPacketLoad } from './ld-abs';
import { expandMayGoto, insertMayGotoStarts, isMayGoto, mayGotoStack } from './may-goto';
import type { RewriteRule } from './rules';

/**
 * The last rewrites of single instructions: divisions, packet loads, helper calls, tail calls, may_goto (do_misc_fixups).
 * Stack depths of functions with may_goto grow by their counter.
 */
export function fixInstructions(code: Code, context: CallContext): void {
  const counting = new Set<number>();
  for (let i = 0; i < code.length; i++) {
    if (code.isSecondHalf(i)) continue;
    const { insn, facts } = code.at(i);
    if (isMayGoto(insn)) {
      const fn = code.functionAt(i);
      counting.add(code.functions.indexOf(fn));
      i = replace(code, i, expandMayGoto(insn, fn.stackDepth, context), 'may-goto');
      continue;
    }
    const division = guardDivision(insn, context.facts);
    if (division) {
      i = replace(code, i, division, DIVISION_RULE);
      continue;
    }
    const packet = expandPacketLoad(insn, context);
    if (packet) {
      i = replace(code, i, packet, 'ld-abs');
      continue;
    }
    const isKfunc = isKfuncCall(insn);
    if (!isKfunc && !isHelperCall(insn)) continue;
    const { insns, rule } = isKfunc
      ? rewriteKfuncCall(insn, code.at(i).origin.insn, context)
      : rewriteCall(insn, facts, context);
    const [only] = insns;
    if (insns.length === 1 && only) {
      // in place, as the kernel does: what the walk found stays
      const slot = code.at(i);
      if (only !== insn) slot.origin = { insn: slot.origin.insn, rule };
      slot.insn = only;
    } else {
      i = replace(code, i, insns, rule);
    }
  }
  for (const index of counting) code.functions[index]!.stackDepth += mayGotoStack(context);
  insertMayGotoStarts(code, counting, context);
}

function replace(code: Code, index: number, insns: Parameters<Code['patch']>[1], rule: RewriteRule): number {
  code.patch(index, insns, rule);
  return index + insns.length - 1;
}
