import type { BaseMnemonic, BaseSpec } from '../../rv64/table';
import * as layout from '../core/layout';
import type { TimingClass } from './profile';

/** The core's number of each class. */
export const CLASS_NUMBERS: Readonly<Record<TimingClass, number>> = {
  alu: layout.CLASS_ALU,
  'alu-b': layout.CLASS_ALU_B,
  mul: layout.CLASS_MUL,
  div: layout.CLASS_DIV,
  load: layout.CLASS_LOAD,
  'load-small': layout.CLASS_LOAD_SMALL,
  store: layout.CLASS_STORE,
  branch: layout.CLASS_BRANCH,
  'branch-back': layout.CLASS_BRANCH_BACK,
  jal: layout.CLASS_JAL,
  jalr: layout.CLASS_JALR,
  amo: layout.CLASS_AMO,
  lr: layout.CLASS_LR,
  sc: layout.CLASS_SC,
  csr: layout.CLASS_CSR,
  fence: layout.CLASS_FENCE,
  cpop: layout.CLASS_CPOP,
  'alu-late': layout.CLASS_ALU_LATE,
  'alu-b-late': layout.CLASS_ALU_B_LATE,
};

/** Bit manipulation that the U74 has in pipe B only (LLVM reviews D149497 and D155663). */
const SECOND_PIPE = new Set<BaseMnemonic>([
  ...(['sh1add', 'sh2add', 'sh3add', 'sh1add.uw', 'sh2add.uw', 'sh3add.uw'] as const),
  ...(['bclr', 'bclri', 'binv', 'binvi', 'bset', 'bseti'] as const),
]);
/** And that which it has in the late unit of pipe B only (D149497); rev8 is in both late units. */
const SECOND_PIPE_LATE = new Set<BaseMnemonic>([
  ...(['rol', 'ror', 'rori', 'rolw', 'rorw', 'roriw', 'clz', 'clzw', 'ctz', 'ctzw', 'orc.b'] as const),
]);

/** The timing class of an instruction; `imm` tells backward branches. */
export function timingClassOf(spec: BaseSpec, imm: number): TimingClass {
  const { mnemonic, format, extension } = spec;
  switch (format) {
    case 'load':
      return mnemonic === 'lw' || mnemonic === 'lwu' || mnemonic === 'ld' ? 'load' : 'load-small';
    case 'store':
      return 'store';
    case 'branch':
      return imm < 0 ? 'branch-back' : 'branch';
    case 'j':
      return 'jal';
    case 'jalr':
      return 'jalr';
    case 'lr':
      return 'lr';
    case 'amo':
    case 'amopair':
      return mnemonic === 'sc.w' || mnemonic === 'sc.d' ? 'sc' : 'amo';
    case 'csr':
    case 'csri':
      return 'csr';
    case 'fence':
    case 'none':
      return 'fence';
    default:
      if (extension === 'M') return mnemonic.startsWith('mul') ? 'mul' : 'div';
      if (mnemonic === 'cpop' || mnemonic === 'cpopw') return 'cpop';
      if (mnemonic === 'rev8') return 'alu-late';
      if (SECOND_PIPE_LATE.has(mnemonic)) return 'alu-b-late';
      return SECOND_PIPE.has(mnemonic) ? 'alu-b' : 'alu';
  }
}
