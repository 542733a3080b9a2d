/** Bytes written as hexadecimal text, as people type and paste them. */

export type HexInput =
  | { readonly ok: true; readonly hex: string; readonly length: number }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads bytes as hex digits; white space, commas, colons and `0x` before a byte are allowed between bytes.
 * The problem of a wrong text names the character and where it is (line and column, from 1).
 */
export function parseHex(text: string): HexInput {
  let hex = '';
  for (const { index, 0: word } of text.matchAll(/[^\s,:]+/g)) {
    const digits = /^0x/i.test(word) ? word.slice(2) : word;
    const wrong = digits.search(/[^0-9a-f]/i);
    if (wrong >= 0) {
      const at = place(text, index + (word.length - digits.length) + wrong);
      return { ok: false, problem: `“${digits[wrong]}” (${at}) is not a hexadecimal digit.` };
    }
    if (digits === '') return { ok: false, problem: `“${word}” (${place(text, index)}) is no byte.` };
    if (digits.length % 2 !== 0) {
      return {
        ok: false,
        problem: `“${word.slice(0, 12)}” (${place(text, index)}) has an odd number of digits; a byte takes two.`,
      };
    }
    hex += digits.toLowerCase();
  }
  return { ok: true, hex, length: hex.length / 2 };
}

function place(text: string, index: number): string {
  const before = text.slice(0, index).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Bytes as rows of `width` bytes with a wider gap in the middle, as a hex dump shows them. */
export function formatHex(hex: string, width = 16): string {
  const bytes = hex.match(/../g) ?? [];
  const rows: string[] = [];
  for (let i = 0; i < bytes.length; i += width) {
    const row = bytes.slice(i, i + width);
    rows.push([row.slice(0, width / 2).join(' '), row.slice(width / 2).join(' ')].filter(Boolean).join('  '));
  }
  return rows.join('\n');
}

/** A row of a hex dump as characters; bytes that don't print are dots. */
export function asciiOf(bytes: readonly string[]): string {
  return bytes
    .map((byte) => {
      const code = parseInt(byte, 16);
      return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.';
    })
    .join('');
}
