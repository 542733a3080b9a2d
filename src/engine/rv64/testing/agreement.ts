/**
 * Our disassembly against LLVM's, for tests only. What is normalised:
 *
 * - white space, and the `<symbol+offset>` behind addresses (objdump.ts);
 * - the fields of lui and auipc and CSRs without a name, which LLVM shows in decimal and we, as GNU, in hexadecimal;
 * - shifts by 0 of compressed instructions, which LLVM calls c.slli64, c.srli64, c.srai64;
 * - the field of the HINT `c.lui zero`, which LLVM shows with a sign;
 * - LLVM calls an all-zero halfword `unimp` or `c.unimp`: for us it is no instruction;
 * - LLVM 19 shows c.lui with an immediate of 0, which the manual reserves (GNU's disassembler says so too).
 */
import { disassemble, type DisassembledInsn } from '../disassemble';
import { hex64 } from '../../base/hex';
import type { PlacedCode } from './elf';
import { disassembleWithLlvm, type OracleLine } from './objdump';

const UNKNOWN = '<unknown>';

/** The number `digits` in hexadecimal; negative ones as the 20-bit field that they stand for. */
const hex = (digits: string): string => '0x' + (Number(digits) & 0xfffff).toString(16);

function normalised({ mnemonic, operands }: OracleLine): string {
  const parts = operands.split(', ');
  const inHex = (index: number): void => {
    const part = parts[index]!;
    if (/^-?\d+$/.test(part)) parts[index] = hex(part);
  };
  if (/^(c\.lui|lui|auipc)$/.test(mnemonic)) inHex(1);
  if (/^csrr/.test(mnemonic)) inHex(1);
  if (/^csr[wsc]i?$/.test(mnemonic)) inHex(0);
  const text = `${mnemonic} ${parts.join(', ')}`.trim();
  return text.replace(/^(c\.s[lr][la]i)64 (\w+)$/, '$1 $2, 0');
}

/** c.lui with an immediate of 0: nothing but rd is set beside the opcode. */
const isReservedLui = ({ word, size }: DisassembledInsn): boolean =>
  size === 2 && (word & ~0x0f80) === 0x6001;

const ours = ({ insn, mnemonic, operands }: DisassembledInsn): string =>
  insn === undefined ? UNKNOWN : `${mnemonic} ${operands}`.trim();

/** Instructions of the privileged architecture: LLVM has them always, the table has not. */
const PRIVILEGED =
  /^(mret|sret|mnret|dret|wfi|sfence\.\S+|hfence\.\S+|hinval\.\S+|sinval\.\S+|hlv\S*|hsv\S*)\b/;

/** What to compare: a piece of code, and how messages name it. */
export interface ComparedCode extends PlacedCode {
  readonly label: string;
}

/** The two read a piece of code differently. */
export interface Disagreement {
  /** Which piece, counted from 0, and its label. */
  readonly index: number;
  readonly label: string;
  /** Each line that differs. */
  readonly lines: readonly string[];
}

/**
 * The pieces of code in which the two disagree, with pseudo-instructions (`aliases`) or without.
 * @param onCompared told how many instructions of each piece were compared
 */
export function disagreements(
  pieces: readonly ComparedCode[],
  aliases: boolean,
  onCompared: (instructions: number) => void = () => undefined,
): readonly Disagreement[] {
  const found: Disagreement[] = [];
  let index = 0;
  for (const oracle of disassembleWithLlvm(pieces, { aliases })) {
    const { label, bytes, address } = pieces[index]!;
    const lines = differences(disassemble(bytes, address, { aliases, compressed: !aliases }), oracle);
    if (lines.length > 0) found.push({ index, label, lines });
    index++;
    onCompared(oracle.length);
  }
  return found;
}

function differences(mine: Iterable<DisassembledInsn>, oracle: readonly OracleLine[]): readonly string[] {
  const found: string[] = [];
  let index = 0;
  for (const line of mine) {
    const other = oracle[index++];
    if (other && line.address === other.address && agree(line, other)) continue;
    const theirs = other ? `'${normalised(other)}' at ${hex64(other.address)}` : 'nothing';
    found.push(`${line.word.toString(16)} at ${hex64(line.address)}: ours '${ours(line)}', LLVM ${theirs}`);
  }
  if (index < oracle.length) found.push(`LLVM has ${oracle.length - index} more lines than we have`);
  return found;
}

function agree(line: DisassembledInsn, other: OracleLine): boolean {
  // Most often there is nothing to normalise.
  if (line.mnemonic === other.mnemonic && line.operands === other.operands) return true;
  const text = ours(line);
  const theirs = normalised(other);
  return (
    text === theirs ||
    (line.word === 0 && text === UNKNOWN && /unimp$/.test(theirs)) ||
    (text === UNKNOWN && PRIVILEGED.test(theirs)) ||
    (text === UNKNOWN && isReservedLui(line))
  );
}
