import { EngineError } from '../base/errors';
import type { BpfInsn } from '../bpf/insn';
import { JIT_FACTS, type JitFacts } from '../profile/jit-facts';
import type { Profile } from './profile';
import { checkUnit } from './check';
import type { JitInput, KfuncModel } from './types';
import { UnitCode } from './unit-code';

/** What the code bakes in beside the instructions; the parts of {@link JitInput} that all functions of a program share. */
export type UnitSurroundings = Pick<
  JitInput,
  'callBase' | 'addresses' | 'arena' | 'kfuncs' | 'isExtension' | 'acceptsStrayJumps'
>;

/** One function of a program, before it is prepared. */
export interface UnitDescription {
  readonly profile: Profile;
  readonly name: string;
  /** func_idx: 0 is the main program. */
  readonly index: number;
  /** Slot of the program at which the function starts; only messages use it. */
  readonly start: number;
  /** Only this function's slots. */
  readonly insns: readonly BpfInsn[];
  /** prog->is_func: the program has several functions, so addresses of callees come with the extra pass. */
  readonly isFunc: boolean;
  /** Bytes */
  readonly stackDepth: number;
  /** What the JIT sees as aux->verifier_zext: false whenever {@link isFunc}. */
  readonly verifierZext: boolean;
  readonly tailCallReachable: boolean;
  readonly typeWord: number | undefined;
  readonly surroundings: UnitSurroundings;
}

/** One function as the passes take it: what `struct bpf_prog` is to bpf_int_jit_compile. */
export interface Unit extends UnitDescription {
  readonly facts: JitFacts;
  readonly code: UnitCode;
  readonly kfuncs: ReadonlyMap<number, KfuncModel>;
}

/**
 * Prepares one function for the passes and checks it.
 * @throws EngineError `jit/opcode`, `jit/register`, `jit/jump` … with slot index and text; `jit/profile`
 */
export function makeUnit(description: UnitDescription): Unit {
  const { profile, insns } = description;
  const facts = JIT_FACTS[profile.kernel];
  if (profile.cfi && !facts.supportsCfi) {
    throw new EngineError(
      'jit/profile',
      `Kernel ${profile.kernel} has no kCFI for BPF programs; choose kernel 6.12 or later, or switch kCFI off.`,
      { kernel: profile.kernel },
    );
  }
  const { kfuncs } = description.surroundings;
  const unit: Unit = {
    // One by one: an object spread out would be a dictionary for V8, and every look at it slow.
    profile,
    name: description.name,
    index: description.index,
    start: description.start,
    insns,
    isFunc: description.isFunc,
    stackDepth: description.stackDepth,
    verifierZext: description.verifierZext,
    tailCallReachable: description.tailCallReachable,
    typeWord: description.typeWord,
    surroundings: description.surroundings,
    facts,
    code: new UnitCode(insns),
    kfuncs: kfuncs ? new Map(kfuncs.map((model) => [model.imm, model])) : NO_KFUNCS,
  };
  checkUnit(unit);
  return unit;
}

const NO_KFUNCS: ReadonlyMap<number, KfuncModel> = new Map();
