/**
 * JSON with the two values that requests and events carry beyond it: bigint and Uint8Array. An object with the single
 * key `$bigint` or `$bytes` stands for one of them; no view has such a key.
 */

const CHUNK = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // In chunks: an argument list has a limit.
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** A value as text for the wire. */
export function encodeMessage(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return { $bigint: item.toString() };
    if (item instanceof Uint8Array) return { $bytes: toBase64(item) };
    return item;
  });
}

/** The value of a text from the wire. @throws SyntaxError for anything that is no such text. */
export function decodeMessage(text: string): unknown {
  return JSON.parse(text, (_key, item: unknown) => {
    if (item === null || typeof item !== 'object') return item;
    const record = item as Record<string, unknown>;
    if (typeof record.$bigint === 'string' && /^-?\d+$/.test(record.$bigint)) return BigInt(record.$bigint);
    if (typeof record.$bytes === 'string') return decodeBytes(record.$bytes);
    return item;
  });
}

function decodeBytes(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw new SyntaxError('a $bytes value is not base64');
  }
}
