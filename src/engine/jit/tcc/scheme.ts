import type { KernelVersion } from '../../profile/profile';
import type { JitContext } from '../context';
import type { SavedSlot } from '../frame';
import type { TrampolineContext } from '../trampoline/context';
import type { TccCode, TccHome } from './home';

/**
 * A tail call counter scheme: who initialises a6, where a function keeps it and what happens around calls (spec 5).
 * Each scheme is one file with its facts and these hooks; the lowering calls them at the places that their comments name.
 * Nothing else knows a scheme by name but the table in index.ts. {@link PASS_THROUGH} answers most hooks with "nothing".
 */
export interface TccScheme<Rule extends `tcc/${string}` = never> {
  /** The kernels that it is defined for: those that ship it, and those for which there is a patch. */
  readonly kernels: Readonly<Partial<Record<KernelVersion, 'shipped' | 'patch'>>>;
  /**
   * What starts with 33 tail calls of its own (spec 5.2, "semantics"). `entry`: each entry of a program; all that is called
   * from there uses it up. `frame`: also, a caller finds its count as it was before the call. `function`: every function, so
   * subprograms must not tail call.
   */
  readonly budget: 'entry' | 'frame' | 'function';
  /** Names and sentences of the rules that only this scheme has; see RULES, which has the common ones. */
  readonly rules: Readonly<Record<Rule, string>>;
  /**
   * Where the counter is right before the instruction at `offset` executes, in a function whose prologue has set it.
   * @param offset bytes from the image's first byte
   */
  home(code: TccCode, offset: number): TccHome;

  /** Behind the entry nops of func_idx 0: exactly 4 bytes, since tail calls jump behind them. */
  initMain(ctx: JitContext): void;
  /** The same place in every other function. */
  initSubprog(ctx: JitContext): void;

  /** The slot that follows s5 in the frame. */
  slotAfterS5(ctx: JitContext): SavedSlot | undefined;
  /** The slot at the low end of the saved registers. */
  slotLast(ctx: JitContext): SavedSlot | undefined;
  /** Behind the set-up of fp and R10. */
  prologueDone(ctx: JitContext): void;

  /** A call to a helper or kfunc is translated, and is not one of those that become a few instructions. */
  leavingCallSeen(ctx: JitContext): void;
  /** Right before its jump, when the arguments are ready. */
  beforeLeavingCall(ctx: JitContext): void;
  /** Right behind its jump. */
  afterLeavingCall(ctx: JitContext): void;
  beforeBpfCall(ctx: JitContext): void;
  afterBpfCall(ctx: JitContext): void;

  /**
   * Steps 4 and 5 of a tail call (spec 3): leave it if the budget is used up. The branch comes from rule `tcc/test`, by which
   * a debugger knows why a tail call was refused.
   * @param branchOut emits a branch that leaves the tail call if the comparison holds
   */
  takeFromBudget(ctx: JitContext, branchOut: BranchOut): void;
  /** Behind the test for an empty slot: from here on the tail call succeeds. */
  tailCallCertain(ctx: JitContext): void;

  readonly trampoline: TrampolineTcc;
}

/** Emits a branch out of the tail call that is being translated, taken if `rs1 < rs2` or `rs1 <= rs2`, signed. */
export type BranchOut = (condition: 'jslt' | 'jsle', rs1: number, rs2: number) => void;

/** What a scheme does in trampolines on BPF programs (flag TAIL_CALL_CTX, spec 8.3). */
export interface TrampolineTcc {
  /** The trampoline's frame has a slot for the counter. */
  readonly hasSlot: boolean;
  /**
   * The kernel sets TAIL_CALL_CTX for every trampoline on a BPF program (spec 5.4.12), not only for those on functions that tail
   * calls can be reached from.
   */
  readonly onEveryBpfTarget?: true;
  /** Behind the frame set-up. */
  entered(t: TrampolineContext): void;
  /** Arguments are in place, the original is called next. */
  beforeOriginal(t: TrampolineContext): void;
  /** Right behind the call of the original. */
  afterOriginal(t: TrampolineContext): void;
  /** Where a trampoline that does not call the original ends its work. */
  withoutOriginal(t: TrampolineContext): void;
  /** Behind the restore of s1, right before the frame is left. */
  leaving(t: TrampolineContext): void;
}

const nothing = (): void => undefined;

/** No slots, no moves: a6 passes through. The starting point of each scheme's code. */
export const PASS_THROUGH = {
  rules: {},
  slotAfterS5: () => undefined,
  slotLast: () => undefined,
  initSubprog: nothing,
  prologueDone: nothing,
  leavingCallSeen: nothing,
  beforeLeavingCall: nothing,
  afterLeavingCall: nothing,
  beforeBpfCall: nothing,
  afterBpfCall: nothing,
  tailCallCertain: nothing,
} as const;

/** The scheme has no part in trampolines. */
export const NO_TRAMPOLINE_TCC: TrampolineTcc = {
  hasSlot: false,
  entered: nothing,
  beforeOriginal: nothing,
  afterOriginal: nothing,
  withoutOriginal: nothing,
  leaving: nothing,
};
