import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bytesToHex } from './hex';
import { sha1, sha256 } from './sha';

const node = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest('hex');

describe('secure hashes', () => {
  it.each([0, 1, 8, 55, 56, 63, 64, 65, 119, 120, 1000])('agree with the host for %i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 131 + 7) & 0xff);
    expect(bytesToHex(sha1(bytes))).toBe(node('sha1', bytes));
    expect(bytesToHex(sha256(bytes))).toBe(node('sha256', bytes));
  });

  it('give the published digest of "abc"', () => {
    const abc = new TextEncoder().encode('abc');
    expect(bytesToHex(sha1(abc))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(bytesToHex(sha256(abc))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
