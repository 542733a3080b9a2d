/** What is known about a core's pipeline, as data. Times are in cycles. */

/** Instructions that take the same time. */
export type TimingClass =
  /** Arithmetic and logic with a result in the next cycle. */
  | 'alu'
  /** The same, where a dual-issue core has it in its second pipe only. */
  | 'alu-b'
  | 'mul'
  | 'div'
  /** Loads of 4 and 8 bytes. */
  | 'load'
  /** Loads of 1 and 2 bytes, whose data needs aligning. */
  | 'load-small'
  | 'store'
  | 'branch'
  | 'branch-back'
  | 'jal'
  | 'jalr'
  | 'amo'
  | 'lr'
  | 'sc'
  | 'csr'
  | 'fence'
  /** cpop and cpopw, which some cores have in the multiplier. */
  | 'cpop';

/** Sizes of a cache with least-recently-used replacement. Everything is a power of two. */
export interface CacheShape {
  /** Bytes of all lines. */
  readonly size: number;
  readonly ways: number;
  /** Bytes of a line. */
  readonly line: number;
  /** Cycles that the pipeline waits for a line. */
  readonly miss: number;
}

/** A second issue slot, and units late in the pipeline. */
export interface DualIssue {
  /** The pipes that each class may use; all others may use either. */
  readonly pipes: Readonly<Partial<Record<TimingClass, 'A' | 'B'>>>;
  /** Arithmetic whose operands are not there yet is done this much later, without waiting before issue. */
  readonly lateUnit: number;
  /** Classes that can use the late unit: operands that they read late, and whether their result is then late. */
  readonly late: Readonly<
    Partial<Record<TimingClass, { readonly rs1: boolean; readonly rs2: boolean; readonly result: boolean }>>
  >;
}

/** A timing profile. */
export interface TimingProfile {
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** Where the numbers come from, one sentence each. */
  readonly sources: readonly string[];
  /** What is simplified, one sentence each. */
  readonly simplified: readonly string[];
  /** Names of the stages that an instruction passes, in order. */
  readonly stages: readonly string[];
  /** The stage in which instructions wait for operands, and that which counts as issue: indexes into `stages`. */
  readonly waitStage: number;
  readonly issueStage: number;
  /** Present when two instructions may issue in one cycle. */
  readonly dualIssue?: DualIssue;
  /**
   * Cycles from the issue of an instruction to that of the first instruction which can use its result, when there is one; 1 =
   * the next cycle. Classes that are not listed have 1. Division: see `divide`. Cores that issue one instruction at a time
   * do arithmetic (alu, alu-b, cpop) and branches in one cycle.
   */
  readonly latency: Readonly<Partial<Record<TimingClass, number>>>;
  /** A division takes base + perBit · (significant bits of the quotient) cycles, and no other starts before it ends. */
  readonly divide: { readonly base: number; readonly perBit: number };
  /** Cycles lost by a wrong prediction, and by a flush of the whole pipeline. */
  readonly mispredict: number;
  readonly flush: number;
  /** Two-bit counters that predict branches by address; 0: backward branches are predicted taken, others not. */
  readonly branchCounters: number;
  /** Entries of the return address stack, and of the table that predicts other jumps to registers. */
  readonly returnStack: number;
  readonly jumpTargets: number;
  /** Caches, used when a machine is made with them. */
  readonly instructionCache: CacheShape;
  readonly dataCache: CacheShape;
  /** Cycles per tick of the time register. */
  readonly cyclesPerTick: number;
}

const LLVM = (file: string): string =>
  `LLVM 19, llvm/lib/Target/RISCV/${file}: latencies, mispredict penalty, pipes.`;

/** Rocket: five stages, one instruction a cycle. */
const ROCKET: TimingProfile = {
  name: 'rocket',
  title: 'Rocket: 5 stages, in order, one instruction a cycle',
  sources: [
    LLVM('RISCVSchedRocket.td'),
    'Rocket Chip, src/main/scala/rocket/RocketCore.scala: what can be bypassed (lw and ld 2, lb and lh 3, jalr 2, CSR reads 3 cycles), where branches resolve (memory stage: 3 cycles) and where flushes happen (writeback: 4).',
    'Rocket Chip, BTB.scala: 512 branch counters, 28 targets, return stack of 6.',
    'Rocket Chip, Multiplier.scala with divEarlyOut: one bit of quotient a cycle, after skipping leading zeros.',
    'SiFive E31 Core Complex manual, sections 3.2 and 3.3: no penalty for what is predicted rightly, 3 cycles for what is not.',
    'Rocket Chip, RocketCoreParams and the default caches: 16 KiB, 4 ways, lines of 64 bytes.',
    'SiFive FU540: time advances once in 1000 cycles (1 MHz at 1 GHz).',
  ],
  simplified: [
    'Branch counters have two bits and no global history; every branch and jump is found in the target buffer.',
    'A register that is written again before its slow result arrives delays the first reader, not the second writer.',
    'The multiplier is pipelined, as LLVM has it; the cost of a cache miss is a fixed 20 cycles.',
  ],
  stages: ['IF', 'ID', 'EX', 'MEM', 'WB'],
  waitStage: 1,
  issueStage: 2,
  latency: { mul: 4, load: 2, 'load-small': 3, jalr: 2, amo: 2, lr: 2, sc: 2, csr: 3 },
  divide: { base: 4, perBit: 1 },
  mispredict: 3,
  flush: 4,
  branchCounters: 512,
  returnStack: 6,
  jumpTargets: 32,
  instructionCache: { size: 16384, ways: 4, line: 64, miss: 20 },
  dataCache: { size: 16384, ways: 4, line: 64, miss: 20 },
  cyclesPerTick: 1000,
};

/** SiFive U74: eight stages, two instructions a cycle, arithmetic early or late in the pipeline. */
const U74: TimingProfile = {
  name: 'u74',
  title: 'SiFive U74: 8 stages, in order, up to two instructions a cycle',
  sources: [
    LLVM('RISCVSchedSiFive7.td'),
    'LLVM review D153666: stages AG, M1, M2, WB; simple arithmetic and branches execute in AG when their operands are ready and in M2 otherwise; multiplication, cpop, division and addresses need theirs in AG.',
    'LLVM review D149497: bit manipulation by pipe.',
    'SiFive HiFive Unmatched: time advances once in 1200 cycles (1 MHz at 1.2 GHz).',
  ],
  simplified: [
    'Two instructions of which one needs the other’s result never issue in the same cycle.',
    'Division: 66 cycles is LLVM’s worst case; shorter quotients are assumed to end earlier, one bit a cycle.',
    'Branch prediction has the structure and sizes of the rocket profile; its real tables are larger.',
    'The cost of a cache miss is a fixed 20 cycles.',
  ],
  stages: ['F1', 'F2', 'D1', 'D2', 'AG', 'M1', 'M2', 'WB'],
  waitStage: 3,
  issueStage: 4,
  dualIssue: {
    pipes: {
      'alu-b': 'B',
      mul: 'B',
      cpop: 'B',
      div: 'B',
      branch: 'B',
      'branch-back': 'B',
      jal: 'B',
      jalr: 'B',
      csr: 'B',
      load: 'A',
      'load-small': 'A',
      store: 'A',
      amo: 'A',
      lr: 'A',
      sc: 'A',
      fence: 'A',
    },
    lateUnit: 2,
    late: {
      alu: { rs1: true, rs2: true, result: true },
      'alu-b': { rs1: true, rs2: true, result: true },
      branch: { rs1: true, rs2: true, result: false },
      'branch-back': { rs1: true, rs2: true, result: false },
      store: { rs1: false, rs2: true, result: false },
    },
  },
  latency: { mul: 3, cpop: 3, load: 3, 'load-small': 3, amo: 3, lr: 3, sc: 3, csr: 3 },
  divide: { base: 2, perBit: 1 },
  mispredict: 3,
  flush: 7,
  branchCounters: 512,
  returnStack: 6,
  jumpTargets: 32,
  instructionCache: { size: 32768, ways: 4, line: 64, miss: 20 },
  dataCache: { size: 32768, ways: 8, line: 64, miss: 20 },
  cyclesPerTick: 1200,
};

/** Every instruction takes one cycle, whatever it is. */
const IDEAL: TimingProfile = {
  name: 'ideal',
  title: 'Ideal: every instruction takes one cycle',
  sources: ['By definition.'],
  simplified: [],
  stages: ['IF', 'ID', 'EX', 'MEM', 'WB'],
  waitStage: 1,
  issueStage: 2,
  latency: {},
  divide: { base: 1, perBit: 0 },
  mispredict: 0,
  flush: 0,
  branchCounters: 512,
  returnStack: 6,
  jumpTargets: 32,
  instructionCache: { size: 16384, ways: 4, line: 64, miss: 0 },
  dataCache: { size: 16384, ways: 4, line: 64, miss: 0 },
  cyclesPerTick: 1000,
};

export const TIMING_PROFILES = { rocket: ROCKET, u74: U74, ideal: IDEAL } as const satisfies Record<
  string,
  TimingProfile
>;

export type TimingName = keyof typeof TIMING_PROFILES;

/** The names a user may give, `none` for no timing included. */
export const TIMING_NAMES: readonly (TimingName | 'none')[] = [
  ...(Object.keys(TIMING_PROFILES) as TimingName[]),
  'none',
];

export const isTimingName = (name: string): name is TimingName | 'none' =>
  TIMING_NAMES.some((known) => known === name);
