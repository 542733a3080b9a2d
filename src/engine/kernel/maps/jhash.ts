const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** The arbitrary start value that the kernel adds to (JHASH_INITVAL). */
const JHASH_INITVAL = 0xdeadbeef;

/**
 * Bob Jenkins' lookup3 hash of the key, which the kernel's hash maps use (jhash()): 12 bytes a round, little endian, the
 * rest padded with zeros. Result: u32.
 */
export function jhash(key: Uint8Array, initval: number): number {
  const start = (JHASH_INITVAL + key.length + initval) | 0;
  let [a, b, c] = [start, start, start];
  const word = (at: number): number => {
    let value = 0;
    for (let i = 0; i < 4; i++) value |= (key[at + i] ?? 0) << (8 * i);
    return value;
  };
  let at = 0;
  for (; key.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  if (key.length > 0) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    c = ((c ^ b) - rotate(b, 14)) | 0;
    a = ((a ^ c) - rotate(c, 11)) | 0;
    b = ((b ^ a) - rotate(a, 25)) | 0;
    c = ((c ^ b) - rotate(b, 16)) | 0;
    a = ((a ^ c) - rotate(c, 4)) | 0;
    b = ((b ^ a) - rotate(a, 14)) | 0;
    c = ((c ^ b) - rotate(b, 24)) | 0;
  }
  return c >>> 0;
}
