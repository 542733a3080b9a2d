import { u64 } from '../base/u64';
import { decode, type DecodedInsn } from './decode';
import { print, type PrintedInsn, type PrintOptions } from './print';

/** One line of a disassembly. */
export interface DisassembledInsn extends PrintedInsn {
  readonly address: bigint;
  /** Bytes: 2 or 4; 1 for a single byte at the end. */
  readonly size: number;
  /** The bits, unsigned, little-endian. */
  readonly word: number;
  /** undefined when the bits are no instruction; the text is then `.2byte 0x…` or `.4byte 0x…`. */
  readonly insn: DecodedInsn | undefined;
}

function unknown(word: number, size: number): PrintedInsn {
  const mnemonic = size === 1 ? '.byte' : `.${size}byte`;
  const operands = '0x' + word.toString(16).padStart(2 * size, '0');
  return { mnemonic, operands, comment: '', text: `${mnemonic} ${operands}` };
}

/**
 * Reads `bytes` as instructions one after the other from address `base` on. Bits that are no instruction are shown as
 * data of the length that their low bits announce, so that the reading stays in step as hardware's would.
 */
export function* disassemble(
  bytes: Uint8Array,
  base: bigint,
  options: Omit<PrintOptions, 'previous'> = {},
): Generator<DisassembledInsn, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let previous: DecodedInsn | undefined;
  let offset = 0;
  while (offset < bytes.length) {
    const left = bytes.length - offset;
    const low = left >= 2 ? view.getUint16(offset, true) : view.getUint8(offset);
    const long = left >= 4 && (low & 3) === 3;
    const word = long ? view.getUint32(offset, true) : low;
    const complete = left >= 2 && (long || (low & 3) !== 3);
    const insn = complete ? decode(word) : undefined;
    const size = insn?.size ?? (long ? 4 : Math.min(left, 2));
    const address = u64(base + BigInt(offset));
    const printed = insn ? print(insn, address, { ...options, previous }) : unknown(word, size);
    yield { address, size, word, insn, ...printed };
    previous = insn;
    offset += size;
  }
}
