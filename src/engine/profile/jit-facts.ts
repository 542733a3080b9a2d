import type { KernelVersion } from './profile';

/** How a kernel extends a kfunc's narrow arguments before the call (spec 4.3). */
export type KfuncArgumentExtension = 'none' | 'int32-only' | 'by-model';

/**
 * What differs between the kernels in the code their JIT makes, by name. Lowering code asks these facts and never
 * compares versions. Units: BPF register numbers, counts of argument slots.
 */
export interface JitFacts {
  /** BPF number of the auxiliary register AX; the number below a larger one is the stack-argument pseudo register (spec 1.1). */
  readonly axRegister: number;
  /** kCFI type words can stand before the entries (spec 2.1). */
  readonly supportsCfi: boolean;
  /** A tail call adds the size of the type word to an address that already lies behind it (spec 2.4). */
  readonly tailCallCountsTypeWordTwice: boolean;
  /** Bit manipulation extensions are looked for; otherwise the base forms are made whatever the CPU has (spec 6.1). */
  readonly usesZba: boolean;
  readonly usesZbb: boolean;
  /** Compare-and-swap by amocas where the CPU has Zacas. */
  readonly usesZacas: boolean;

  readonly kfuncArgumentExtension: KfuncArgumentExtension;
  /** Operands of 32-bit compares are extended straight into t1 and t2; before, they were copied first (spec 6.5). */
  readonly jmp32ExtendsInPlace: boolean;
  /** 8- and 16-bit MOVSX go through sextb/sexth; before, through shifts by way of t1 (spec 6.4). */
  readonly movsxByExtension: boolean;
  /** Atomics that fetch, and exchanges, are made with aq and rl set (spec 6.10). */
  readonly fetchOrdered: boolean;
  /** The copy of R0 that compare-and-exchange compares with may be compressed. */
  readonly compareCopyCompressed: boolean;
  /** Load-acquire and store-release are known opcodes. */
  readonly acquireRelease: boolean;
  /** Arena loads, stores and casts are known (PROBE_MEM32, cast_user). */
  readonly arena: boolean;
  /** Atomics on arena memory are known (PROBE_ATOMIC). */
  readonly arenaAtomics: boolean;
  /** The move that turns a per-cpu offset into an address is known. */
  readonly perCpuMove: boolean;
  /** bpf_get_smp_processor_id becomes a load from thread_info (spec 6.9). */
  readonly inlinesSmpProcessorId: boolean;
  /** bpf_get_current_task and its _btf form become a move from tp (spec 6.9). */
  readonly inlinesCurrentTask: boolean;
  /** may_goto may call arch_bpf_timed_may_goto, which answers in AX and not in R0. */
  readonly timedMayGoto: boolean;

  readonly trampoline: TrampolineFacts;
}

/** How the kernels' trampolines differ (spec 8). */
export interface TrampolineFacts {
  /** Most arguments of a traced function, and whether that counts 8-byte slots or arguments. */
  readonly argumentLimit: { readonly count: number; readonly unit: 'slots' | 'arguments' };
  /** Only arguments that are structs may take more than one slot. */
  readonly wideArgumentsAreStructs: boolean;
  /** The original is entered behind its patched entry always; otherwise only when the frame is skipped. */
  readonly originalAlwaysPastEntry: boolean;
  /** Two nops follow the call of the original, to be poked when the trampoline retires. */
  readonly nopsAfterOriginal: boolean;
  /** Each program call starts with a nop that can be patched into a jump past it. */
  readonly detachableCalls: boolean;
  /** A return value that struct_ops returns is extended by its size and signedness. */
  readonly extendsStructOpsReturn: boolean;
  /** struct_ops trampolines are marked by a flag (INDIRECT); before, they were known by their missing function address. */
  readonly structOpsFlag: boolean;
  /** fsession programs: the meta slot, session cookies and cleared result. */
  readonly sessions: boolean;
  /** The slot count is made by the general load-immediate. */
  readonly slotCountByLoadImmediate: boolean;
  /** The buffer is sized with the longest possible address of the image object; otherwise by a run with the real one. */
  readonly sizedByWorstCase: boolean;
}

const TRAMPOLINE_6_12: TrampolineFacts = {
  argumentLimit: { count: 12, unit: 'arguments' },
  wideArgumentsAreStructs: false,
  originalAlwaysPastEntry: false,
  nopsAfterOriginal: true,
  detachableCalls: false,
  extendsStructOpsReturn: true,
  structOpsFlag: true,
  sessions: false,
  slotCountByLoadImmediate: false,
  sizedByWorstCase: true,
};

const TRAMPOLINE_7_2: TrampolineFacts = {
  ...TRAMPOLINE_6_12,
  originalAlwaysPastEntry: true,
  nopsAfterOriginal: false,
  detachableCalls: true,
  sessions: true,
  slotCountByLoadImmediate: true,
};

const FACTS_6_12: JitFacts = {
  axRegister: 11,
  supportsCfi: true,
  tailCallCountsTypeWordTwice: true,
  usesZba: true,
  usesZbb: true,
  usesZacas: false,
  kfuncArgumentExtension: 'int32-only',
  jmp32ExtendsInPlace: true,
  movsxByExtension: true,
  fetchOrdered: true,
  compareCopyCompressed: true,
  acquireRelease: false,
  arena: true,
  arenaAtomics: false,
  perCpuMove: true,
  inlinesSmpProcessorId: true,
  inlinesCurrentTask: false,
  timedMayGoto: false,
  trampoline: TRAMPOLINE_6_12,
};

const FACTS_6_6: JitFacts = {
  ...FACTS_6_12,
  supportsCfi: false,
  tailCallCountsTypeWordTwice: false,
  usesZba: false,
  usesZbb: false,
  kfuncArgumentExtension: 'none',
  jmp32ExtendsInPlace: false,
  movsxByExtension: false,
  fetchOrdered: false,
  compareCopyCompressed: false,
  arena: false,
  perCpuMove: false,
  inlinesSmpProcessorId: false,
  trampoline: {
    ...TRAMPOLINE_6_12,
    argumentLimit: { count: 8, unit: 'slots' },
    wideArgumentsAreStructs: true,
    extendsStructOpsReturn: false,
    structOpsFlag: false,
    sizedByWorstCase: false,
  },
};

const FACTS_7_2: JitFacts = {
  ...FACTS_6_12,
  axRegister: 12,
  tailCallCountsTypeWordTwice: false,
  usesZacas: true,
  kfuncArgumentExtension: 'by-model',
  acquireRelease: true,
  arenaAtomics: true,
  inlinesCurrentTask: true,
  trampoline: TRAMPOLINE_7_2,
};

/** The facts of each kernel. A new kernel is one entry here and one in the layouts. */
export const JIT_FACTS: Readonly<Record<KernelVersion, JitFacts>> = {
  '6.6': FACTS_6_6,
  '6.12': FACTS_6_12,
  '7.2': FACTS_7_2,
  '7.3': { ...FACTS_7_2, timedMayGoto: true },
};
