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

/** An instruction of a patch that goes to a slot outside of it, by the slot's number before the patch. */
export interface OutgoingInsn {
  readonly insn: BpfInsn;
  readonly target: number;
}

/** What takes the place of one instruction. */
export interface Patch {
  /**
   * At least one; may contain the replaced instruction itself (the same object), whose jump then still goes where it went.
   * Distances of other jumps are within the patch, unless they are outgoing.
   */
  readonly insns: readonly (BpfInsn | OutgoingInsn)[];
  readonly rule: RewriteRule;
  /** Where in the patch jumps to the replaced instruction land; 0 unless the patch runs once at a function's start. */
  readonly entry?: number;
}

/**
 * A program under the verifier's rewrites: instructions with what the walk found, functions, and where each slot comes
 * from. A pass collects its patches and applies them together; jumps, calls and function starts move as with
 * bpf_patch_insn_data and verifier_remove_insns one by one.
 */
export class Code {
  slots: CodeSlot[];
  readonly functions: CodeFunction[];

  constructor(insns: readonly BpfInsn[], facts: readonly InsnFacts[], functions: CodeFunction[]) {
    this.slots = insns.map((insn, i) => ({
      insn,
      facts: facts[i] ?? new InsnFacts(),
      origin: { insn: i },
    }));
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

  /** Replaces instructions by slot number. Jumps to a replaced instruction go to its patch's entry, calls to its start. */
  apply(patches: ReadonlyMap<number, Patch>): void {
    if (patches.size === 0) return;
    const starts = positions(this.length, (i) => patches.get(i)?.insns.length ?? 1);
    const landing = (target: number): number => starts[target]! + (patches.get(target)?.entry ?? 0);
    const moved: CodeSlot[] = [];
    this.slots.forEach((slot, i) => {
      const patch = patches.get(i);
      if (patch) {
        patchedSlots(slot, patch).forEach((made, j) => {
          const target = made.target ?? (made.slot.insn === slot.insn ? targetOf(slot.insn, i) : undefined);
          if (target !== undefined) redirect(made.slot, starts[i]! + j, starts, landing, target);
          moved.push(made.slot);
        });
      } else {
        const target = targetOf(slot.insn, i);
        if (target !== undefined) redirect(slot, starts[i]!, starts, landing, target);
        moved.push(slot);
      }
    });
    this.slots = moved;
    for (const fn of this.functions) fn.start = starts[fn.start]!;
  }

  /** Takes slots out; jumps to them go to what follows. Functions of which nothing is left are gone. */
  remove(isRemoved: (index: number) => boolean): void {
    const starts = positions(this.length, (i) => (isRemoved(i) ? 0 : 1));
    const end = (index: number): number => this.functions[index + 1]?.start ?? this.length;
    const gone = new Set(
      this.functions.filter((fn, i) => i > 0 && starts[fn.start] === starts[end(i)]).map((fn) => fn.start),
    );
    const kept: CodeSlot[] = [];
    this.slots.forEach((slot, i) => {
      if (isRemoved(i)) return;
      const target = targetOf(slot.insn, i);
      if (target !== undefined && gone.has(target) && slot.insn.code === LD_IMM64) {
        // a callback that is never called
        slot.insn = { ...slot.insn, src: 0, imm: 0 };
      } else if (target !== undefined) {
        redirect(slot, starts[i]!, starts, (t) => starts[t]!, target);
      }
      kept.push(slot);
    });
    this.slots = kept;
    for (let i = this.functions.length - 1; i > 0; i--)
      if (gone.has(this.functions[i]!.start)) this.functions.splice(i, 1);
    for (const fn of this.functions) fn.start = starts[fn.start]!;
  }

  /** The function that the slot belongs to, as index. */
  functionAt(index: number): number {
    let low = 0;
    let high = this.functions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.functions[middle]!.start <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** New slot numbers of `count` old slots that take `size` slots each, and of the end. */
function positions(count: number, size: (index: number) => number): number[] {
  const starts: number[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    starts.push(at);
    at += size(i);
  }
  starts.push(at);
  return starts;
}

/**
 * The slots of a patch: its last one continues the replaced instruction's facts, the others have their own; each needs a
 * zero extension if it defines a low half (adjust_insn_aux_data).
 */
function patchedSlots(old: CodeSlot, patch: Patch): { slot: CodeSlot; target: number | undefined }[] {
  return patch.insns.map((item, i) => {
    const insn = 'insn' in item ? item.insn : item;
    const unchanged = insn === old.insn;
    const facts = i === patch.insns.length - 1 ? old.facts : new InsnFacts();
    facts.seen = old.facts.seen;
    facts.zext = definesLow32(insn);
    const origin = unchanged ? old.origin : { insn: old.origin.insn, rule: patch.rule };
    return {
      slot: { insn, facts, origin, ...(unchanged && old.constant ? { constant: old.constant } : {}) },
      target: 'insn' in item ? item.target : undefined,
    };
  });
}

/** Lets the instruction now at `at` go to where old slot `target` is now. */
function redirect(
  slot: CodeSlot,
  at: number,
  starts: readonly number[],
  landing: (target: number) => number,
  target: number,
): void {
  const isCall = slot.insn.code === CALL || slot.insn.code === LD_IMM64;
  slot.insn = retarget(slot.insn, at, isCall ? starts[target]! : landing(target));
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
