import { EngineError } from '../base/errors';
import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../bpf/insn';
import { functionAt, type CodeSection, type SourceFunction } from './code';
import type { BpfReloc } from './object';
import { describeReference, type RelocationTarget, type Relocations } from './relocate';

/** A function at its place in a program. */
export interface PlacedFunction {
  readonly fn: SourceFunction;
  /** First slot in the program. */
  readonly start: number;
}

/** A program with all the subprograms that it reaches behind it. */
export interface LinkedProgram {
  readonly insns: readonly BpfInsn[];
  /** Main first, in the order of their places. */
  readonly functions: readonly PlacedFunction[];
  readonly relocations: readonly BpfReloc[];
  /** References to symbols outside of the object. */
  readonly externs: readonly {
    readonly insn: number;
    readonly target: RelocationTarget & { readonly kind: 'extern' };
  }[];
}

/** A kernel takes no program with more functions (BPF_MAX_SUBPROGS). */
const MAX_FUNCTIONS = 256;
/** Slots of all programs of an object together; overlapping functions could ask for more than a file's size suggests. */
const MAX_SLOTS = 4 << 20;

/** Links programs one after the other and keeps count of their slots. */
export class Linker {
  private slots = 0;

  constructor(
    private readonly objectName: string,
    private readonly text: CodeSection | undefined,
    private readonly relocations: Relocations,
  ) {}

  /**
   * The program that begins with `main`: subprograms are appended in the order in which calls and function pointers first name them, each
   * followed by those that it names itself (bpf_object__reloc_code).
   * @throws EngineError `loader/subprogram`, `loader/relocation`, `loader/size`
   */
  link(main: SourceFunction): LinkedProgram {
    const draft: Draft = { main, insns: [], functions: [], placed: new Map(), relocations: [], externs: [] };
    this.place(draft, main);
    // Subprograms are resolved in the middle of their callers.
    draft.relocations.sort((a, b) => a.insn - b.insn);
    draft.externs.sort((a, b) => a.insn - b.insn);
    return {
      insns: draft.insns,
      functions: draft.functions,
      relocations: draft.relocations,
      externs: draft.externs,
    };
  }

  private place(draft: Draft, fn: SourceFunction): number {
    const start = draft.insns.length;
    const { insns } = fn.code;
    this.slots += fn.end - fn.start;
    if (draft.functions.length >= MAX_FUNCTIONS) {
      throw this.refuse(
        'subprogram',
        draft,
        `reaches more than ${MAX_FUNCTIONS} functions; a kernel takes no more in one program`,
      );
    }
    if (this.slots > MAX_SLOTS) {
      throw this.refuse(
        'size',
        draft,
        `brings the object to more than ${MAX_SLOTS} instructions with the subprograms of each program; open an object with fewer programs`,
      );
    }
    draft.functions.push({ fn, start });
    draft.placed.set(fn, start);
    for (let slot = fn.start; slot < fn.end; slot++)
      draft.insns.push(insns[slot] ?? { code: 0, dst: 0, src: 0, off: 0, imm: 0 });
    for (let slot = fn.start; slot < fn.end; slot++) {
      this.resolve(draft, fn, slot, start + slot - fn.start);
      if (insns[slot]?.code === LD_IMM64) slot++;
    }
    return start;
  }

  /** Resolves what the instruction at `slot` of the section, `at` in the program, refers to. */
  private resolve(draft: Draft, fn: SourceFunction, slot: number, at: number): void {
    const insn = fn.code.insns[slot];
    if (!insn) return;
    const relocation = fn.code.relocations.get(slot);
    const target = relocation && this.relocations.target(fn.code, slot, relocation);
    const callee = this.callee(draft, fn, slot, insn, target);
    if (callee) {
      const start = draft.placed.get(callee) ?? this.place(draft, callee);
      const src = insn.code === LD_IMM64 ? BPF_PSEUDO.FUNC : insn.src;
      draft.insns[at] = { ...insn, src, imm: start - at - 1 };
    } else if (target) {
      const applied = describeReference(insn, fn.code.insns[slot + 1], at, target);
      draft.insns[at] = applied.insn;
      if (applied.next && slot + 1 < fn.end) draft.insns[at + 1] = applied.next;
      if (applied.relocation) draft.relocations.push(applied.relocation);
      if (target.kind === 'extern') draft.externs.push({ insn: at, target });
    }
  }

  /** The function that a call or function pointer goes to; undefined for every other instruction. */
  private callee(
    draft: Draft,
    fn: SourceFunction,
    slot: number,
    insn: BpfInsn,
    target: RelocationTarget | undefined,
  ): SourceFunction | undefined {
    const call = insn.code === CALL && insn.src === BPF_PSEUDO.CALL;
    if (target !== undefined && target.kind !== 'call' && target.kind !== 'function') return undefined;
    if (target === undefined && !call) return undefined;
    // A call counts from the instruction behind it, a pointer's imm is in bytes; without relocation both are in the same section.
    const called =
      target === undefined
        ? slot + 1 + insn.imm
        : target.kind === 'call'
          ? target.slot + insn.imm + 1
          : target.slot + insn.imm / 8;
    const found =
      target === undefined && fn.code !== this.text ? undefined : this.text && functionAt(this.text, called);
    if (!found) {
      throw this.refuse(
        'subprogram',
        draft,
        `calls slot ${called} of section ${target === undefined ? fn.code.section.name : '.text'} at instruction ${slot} of section ${fn.code.section.name}, which is no function of .text`,
      );
    }
    return found;
  }

  private refuse(code: 'subprogram' | 'size', draft: Draft, why: string): EngineError {
    return new EngineError(`loader/${code}`, `Program ${draft.main.name} of ${this.objectName} ${why}.`, {
      program: draft.main.name,
    });
  }
}

interface Draft {
  readonly main: SourceFunction;
  readonly insns: BpfInsn[];
  readonly functions: PlacedFunction[];
  readonly placed: Map<SourceFunction, number>;
  readonly relocations: BpfReloc[];
  readonly externs: { insn: number; target: RelocationTarget & { readonly kind: 'extern' } }[];
}
