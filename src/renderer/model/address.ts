/** Addresses and counts as the window reads and writes them. */

/** A 64-bit address as text: `0x…`, lower case, modulo 2^64. */
export function hexAddress(value: bigint): string {
  return '0x' + BigInt.asUintN(64, value).toString(16);
}

/** Reads `0x…` (or bare hexadecimal digits after `0x` was left out); nothing when it is no 64-bit address. */
export function parseAddress(text: string): bigint | undefined {
  const match = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.trim());
  return match ? BigInt('0x' + match[1]) : undefined;
}

/** 1234567 → `1 234 567`, with thin spaces. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

/** `1 byte`, `2 bytes` */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}
