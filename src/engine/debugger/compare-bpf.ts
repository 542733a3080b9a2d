import { align } from '../base/align';
import { isSecondSlot } from '../bpf/print';
import { explainRewrite } from '../xlate/rules';
import { loadedAddress, type CompiledFunction } from './compare-native';
import { bpfText } from './locations';

/** One BPF instruction of a function, made ready to be compared with one of the same function under another profile. */
export interface BpfUnit {
  /** Function-relative xlated slot, the first of two for ld_imm64. */
  readonly slot: number;
  /** Slots that it takes. */
  readonly slots: 1 | 2;
  /** Slot of the program's own code that it comes from. */
  readonly input: number;
  readonly opcode: number;
  readonly text: string;
  /** The verifier's rewrite that made it and its sentence; absent when it is the program's own. */
  readonly rule?: string;
  /** The text without what depends on other instructions or on placement: distances of jumps and calls, addresses. */
  readonly key: string;
}

/** The BPF instructions of a function in order. */
export function bpfUnits(compiled: CompiledFunction): BpfUnit[] {
  const { kernel, code } = compiled;
  const { insns, origin } = code.program.xlated;
  const units: BpfUnit[] = [];
  for (let slot = 0; slot < code.map.slotCount; slot++) {
    const global = code.fn.start + slot;
    const insn = insns[global];
    if (!insn || isSecondSlot(insns, global)) continue;
    const text = bpfText(kernel, code, slot);
    const rule = origin[global]?.rule;
    const loaded = loadedAddress(compiled, slot);
    units.push({
      slot,
      slots: isSecondSlot(insns, global + 1) ? 2 : 1,
      input: origin[global]?.insn ?? -1,
      opcode: insn.code,
      text,
      ...(rule !== undefined && { rule: `${rule}: ${explainRewrite(rule)}` }),
      key: loaded === undefined ? withoutDistances(text) : `r${insn.dst} = ${loaded.of}`,
    });
  }
  return units;
}

/** `if r1 == 0x0 goto pc+132` and `call bpf_ktime_get_ns#-1234` without their numbers. */
function withoutDistances(text: string): string {
  return text.replace(/\bpc[+-]\d+/, 'pc').replace(/^(call \S+)#-?\d+/, '$1');
}

/** BPF instructions that stand for each other; one side is undefined where the other profile's code has no counterpart. */
export interface UnitPair {
  readonly left?: BpfUnit;
  readonly right?: BpfUnit;
}

/**
 * Puts the instructions of two xlated forms of one function beside each other. Kernels rewrite programs differently, so
 * slots do not agree; the slot of the program's own code that each comes from does, and what was made from one such slot
 * is aligned by its text.
 */
export function pairUnits(left: readonly BpfUnit[], right: readonly BpfUnit[]): UnitPair[] {
  const pairs: UnitPair[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const input = Math.min(left[i]?.input ?? Infinity, right[j]?.input ?? Infinity);
    const mine = groupAt(left, i, input);
    const theirs = groupAt(right, j, input);
    i += mine.length;
    j += theirs.length;
    for (const [l, r] of align(mine.length, theirs.length, (a, b) => distance(mine[a], theirs[b]))) {
      pairs.push({
        left: l === undefined ? undefined : mine[l],
        right: r === undefined ? undefined : theirs[r],
      });
    }
  }
  return pairs;
}

/** The units from position `from` on that come from one slot. */
function groupAt(units: readonly BpfUnit[], from: number, input: number): readonly BpfUnit[] {
  let end = from;
  while (units[end]?.input === input) end++;
  return units.slice(from, end);
}

/** Same text, or at least the same operation with other operands (an offset in a kernel structure, for instance). */
function distance(left: BpfUnit | undefined, right: BpfUnit | undefined): number | undefined {
  if (!left || !right) return undefined;
  if (left.key === right.key) return 0;
  return left.opcode === right.opcode ? 1 : undefined;
}
