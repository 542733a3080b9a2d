import { EngineError } from '../base/errors';
import { BPF_CLASS, BPF_JMP_OP, BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../bpf/insn';
import type { XlateOrigin } from './types';
import { InsnFacts, type Constant64 } from './verify/env';
import { definesLow32, insnClass, insnOp } from './verify/liveness';
import type { RewriteRule } from './rules';

/** One slot of a program that is being rewritten. */
export interface CodeSlot {
  insn: BpfInsn;
  facts: InsnFacts;
  origin: XlateOrigin;
  /** What the ld_imm64 that begins here stands for. */
  constant?: Constant64;
}

/** A function's first slot, as the code grows and shrinks. */
export interface CodeFunction {
  readonly name: string;
  start: number;
  readonly isCallback: boolean;
  /** Bytes */
  stackDepth: number;
  tailCallReachable: boolean;
}

/**
 * A program under the verifier's rewrites: instructions with what the walk found, functions, and where each slot comes
 * from. Patches move jumps, calls and function starts as bpf_patch_insn_data and verifier_remove_insns do.
 */
export class Code {
  readonly slots: CodeSlot[];
  readonly functions: CodeFunction[];

  constructor(insns: readonly BpfInsn[], facts: readonly InsnFacts[], functions: CodeFunction[]) {
    this.slots = insns.map((insn, i) => ({ insn, facts: facts[i] ?? new InsnFacts(), origin: { insn: i } }));
    this.functions = functions;
  }

  get length(): number {
    return this.slots.length;
  }

  at(index: number): CodeSlot {
    const slot = this.slots[index];
    if (!slot)
      throw new EngineError('xlate/slot', `There is no slot ${index} in a program of ${this.slots.length}.`, {
        slot: index,
      });
    return slot;
  }

  /** Whether the slot is the second half of a 64-bit load. */
  isSecondHalf(index: number): boolean {
    return index > 0 && this.slots[index]?.insn.code === 0 && this.slots[index - 1]?.insn.code === LD_IMM64;
  }

  /**
   * Replaces the instruction at `index` by `insns` (at least one). Jumps to it go to the first of them. All belong to the
   * same input instruction, those that are not the original carry `rule`. `zext` of each is what it needs for itself
   * (adjust_insn_aux_data).
   */
  patch(index: number, insns: readonly BpfInsn[], rule: RewriteRule): void {
    const old = this.at(index);
    const grown = insns.length - 1;
    if (grown > 0) this.moveTargets(index, grown);
    const facts = insns.map((insn, i) => {
      if (i === grown) {
        old.facts.zext = definesLow32(insn);
        return old.facts;
      }
      const own = new InsnFacts();
      own.seen = old.facts.seen;
      own.zext = definesLow32(insn);
      return own;
    });
    const slots = insns.map((insn, i): CodeSlot => {
      const unchanged = insn === old.insn;
      const origin = unchanged ? old.origin : { insn: old.origin.insn, rule };
      return {
        insn,
        facts: facts[i]!,
        origin,
        ...(unchanged && old.constant ? { constant: old.constant } : {}),
      };
    });
    this.slots.splice(index, 1, ...slots);
    for (const fn of this.functions) if (fn.start > index) fn.start += grown;
  }

  /** Appends the zero extension of `reg` to the instruction at `index`. */
  append(index: number, insns: readonly BpfInsn[], rule: RewriteRule): void {
    const { insn, facts } = this.at(index);
    const { zext } = facts;
    this.patch(index, [insn, ...insns], rule);
    this.at(index).facts.zext = zext;
  }

  /** Jumps to slot `index` go to the one `count` further down (adjust_jmp_off), behind what was put before a function. */
  skipTo(index: number, count: number): void {
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.at(i);
      if (i >= index && i < index + count) continue;
      if (slot.insn.code === CALL || slot.insn.code === LD_IMM64 || targetOf(slot.insn, i) !== index)
        continue;
      slot.insn = retarget(slot.insn, i, index + count);
    }
  }

  /** `count` slots are added behind the start of `index`: what jumps over them goes further (bpf_adj_branches). */
  private moveTargets(index: number, count: number): void {
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.at(i);
      const target = targetOf(slot.insn, i);
      // the patch brings its own distances
      if (target === undefined || i === index) continue;
      const from = i > index ? i + count : i;
      const to = target > index ? target + count : target;
      slot.insn = retarget(slot.insn, from, to);
    }
  }

  /** Takes `count` slots out (verifier_remove_insns); nothing that remains may jump into them but to what follows them. */
  remove(index: number, count: number): void {
    for (let i = 0; i < this.slots.length; i++) {
      if (i >= index && i < index + count) continue;
      const slot = this.at(i);
      const target = targetOf(slot.insn, i);
      if (target === undefined) continue;
      const from = i >= index + count ? i - count : i;
      const to = target >= index + count ? target - count : Math.min(target, index);
      slot.insn = retarget(slot.insn, from, to);
    }
    this.slots.splice(index, count);
    this.dropFunctions(index, count);
  }

  /** Functions that lay in removed slots are gone, those behind move up (adjust_subprog_starts_after_remove). */
  private dropFunctions(index: number, count: number): void {
    const end = index + count;
    for (let i = this.functions.length - 1; i > 0; i--) {
      const fn = this.functions[i]!;
      const next = this.functions[i + 1]?.start ?? this.slots.length + count;
      if (fn.start >= index && next <= end) this.functions.splice(i, 1);
    }
    for (const fn of this.functions) {
      if (fn.start >= end) fn.start -= count;
      else if (fn.start > index) fn.start = index;
    }
  }

  /** The function that the slot belongs to. */
  functionAt(index: number): CodeFunction {
    let found = this.functions[0]!;
    for (const fn of this.functions) if (fn.start <= index) found = fn;
    return found;
  }
}

/** The slot that a jump, bpf2bpf call or function reference at `index` goes to. */
export function targetOf(insn: BpfInsn, index: number): number | undefined {
  if (insn.code === LD_IMM64) return insn.src === BPF_PSEUDO.FUNC ? index + 1 + insn.imm : undefined;
  const group = insnClass(insn.code);
  if (group !== BPF_CLASS.JMP && group !== BPF_CLASS.JMP32) return undefined;
  switch (insnOp(insn.code)) {
    case BPF_JMP_OP.EXIT:
    case BPF_JMP_OP.TAIL_CALL:
      return undefined;
    case BPF_JMP_OP.CALL:
      return insn.code === CALL && insn.src === BPF_PSEUDO.CALL ? index + 1 + insn.imm : undefined;
    case BPF_JMP_OP.JA:
      return index + 1 + (group === BPF_CLASS.JMP ? insn.off : insn.imm);
    default:
      return index + 1 + insn.off;
  }
}

function retarget(insn: BpfInsn, index: number, target: number): BpfInsn {
  const distance = target - index - 1;
  const byImm =
    insn.code === LD_IMM64 || insn.code === CALL || insn.code === (BPF_CLASS.JMP32 | BPF_JMP_OP.JA);
  if (byImm) return insn.imm === distance ? insn : { ...insn, imm: distance };
  if (insn.off === distance) return insn;
  if (distance !== (distance << 16) >> 16) {
    throw new EngineError(
      'xlate/jump-range',
      `After the kernel's rewrites a jump would go ${distance} instructions far, more than its 16-bit offset can say; the kernel refuses such a program.`,
      { slot: index },
    );
  }
  return { ...insn, off: distance };
}
