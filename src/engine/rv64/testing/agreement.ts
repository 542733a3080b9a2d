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

/** Lines of code at `base` in which the two disagree, with pseudo-instructions (`aliases`) or without. */
export function disagreements(bytes: Uint8Array, base: bigint, aliases: boolean): readonly string[] {
  const oracle = disassembleWithLlvm(bytes, base, { aliases });
  const mine = [...disassemble(bytes, base, { aliases, compressed: !aliases })];
  if (oracle.length !== mine.length) return [`ours has ${mine.length} lines, LLVM's ${oracle.length}`];
  return mine.flatMap((line, index) => {
    const other = oracle[index]!;
    const theirs = normalised(other);
    const text = ours(line);
    const same =
      text === theirs ||
      (line.word === 0 && text === UNKNOWN && /unimp$/.test(theirs)) ||
      (text === UNKNOWN && PRIVILEGED.test(theirs)) ||
      (text === UNKNOWN && isReservedLui(line));
    return same && line.address === other.address
      ? []
      : [`${line.word.toString(16)}: ours '${text}', LLVM '${theirs}'`];
  });
}
