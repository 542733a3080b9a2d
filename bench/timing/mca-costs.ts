import { timingClassOf } from '../../src/engine/machine/timing/classes';
import type { DecodedInsn } from '../../src/engine/rv64/decode';
import type { BaseMnemonic } from '../../src/engine/rv64/table';

/** The cores whose LLVM models are restated here. */
export type McaCore = 'rocket' | 'u74';

/** The two pipes of a core, as bits; the numerically greater one counts as the higher in llvm-mca. */
export const PIPE_A = 1;
export const PIPE_B = 2;
export const PIPES = PIPE_A | PIPE_B;

/** What LLVM's scheduling model of a core says of one instruction. Times are in cycles. */
export interface McaCost {
  /** From issue until the result is there and the instruction counts as done. */
  readonly latency: number;
  /** The pipes of which it takes one for a cycle; 0: it takes none. */
  readonly pipes: number;
  /** How long it occupies the divider; 0: it needs none. */
  readonly divider: number;
  /** Operands that are read by the late unit: {@link LATE_READ} cycles after issue, if the writer forwards its result. */
  readonly late: { readonly rs1: boolean; readonly rs2: boolean };
  /** Whether late readers may issue before its result is there. */
  readonly forwards: boolean;
}

/** SiFive7's late reads, in cycles after issue. */
export const LATE_READ = 2;

/** Instructions that RISCVSchedRocket.td does not support, beside the classes below. */
const NOT_IN_ROCKET = new Set<BaseMnemonic>(['bext', 'bexti', 'min', 'minu', 'max', 'maxu']);
/** LLVM 19 has them in pipe B; from LLVM 20 on either pipe does them. */
const MIN_MAX = new Set<BaseMnemonic>(['min', 'minu', 'max', 'maxu']);

/** The number of the CSR `cycle`. */
const CYCLE = 0xc00;
const NONE = { rs1: false, rs2: false };
const BOTH = { rs1: true, rs2: true };

/**
 * The cost of an instruction, compressed where an assembler would, in LLVM 19's model of a core (RISCVSchedRocket.td, RISCVSchedSiFive7.td), undefined where the model
 * has none, so that llvm-mca refuses the instruction.
 */
export function mcaCost(core: McaCore, insn: DecodedInsn): McaCost | undefined {
  const { mnemonic, format, extension } = insn.base;
  // Written `unimp`, which is an instruction of its own to LLVM.
  const isUnimp = mnemonic === 'csrrw' && insn.rd === 0 && insn.rs1 === 0 && insn.csr === CYCLE;
  if (isUnimp || format === 'fence' || extension === 'Zacas' || extension === 'Zicond') return undefined;
  if (format === 'none' && mnemonic !== 'ecall') return undefined;
  return core === 'rocket' ? rocketCost(insn) : u74Cost(insn);
}

function rocketCost({ base, imm }: DecodedInsn): McaCost | undefined {
  if (NOT_IN_ROCKET.has(base.mnemonic)) return undefined;
  const cost = (latency: number, divider = 0): McaCost => ({
    latency,
    pipes: 0,
    divider,
    late: NONE,
    forwards: false,
  });
  switch (timingClassOf(base, imm)) {
    case 'alu-b':
    case 'alu-late':
    case 'alu-b-late':
    case 'cpop':
      return undefined;
    case 'mul':
      return cost(4);
    // One cycle more for the shorter one: so it stands there.
    case 'div':
      return base.mnemonic.endsWith('w') ? cost(34, 34) : cost(33, 33);
    case 'load':
    case 'amo':
    case 'lr':
      return cost(2);
    case 'load-small':
      return cost(3);
    default:
      return cost(1);
  }
}

function u74Cost(insn: DecodedInsn): McaCost {
  const { spec, base, imm } = insn;
  const isNop = base.mnemonic === 'addi' && insn.rd === 0 && insn.rs1 === 0 && imm === 0;
  if (isNop) return { latency: 1, pipes: 0, divider: 0, late: NONE, forwards: false };
  const arithmetic = { latency: 3, divider: 0, late: BOTH, forwards: true };
  const other = { divider: 0, late: NONE, forwards: false };
  switch (base.mnemonic === 'ecall' ? 'jal' : timingClassOf(base, imm)) {
    case 'alu':
      // Alone among the forms of addi this one is said to read nothing late.
      if (spec.mnemonic === 'c.addi4spn') return { ...arithmetic, pipes: PIPES, late: NONE };
      return { ...arithmetic, pipes: MIN_MAX.has(base.mnemonic) ? PIPE_B : PIPES };
    case 'alu-late':
      return { ...arithmetic, pipes: PIPES };
    case 'alu-b':
    case 'alu-b-late':
      return { ...arithmetic, pipes: PIPE_B };
    case 'mul':
    case 'cpop':
      return { ...arithmetic, pipes: PIPE_B, late: NONE };
    case 'div':
      return base.mnemonic.endsWith('w')
        ? { latency: 34, pipes: PIPE_B, divider: 33, late: NONE, forwards: true }
        : { latency: 66, pipes: PIPE_B, divider: 65, late: NONE, forwards: true };
    case 'load':
    case 'load-small':
      return { ...arithmetic, pipes: PIPE_A, late: NONE };
    case 'store':
      return { ...other, latency: 1, pipes: PIPE_A, late: { rs1: false, rs2: true } };
    case 'branch':
    case 'branch-back':
    case 'jal':
    case 'jalr':
      return { ...other, latency: 3, pipes: PIPE_B, late: BOTH };
    case 'amo':
    case 'lr':
      return { ...other, latency: 3, pipes: PIPE_A };
    case 'sc':
      return { ...other, latency: 1, pipes: PIPE_A };
    default:
      return { ...other, latency: 1, pipes: PIPE_B };
  }
}
