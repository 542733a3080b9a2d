/** What is known about a core's pipeline, as data. Times are in cycles. */

/** Instructions that take the same time. */
export type TimingClass =
  /** Arithmetic and logic with a result in the next cycle. */
  | 'alu'
  /** The same, where a dual-issue core has it in its second pipe only. */
  | 'alu-b'
  /** The same two, where a dual-issue core has it in its late units only. */
  | 'alu-late'
  | 'alu-b-late'
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
  /** Where each fact comes from, or that it is assumed. */
  readonly sources: Readonly<Record<Sourced, string>>;
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
   * do arithmetic (alu, alu-b, alu-late, alu-b-late, cpop) and branches in one cycle.
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
  /** Whether instruction fetch sees stores at once; otherwise stale code is executed until fence.i. */
  readonly coherentFetch: boolean;
}

/** The facts whose source a profile names. */
export type Sourced =
  | 'stages'
  | 'dualIssue'
  | 'latency'
  | 'divide'
  | 'mispredict'
  | 'flush'
  | 'branchCounters'
  | 'returnStack'
  | 'jumpTargets'
  | 'instructionCache'
  | 'dataCache'
  | 'cyclesPerTick'
  | 'coherentFetch';

const LLVM = (file: string): string =>
  `LLVM 19, llvm/lib/Target/RISCV/${file}: latencies, mispredict penalty, pipes.`;

/** Rocket: five stages, one instruction a cycle. */
const ROCKET: TimingProfile = {
  name: 'rocket',
  title: 'Rocket: 5 stages, in order, one instruction a cycle',
  sources: {
    stages: 'Rocket Chip, src/main/scala/rocket/RocketCore.scala: fetch, decode, execute, memory, writeback.',
    dualIssue: 'RocketCore.scala: one instruction is decoded a cycle.',
    latency: `${LLVM('RISCVSchedRocket.td')} RocketCore.scala says what can be bypassed: lw and ld 2, lb and lh 3, the link of jalr 2, CSR reads 3 cycles.`,
    divide:
      'Rocket Chip, Multiplier.scala with divEarlyOut: one bit of quotient a cycle, after skipping leading zeros.',
    mispredict:
      'RocketCore.scala: branches resolve in the memory stage, which costs 3 cycles. SiFive E31 manual, sections 3.2 and 3.3: no penalty for what is predicted rightly, 3 cycles for what is not.',
    flush: 'RocketCore.scala: fence.i flushes in writeback, which costs 4 cycles.',
    branchCounters: 'Rocket Chip, BTB.scala: a history table of 512 counters.',
    returnStack: 'BTB.scala: 6 return addresses.',
    jumpTargets: 'BTB.scala: 28 entries; here 32, because a power of two is needed.',
    instructionCache:
      'Rocket Chip, ICacheParams: 64 sets of 4 ways, blocks of 64 bytes. Nothing gives the miss cost, which depends on what is behind the cache: 20 cycles are assumed.',
    dataCache: 'Rocket Chip, DCacheParams: the same; 20 cycles for a miss are assumed.',
    cyclesPerTick: 'SiFive FU540: time advances once in 1000 cycles (1 MHz at 1 GHz).',
    coherentFetch:
      'Rocket Chip, ICache.scala: stores do not reach the instruction cache; fence.i empties it. RISC-V manual, "Zifencei": nothing else makes stores visible to fetches.',
  },
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
  coherentFetch: false,
};

/** SiFive U74: eight stages, two instructions a cycle, arithmetic early or late in the pipeline. */
const U74: TimingProfile = {
  name: 'u74',
  title: 'SiFive U74: 8 stages, in order, up to two instructions a cycle',
  sources: {
    stages:
      'SiFive FU740-C000 manual, "U74 RISC-V core": two stages each of fetch and decode, address generation, two of data memory access, writeback. LLVM review D153666 has AG, M1, M2, WB, too.',
    dualIssue: `${LLVM('RISCVSchedSiFive7.td')} LLVM review D153666: simple arithmetic and branches execute in AG when their operands are ready and in M2 otherwise; multiplication, cpop, division and addresses need theirs in AG. RISCVSchedSiFive7.td: jumps to registers can wait for theirs as branches can, stores for their data. LLVM reviews D149497 and D155663: bit manipulation by pipe, and that rev8, rotations, clz, ctz and orc.b execute in M2 only. min and max are in pipe B in LLVM 19 and in either from LLVM 20 on; here in either.`,
    latency: `${LLVM('RISCVSchedSiFive7.td')} A result made in M2 is there for an address three cycles after issue, as that of a load. GCC's sifive-7.md agrees on loads and multiplication; it gives arithmetic one cycle, to an address two, the middle between early and late. CSR reads: SiFive E31 manual, section 3.3. sc: as the other atomics; LLVM's file leaves it at one cycle.`,
    divide:
      'RISCVSchedSiFive7.td: 66 cycles at most for 64 bits; that a shorter quotient ends earlier, one bit a cycle, is assumed.',
    mispredict: 'RISCVSchedSiFive7.td: MispredictPenalty = 3.',
    flush: 'Nothing gives it: the seven stages before writeback are assumed to be filled again.',
    branchCounters: 'Taken from the rocket profile; the real tables are larger.',
    returnStack: 'Taken from the rocket profile.',
    jumpTargets: 'Taken from the rocket profile.',
    instructionCache:
      'Linux, arch/riscv/boot/dts/sifive/fu740-c000.dtsi, cpu1: 32 KiB in 128 sets, blocks of 64 bytes, hence 4 ways; 20 cycles for a miss are assumed.',
    dataCache:
      'The same file: 32 KiB in 64 sets, blocks of 64 bytes, hence 8 ways; 20 cycles for a miss are assumed.',
    cyclesPerTick: 'SiFive HiFive Unmatched: time advances once in 1200 cycles (1 MHz at 1.2 GHz).',
    coherentFetch: 'RISC-V manual, "Zifencei": without fence.i nothing makes stores visible to fetches.',
  },
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
      'alu-b-late': 'B',
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
      // Always done late, so the time that their results take is in `latency`.
      'alu-late': { rs1: true, rs2: true, result: false },
      'alu-b-late': { rs1: true, rs2: true, result: false },
      branch: { rs1: true, rs2: true, result: false },
      'branch-back': { rs1: true, rs2: true, result: false },
      jalr: { rs1: true, rs2: false, result: false },
      store: { rs1: false, rs2: true, result: false },
    },
  },
  latency: {
    'alu-late': 3,
    'alu-b-late': 3,
    mul: 3,
    cpop: 3,
    load: 3,
    'load-small': 3,
    amo: 3,
    lr: 3,
    sc: 3,
    csr: 3,
  },
  divide: { base: 2, perBit: 1 },
  mispredict: 3,
  flush: 7,
  branchCounters: 512,
  returnStack: 6,
  jumpTargets: 32,
  instructionCache: { size: 32768, ways: 4, line: 64, miss: 20 },
  dataCache: { size: 32768, ways: 8, line: 64, miss: 20 },
  cyclesPerTick: 1200,
  coherentFetch: false,
};

const DEFINED = 'By definition.';
const NO_COST = 'As rocket; without effect, because a miss costs nothing.';

/** Every instruction takes one cycle, whatever it is. */
const IDEAL: TimingProfile = {
  name: 'ideal',
  title: 'Ideal: every instruction takes one cycle',
  sources: {
    stages: DEFINED,
    dualIssue: DEFINED,
    latency: DEFINED,
    divide: DEFINED,
    mispredict: DEFINED,
    flush: DEFINED,
    branchCounters: NO_COST,
    returnStack: NO_COST,
    jumpTargets: NO_COST,
    instructionCache: NO_COST,
    dataCache: NO_COST,
    cyclesPerTick: 'As rocket.',
    coherentFetch: DEFINED,
  },
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
  coherentFetch: true,
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

/** Whether a word names a timing profile, or `none`. */
export const isTimingName = (name: string): name is TimingName | 'none' =>
  TIMING_NAMES.some((known) => known === name);
