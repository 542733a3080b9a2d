import { EngineError } from './errors';

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hex of the bytes in memory order, without prefix or separators. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

/**
 * Bytes of a hex text; white space is allowed anywhere between bytes' digits.
 * @throws EngineError `base/hex` for an odd number of digits or a character that is none.
 */
export function hexToBytes(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  const wrong = digits.search(/[^0-9a-fA-F]/);
  if (wrong >= 0) {
    throw new EngineError(
      'base/hex',
      `'${digits[wrong]}' at digit ${wrong} is not a hexadecimal digit; write bytes as 00 to ff.`,
      { digit: wrong },
    );
  }
  if (digits.length % 2 !== 0) {
    throw new EngineError(
      'base/hex',
      `The hex text has ${digits.length} digits; bytes need an even number.`,
      { digits: digits.length },
    );
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** A 64-bit value or address as the project writes it: `0x…`, lower case, no padding, taken modulo 2^64. */
export function hex64(value: bigint): string {
  return '0x' + BigInt.asUintN(64, value).toString(16);
}
