import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import { ALIASES, type Alias } from './aliases';
import { csrName } from './csrs';
import type { DecodedInsn } from './decode';
import { isCompressedHint } from './hints';
import { ABI_NAMES } from './registers';
import type { BaseMnemonic } from './table';

/** How instructions are written. */
export interface PrintOptions {
  /** Show pseudo-instructions such as `ret` and `li`. Default true. */
  readonly aliases?: boolean;
  /** Show compressed instructions as they are (`c.addi a0, 1`), not as what they mean. Default false. */
  readonly compressed?: boolean;
  /** Names an address, for a comment behind the target of a jump or of a pair with auipc. */
  readonly symbol?: (address: bigint) => string | undefined;
  /** The instruction that ends where this one begins: it makes the address of a pair with auipc known. */
  readonly previous?: DecodedInsn | undefined;
}

/** An instruction as text, in its parts. */
export interface PrintedInsn {
  readonly mnemonic: string;
  /** Empty when there are none. */
  readonly operands: string;
  /** What the operands lead to, such as `0xffffffff80001234 <bpf_ktime_get_ns>`; empty when nothing is known. */
  readonly comment: string;
  /** The whole line: mnemonic, operands, `# comment`. */
  readonly text: string;
}

const ALIASES_OF = new Map<BaseMnemonic, Alias[]>();
for (const alias of ALIASES) {
  if (alias.parseOnly) continue;
  const list = ALIASES_OF.get(alias.base);
  if (list) list.push(alias);
  else ALIASES_OF.set(alias.base, [alias]);
}

const fits = ({ fixed, only }: Alias, insn: DecodedInsn): boolean =>
  (only === undefined || only === insn.spec.mnemonic) &&
  (fixed.rd === undefined || fixed.rd === insn.rd) &&
  (fixed.rs1 === undefined || fixed.rs1 === insn.rs1) &&
  (fixed.rs2 === undefined || fixed.rs2 === insn.rs2) &&
  (fixed.imm === undefined || fixed.imm === insn.imm) &&
  (fixed.csr === undefined || fixed.csr === insn.csr);

const ORDERING_SET = [
  '0',
  'w',
  'r',
  'rw',
  'o',
  'ow',
  'or',
  'orw',
  'i',
  'iw',
  'ir',
  'irw',
  'io',
  'iow',
  'ior',
  'iorw',
];

/** The address that a branch or jump leads to, modulo 2^64. */
export function jumpTarget(insn: DecodedInsn, pc: bigint): bigint {
  return u64(pc + BigInt(insn.imm));
}

/**
 * The address that an instruction with a base register and a 12-bit offset makes together with the auipc right before
 * it; undefined when the two are no such pair.
 */
export function auipcPairAddress(
  previous: DecodedInsn | undefined,
  insn: DecodedInsn,
  pc: bigint,
): bigint | undefined {
  if (previous?.base.mnemonic !== 'auipc' || previous.rd === 0 || previous.rd !== insn.rs1) return undefined;
  const { format, mnemonic } = insn.base;
  const adds = format === 'load' || format === 'jalr' || format === 'store' || mnemonic === 'addi';
  if (!adds) return undefined;
  return u64(pc - BigInt(previous.size) + BigInt((previous.imm << 12) | 0) + BigInt(insn.imm));
}

/** Fills the operands into a syntax such as `rd, imm(rs1)`. */
function fill(syntax: string, insn: DecodedInsn, pc: bigint): string {
  return syntax.replace(/[a-z]+[0-9]?/g, (word) => {
    switch (word) {
      case 'rd':
        return ABI_NAMES[insn.rd]!;
      case 'rs1':
        return ABI_NAMES[insn.rs1]!;
      case 'rs2':
        return ABI_NAMES[insn.rs2]!;
      case 'csr':
        return csrName(insn.csr);
      case 'imm':
        return String(insn.imm);
      case 'hex':
        return '0x' + insn.imm.toString(16);
      case 'target':
        return hex64(jumpTarget(insn, pc));
      case 'pred':
        return ORDERING_SET[insn.imm >> 4]!;
      case 'succ':
        return ORDERING_SET[insn.imm & 15]!;
      default:
        return word;
    }
  });
}

function comment(insn: DecodedInsn, pc: bigint, { symbol, previous }: PrintOptions): string {
  const { format } = insn.base;
  if (format === 'branch' || format === 'j') {
    // The address itself stands in the operands.
    const target = jumpTarget(insn, pc);
    const name = symbol?.(target);
    return name === undefined ? '' : `${hex64(target)} <${name}>`;
  }
  const address = auipcPairAddress(previous, insn, pc);
  if (address === undefined) return '';
  const name = symbol?.(address);
  return name === undefined ? hex64(address) : `${hex64(address)} <${name}>`;
}

const ORDERING_SUFFIX = (aq: boolean, rl: boolean): string => (aq ? (rl ? '.aqrl' : '.aq') : rl ? '.rl' : '');

/**
 * The assembly text of an instruction at address `pc`, in the manner of LLVM's disassembler with decimal immediates;
 * the fields of lui and auipc, unnamed CSRs and targets (as absolute addresses) are hexadecimal.
 */
export function print(insn: DecodedInsn, pc: bigint, options: PrintOptions = {}): PrintedInsn {
  let mnemonic: string = insn.base.mnemonic;
  let { syntax } = insn.base.shape;
  if (insn.size === 2 && (options.compressed === true || isCompressedHint(insn))) {
    mnemonic = insn.spec.mnemonic;
    // The operand of c.nop is written only if it is not 0.
    syntax = insn.spec.format === 'cnop' && insn.imm === 0 ? '' : insn.spec.shape.syntax;
  } else if (options.aliases !== false) {
    const alias = ALIASES_OF.get(insn.base.mnemonic)?.find((candidate) => fits(candidate, insn));
    if (alias) ({ name: mnemonic, syntax } = alias);
  }
  mnemonic += ORDERING_SUFFIX(insn.aq, insn.rl);
  const operands = fill(syntax, insn, pc);
  const note = comment(insn, pc, options);
  const text = (operands === '' ? mnemonic : `${mnemonic} ${operands}`) + (note === '' ? '' : ` # ${note}`);
  return { mnemonic, operands, comment: note, text };
}
