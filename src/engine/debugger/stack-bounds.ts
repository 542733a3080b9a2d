import { calledSlot } from '../bpf/functions';
import { LD_IMM64, TAIL_CALL } from '../bpf/insn';
import type { KernelProgram } from '../kernel/types';

/**
 * Bytes of stack in use when each function of a program is entered, at most, counted from the program's entry: the longest
 * way through the calls. Known only where calls alone lead: not for callbacks and what they call, since kernel functions lie
 * between, and for no function once a tail call can put another program on top.
 * @param programs all programs that may run
 */
export function deepestEntries(
  program: KernelProgram,
  programs: readonly KernelProgram[],
): ReadonlyMap<number, number> {
  if (programs.some(({ xlated }) => xlated.insns.some((insn) => insn.code === TAIL_CALL))) return new Map();
  const { functions } = program.jit;
  const callees = functions.map((fn) => calleesOf(program, fn.start, fn.end));
  const depths = new Map<number, number>([[0, 0]]);
  const unknown = new Set<number>();
  // BPF functions do not recurse, so going over all of them as often as there are functions reaches the longest way.
  for (let round = 0; round < functions.length; round++) {
    functions.forEach((fn, index) => {
      const depth = depths.get(index);
      const { called, referenced } = callees[index]!;
      for (const callback of referenced) unknown.add(callback);
      for (const callee of called) {
        if (unknown.has(index)) unknown.add(callee);
        if (depth === undefined) continue;
        depths.set(callee, Math.max(depths.get(callee) ?? 0, depth + fn.frame.size));
      }
    });
  }
  for (const index of unknown) depths.delete(index);
  return depths;
}

/** Indexes of the functions that a function calls, and of those whose address it takes. */
function calleesOf({ jit, xlated }: KernelProgram, start: number, end: number) {
  const called = new Set<number>();
  const referenced = new Set<number>();
  for (let slot = start; slot < end; slot++) {
    const target = calledSlot(xlated.insns, slot);
    if (target === undefined) continue;
    const index = jit.functions.findIndex((fn) => fn.start === target);
    (xlated.insns[slot]!.code === LD_IMM64 ? referenced : called).add(index);
  }
  return { called, referenced };
}
