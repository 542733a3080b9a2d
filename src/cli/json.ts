import { bytesToHex, hex64 } from '../engine/base/hex';

/**
 * One line of JSON by the rules of the command line: 64-bit values as `"0x…"`, bytes as lower-case hex, `undefined`
 * left out of objects.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => {
    if (typeof v === 'bigint') return hex64(v);
    if (v instanceof Uint8Array) return bytesToHex(v);
    if (v instanceof Map) return Object.fromEntries(v);
    return v;
  });
}
