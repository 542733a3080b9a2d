import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from './codec';

describe('the wire codec', () => {
  it.each([
    ['plain JSON', { a: [1, 'x', null, true], b: { c: 1.5 } }],
    ['bigint', { pc: 0xffffffff78000038n, small: -1n }],
    ['bytes', { data: Uint8Array.from([0, 1, 254, 255]), none: new Uint8Array() }],
    ['more bytes than an argument list holds', Uint8Array.from({ length: 200_000 }, (_, i) => i & 255)],
  ])('brings %s back unchanged', (_what, value) => {
    expect(decodeMessage(encodeMessage(value))).toEqual(value);
  });

  it.each(['', '{', '{"$bytes":"*"}'])('refuses %j with a SyntaxError', (text) => {
    expect(() => decodeMessage(text)).toThrow(SyntaxError);
  });
});
