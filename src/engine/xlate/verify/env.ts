import { EngineError, type ErrorCode } from '../../base/errors';
import type { BpfInsn } from '../../bpf/insn';
import { printInsn } from '../../bpf/print';
import type { XlateFacts } from '../../profile/xlate-facts';
import type { FunctionRange } from '../subprogs';
import type { XlateMap, XlatePort } from '../types';
import type { ArithmeticRules } from './scalar-alu';
import type { ComparisonRules } from './compare';
import type { HistoryEntry } from './history';
import type { LiveSlots } from './live-slots';
import type { RegType } from './reg';
import { type FrameState, VerifierState } from './state';

/** What a value of ld_imm64 stands for; found before the walk (resolve.ts). */
export type Constant64 =
  | { readonly kind: 'number' }
  | { readonly kind: 'map'; readonly map: XlateMap }
  | { readonly kind: 'map-value'; readonly map: XlateMap; readonly offset: number }
  | { readonly kind: 'func'; readonly func: number }
  | { readonly kind: 'ksym'; readonly name: string };

/** Which map a helper call uses, over all paths. */
export type MapUse = { readonly kind: 'one'; readonly map: XlateMap } | { readonly kind: 'several' };

/** Which constant key a call uses, over all paths. */
export type KeyUse = { readonly kind: 'one'; readonly key: number } | { readonly kind: 'several' };

/** How the calls of bpf_loop at an instruction go, over all paths. */
export interface LoopUse {
  inlinable: boolean;
  readonly callback: number;
}

/** What the walk learns of one instruction (struct bpf_insn_aux_data). */
export class InsnFacts {
  /** Some path comes here. */
  seen = false;
  /** Only the low half is defined here, and the upper half is read later. */
  zext = false;
  /** Kind of pointer that a memory access goes through; the same on all paths. */
  pointer: RegType | undefined = undefined;
  map: MapUse | undefined = undefined;
  key: KeyUse | undefined = undefined;
  loop: LoopUse | undefined = undefined;
  /** Bytes of the context field that a narrower load reads. */
  ctxFieldSize = 0;
  /** States are kept here so that later paths can be recognised. */
  prunePoint = false;
  forceCheckpoint = false;
  /** Paths may arrive here otherwise than from the slot before. */
  jumpPoint = false;
  /** A helper that calls a function of the program before it returns. */
  callsCallback = false;
  /** Belongs to a spill or fill around a call that keeps its registers. */
  fastcallPattern = false;
  /** Pairs of such spills and fills around this call. */
  fastcallPairs = 0;
  /** Registers read before they are written, on some way from here: bit r for register r. */
  liveBefore = 0;
}

/** Where the walk goes on with a state. */
export interface PendingPath {
  readonly state: VerifierState;
  readonly insn: number;
  readonly prev: number;
}

/** A remembered state (struct bpf_verifier_state_list). */
export interface Checkpoint {
  readonly state: VerifierState;
  hits: number;
  misses: number;
}

/** What the walk is about. */
export interface VerifyInput {
  readonly insns: readonly BpfInsn[];
  readonly functions: readonly FunctionRange[];
  /** By slot of each ld_imm64. */
  readonly constants: ReadonlyMap<number, Constant64>;
  /** Names of called kernel functions by slot. */
  readonly kfuncs: ReadonlyMap<number, string>;
  readonly progType: number;
  readonly attachType: number;
  readonly flags: number;
  readonly facts: XlateFacts;
  readonly port: XlatePort;
}

/** What callers pass to a global function in one argument. */
export type GlobalArg = 'none' | 'scalar' | 'ctx' | 'memory';

/** What the walk finds about each function. */
export class FunctionFacts {
  stackDepth = 0;
  /** Lowest offset that only spills around fastcall helpers use (fastcall_stack_off); 0 for none. */
  fastcallOffset = 0;
  keepFastcallStack = false;
  isCallback = false;
  isAsyncCallback = false;
  /** A global function that is called: what its arguments are. It is walked on its own. */
  globalArgs: GlobalArg[] | undefined = undefined;
}

/** Everything that the parts of the walk share (struct bpf_verifier_env). */
export class VerifierEnv {
  /** The program, with branches that are decided beforehand replaced. */
  readonly insns: BpfInsn[];
  readonly aux: InsnFacts[];
  readonly functionFacts: FunctionFacts[];
  readonly facts: XlateFacts;
  readonly port: XlatePort;
  readonly arithmetic: ArithmeticRules;
  readonly comparison: ComparisonRules;
  state = new VerifierState([]);
  pending: PendingPath[] = [];
  readonly explored = new Map<number, Checkpoint[]>();
  insn = 0;
  prevInsn = -1;
  ids = 0;
  /** The history entry of the instruction that is being walked, if it has one. */
  currentEntry: HistoryEntry | undefined = undefined;
  /** Instructions walked, over all paths. */
  processed = 0;
  jumps = 0;
  prevProcessed = 0;
  prevJumps = 0;
  /** Paths that ended in a state of a loop that was not finished. */
  readonly backEdges: { readonly old: VerifierState; readonly now: VerifierState }[] = [];
  /** Kernels with static liveness: which stack bytes may still be read. */
  liveSlots: LiveSlots | undefined = undefined;
  /** Models a kernel that forgets, where paths join, that an upper half must be cleared. */
  losesZextAtJoins = false;
  /** The program changes packet data, so that the kernel puts a prologue before it. */
  writesPacket = false;
  /** The program reads __sk_buff.tstamp_type, which changes what tstamp means to it. */
  knowsTimestampType = false;

  constructor(readonly input: VerifyInput) {
    const { facts } = input;
    this.insns = input.insns.slice();
    this.facts = facts;
    this.port = input.port;
    this.aux = input.insns.map(() => new InsnFacts());
    this.functionFacts = input.functions.map(() => new FunctionFacts());
    this.arithmetic = {
      rounds: facts.deductionRounds,
      acrossSign: facts.rangesAcrossSign,
      singleValues: facts.singleValueRanges,
      signedProducts: facts.signedProductRanges,
      wrappedSums: facts.wrappedSumRanges,
      quotients: facts.quotientRanges,
    };
    this.comparison = {
      bitsDecideEquality: facts.bitsDecideEquality,
      sameRegisterDecides: facts.sameRegisterDecides,
    };
  }

  get frame(): FrameState {
    return this.state.frame;
  }

  insnAt(index: number): BpfInsn {
    const insn = this.insns[index];
    if (!insn)
      return this.refuse(
        'path',
        'the path runs past the end of the program',
        Math.max(0, this.insns.length - 1),
      );
    return insn;
  }

  /** Puts another instruction in the place of one. */
  replace(index: number, insn: BpfInsn): void {
    this.insns[index] = insn;
  }

  auxAt(index: number): InsnFacts {
    const aux = this.aux[index];
    if (!aux) throw new EngineError('xlate/insn', `There is no instruction ${index}.`, { insn: index });
    return aux;
  }

  newId(): number {
    return ++this.ids;
  }

  /** Which function the slot belongs to. */
  functionOf(slot: number): number {
    const { functions } = this.input;
    let low = 0;
    let high = functions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (functions[middle]!.start <= slot) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @throws EngineError `xlate/…` that names the instruction and why the kernel would refuse it. */
  refuse(what: string, why: string, index = this.insn): never {
    const text = printInsn(this.insns, index);
    const code: ErrorCode = `xlate/${what}`;
    throw new EngineError(code, `Instruction ${index} (${text}): ${why}.`, { insn: index, text });
  }
}
