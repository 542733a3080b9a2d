/**
 * The two secure hashes of FIPS 180-4 that the kernel builds program tags from. Written for short inputs (program text),
 * not for speed.
 */

const BLOCK_BYTES = 64;

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const rotateRight = (value: number, by: number): number => (value >>> by) | (value << (32 - by));

/** The message with its 0x80 byte, zero padding and 64-bit big-endian bit count (FIPS 180-4 section 5.1.1). */
function padded(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
  const message = new Uint8Array(length);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  return view;
}

/** Runs `compress` over every block and returns the state as big-endian bytes. */
function digest(
  bytes: Uint8Array,
  initial: readonly number[],
  compress: (state: Uint32Array, block: DataView, at: number) => void,
): Uint8Array {
  const state = Uint32Array.from(initial);
  const message = padded(bytes);
  for (let at = 0; at < message.byteLength; at += BLOCK_BYTES) compress(state, message, at);
  const out = new Uint8Array(state.length * 4);
  const view = new DataView(out.buffer);
  state.forEach((word, i) => view.setUint32(4 * i, word));
  return out;
}

/** SHA-1 of the bytes: 20 bytes. */
export function sha1(bytes: Uint8Array): Uint8Array {
  return digest(bytes, [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0], (state, block, at) => {
    const w = new Uint32Array(80);
    for (let t = 0; t < 16; t++) w[t] = block.getUint32(at + 4 * t);
    for (let t = 16; t < 80; t++) w[t] = rotateLeft(w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!, 1);
    let [a, b, c, d, e] = [state[0]!, state[1]!, state[2]!, state[3]!, state[4]!];
    for (let t = 0; t < 80; t++) {
      const [f, k] =
        t < 20
          ? [(b & c) | (~b & d), 0x5a827999]
          : t < 40
            ? [b ^ c ^ d, 0x6ed9eba1]
            : t < 60
              ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
              : [b ^ c ^ d, 0xca62c1d6];
      const next = (rotateLeft(a, 5) + f + e + k + w[t]!) | 0;
      [a, b, c, d, e] = [next, a, rotateLeft(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, i) => (state[i] = state[i]! + word));
  });
}

/** The first `bits` of the fractional part of a root of n as a 32-bit word, found in integers. */
function rootFraction(n: number, cube: boolean): number {
  // floor(root(n) * 2^32) by bisection; roots of the first 64 primes are below 2^5.
  const wanted = BigInt(n) << (cube ? 96n : 64n);
  let low = 0n;
  let high = 1n << 37n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    const power = cube ? middle * middle * middle : middle * middle;
    if (power <= wanted) low = middle;
    else high = middle;
  }
  return Number(BigInt.asUintN(32, low));
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  return primes;
}

/** The constants of SHA-256 are the fractions of roots of the first primes (FIPS 180-4 sections 4.2.2, 5.3.3). */
const SHA256_INITIAL = firstPrimes(8).map((p) => rootFraction(p, false));
const SHA256_ROUND = firstPrimes(64).map((p) => rootFraction(p, true));

/** SHA-256 of the bytes: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return digest(bytes, SHA256_INITIAL, (state, block, at) => {
    const w = new Uint32Array(64);
    for (let t = 0; t < 16; t++) w[t] = block.getUint32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15]!;
      const y = w[t - 2]!;
      const s0 = rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >>> 3);
      const s1 = rotateRight(y, 17) ^ rotateRight(y, 19) ^ (y >>> 10);
      w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
    }
    const v = Array.from(state);
    for (let t = 0; t < 64; t++) {
      const [a, b, c, d, e, f, g, h] = v as [number, number, number, number, number, number, number, number];
      const s1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + SHA256_ROUND[t]! + w[t]!) | 0;
      const s0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      v.unshift((t1 + t2) | 0);
      v[4] = (d + t1) | 0;
      v.pop();
    }
    v.forEach((word, i) => (state[i] = state[i]! + word));
  });
}
