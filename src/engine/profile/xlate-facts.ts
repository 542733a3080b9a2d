import type { KernelVersion } from './profile';

/** What the verifier's walk and rewrites of a kernel do, by name; they ask these facts and never compare versions. */
export interface XlateFacts {
  /** BPF number of the auxiliary register AX that rewrites use (spec 1.1). */
  readonly axRegister: number;
  /** Signed division and modulo are guarded against the least number by -1, too (spec 9.4). */
  readonly signedDivisionPatched: boolean;
  /** Lookups in per-cpu arrays and hashes become plain instructions (spec 9.9). */
  readonly percpuArrayLookupInlined: boolean;
  /** Helper ids that the JIT makes code for itself; they keep their id as imm (spec 6.9). */
  readonly jitInlinedHelpers: readonly number[];
  /** Helpers whose calls keep all registers but r0, so that spills around them can go (bpf_fastcall, spec 9.1 row 3). */
  readonly fastcallHelpers: readonly number[];
  /** bpf_kptr_xchg becomes an exchange instruction. */
  readonly kptrXchgInlined: boolean;
  /** How the kernel says that subprograms and tail calls do not go together under its own scheme. */
  readonly mixingRefusal: string;
  /** tail_call_reachable stays set for functions that are looked at after one that tail calls (spec 9.5). */
  readonly tailCallReachableOverMarks: boolean;
  /** Programs with a tail call report 512 bytes of stack where subprograms may not tail call (spec 9.5). */
  readonly tailCallReservesStack: boolean;
  /** Stack depths are kept to the byte; otherwise in whole 8-byte slots. */
  readonly stackDepthToTheByte: boolean;
  /** Helpers that only read stack memory leave what is known of it in doubt. */
  readonly helperReadsClobberStack: boolean;
  /** Storage getters receive their allocation flags in r5 (spec 9.9). */
  readonly storageGetTakesFlags: boolean;
  /** may_goto is known (spec 9.8). */
  readonly mayGoto: boolean;
  /** may_goto counts time as well as rounds. */
  readonly timedMayGoto: boolean;
  /** A may_goto over nothing is removed like `goto +0`. */
  readonly mayGotoNopRemoved: boolean;
  /** Load-acquire and store-release are known. */
  readonly acquireRelease: boolean;
  /** Rounds in which ranges inform each other (reg_bounds_sync). */
  readonly deductionRounds: number;
  /** Signed ranges from negative to positive inform unsigned ones. */
  readonly rangesAcrossSign: boolean;
  /** A range and known bits that have one value in common give that value. */
  readonly singleValueRanges: boolean;
  /** Products of ranges with negative ends are followed. */
  readonly signedProductRanges: boolean;
  /** Sums that overflow at both ends of a range keep it. */
  readonly wrappedSumRanges: boolean;
  /** Quotients and remainders by a constant are followed. */
  readonly quotientRanges: boolean;
  /** A value that is 0 or -1 is followed as each of them where it is masked. */
  readonly signMasksForked: boolean;
  /** NEG keeps what is known of the value. */
  readonly negationTracked: boolean;
  /** So do byte swaps. */
  readonly byteSwapTracked: boolean;
  /** Known bits that contradict each other decide an equality. */
  readonly bitsDecideEquality: boolean;
  /** A register compared with itself is decided. */
  readonly sameRegisterDecides: boolean;
  /** A way of a branch that leaves no possible value is never taken. */
  readonly contradictionIsDead: boolean;
  /** Branches on constants become plain jumps before paths are walked. */
  readonly constantBranchesPruned: boolean;
  /** Registers that are dead by data flow are ignored when states are compared; before, those not read so far. */
  readonly staticLiveness: boolean;
  /** A spill of half a slot is compared with unknown bytes as a number. */
  readonly halfSlotsCompared: boolean;
  /** The exact value of a register that an atomic operation fetched is looked for in the stack slot it came from. */
  readonly fetchesTrackedBack: boolean;
  /** A lookup of a constant key that an array has for certain needs no test for NULL. */
  readonly constantKeysFound: boolean;
  /** Which differences to a linked scalar are followed: one positive constant, or any number of constants. */
  readonly linkedDeltas: 'positive-once' | 'any';
  /** One more than the number of CPUs that the kernel was built for: napi ids below are none (spec 9.7). */
  readonly minNapiId: number;
  /** CPUs that the machine may have, unless the port says otherwise; bpf_get_smp_processor_id is below it. */
  readonly cpus: number;
  /** Bits of the byte `sk_buff.tstamp_type`: the type of the time, and that the buffer is at ingress. */
  readonly timestampTypeMask: number;
  readonly tcAtIngressMask: number;
  /** The type is one flag (a delivery time or not) and not the number of a clock. */
  readonly timestampTypeIsFlag: boolean;
  /** Every access must be aligned to its size: CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS is not set. */
  readonly strictAlignment: boolean;
  /** Steps of the walk before the kernel gives up. */
  readonly complexityLimit: number;
  /** Functions that may call each other. */
  readonly maxFrames: number;
}

const V6_12: XlateFacts = {
  axRegister: 11,
  signedDivisionPatched: true,
  percpuArrayLookupInlined: true,
  jitInlinedHelpers: [8],
  fastcallHelpers: [8],
  kptrXchgInlined: true,
  mixingRefusal: 'tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls',
  tailCallReachableOverMarks: true,
  tailCallReservesStack: false,
  stackDepthToTheByte: false,
  helperReadsClobberStack: false,
  storageGetTakesFlags: true,
  mayGoto: true,
  timedMayGoto: false,
  mayGotoNopRemoved: false,
  acquireRelease: false,
  deductionRounds: 2,
  rangesAcrossSign: false,
  singleValueRanges: true,
  signedProductRanges: false,
  wrappedSumRanges: false,
  quotientRanges: false,
  signMasksForked: true,
  negationTracked: false,
  byteSwapTracked: false,
  bitsDecideEquality: true,
  sameRegisterDecides: false,
  contradictionIsDead: false,
  constantBranchesPruned: false,
  staticLiveness: false,
  halfSlotsCompared: false,
  fetchesTrackedBack: false,
  constantKeysFound: false,
  linkedDeltas: 'positive-once',
  minNapiId: 129,
  cpus: 1,
  timestampTypeMask: 3,
  tcAtIngressMask: 4,
  timestampTypeIsFlag: false,
  strictAlignment: true,
  complexityLimit: 1_000_000,
  maxFrames: 8,
};

const V6_6: XlateFacts = {
  ...V6_12,
  signedDivisionPatched: false,
  percpuArrayLookupInlined: false,
  jitInlinedHelpers: [],
  fastcallHelpers: [],
  kptrXchgInlined: false,
  tailCallReservesStack: true,
  stackDepthToTheByte: true,
  helperReadsClobberStack: true,
  mayGoto: false,
  singleValueRanges: false,
  signMasksForked: false,
  bitsDecideEquality: false,
  timestampTypeMask: 1,
  tcAtIngressMask: 2,
  timestampTypeIsFlag: true,
};

const V7_2: XlateFacts = {
  ...V6_12,
  axRegister: 12,
  jitInlinedHelpers: [8, 35, 158],
  fastcallHelpers: [8, 35, 158],
  mixingRefusal: 'mixing of tail_calls and bpf-to-bpf calls is not supported',
  mayGotoNopRemoved: true,
  acquireRelease: true,
  deductionRounds: 3,
  rangesAcrossSign: true,
  signedProductRanges: true,
  wrappedSumRanges: true,
  quotientRanges: true,
  negationTracked: true,
  byteSwapTracked: true,
  bitsDecideEquality: true,
  sameRegisterDecides: true,
  contradictionIsDead: true,
  constantBranchesPruned: true,
  staticLiveness: true,
  maxFrames: 16,
  halfSlotsCompared: true,
  fetchesTrackedBack: true,
  constantKeysFound: true,
  linkedDeltas: 'any',
  minNapiId: 257,
};

/** The facts of each kernel. */
export const XLATE_FACTS: Readonly<Record<KernelVersion, XlateFacts>> = {
  '6.6': V6_6,
  '6.12': V6_12,
  '7.2': V7_2,
  '7.3': {
    ...V7_2,
    tailCallReachableOverMarks: false,
    storageGetTakesFlags: false,
    timedMayGoto: true,
  },
};
