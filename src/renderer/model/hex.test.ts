import { describe, expect, it } from 'vitest';
import { asciiOf, formatHex, parseHex } from './hex';

describe('parseHex', () => {
  it.each([
    ['', '', 0],
    ['00 ff', '00ff', 2],
    ['0xDE,0xAD:be ef', 'deadbeef', 4],
    ['0102\n0304\t05', '0102030405', 5],
  ])('reads %j', (text, hex, length) => {
    expect(parseHex(text)).toEqual({ ok: true, hex, length });
  });

  it.each([
    ['00 zz', '“z” (line 1, column 4) is not a hexadecimal digit.'],
    ['00 11\n0g', '“g” (line 2, column 2) is not a hexadecimal digit.'],
    ['0x1', '“0x1” (line 1, column 1) has an odd number of digits; a byte takes two.'],
    ['00 0x', '“0x” (line 1, column 4) is no byte.'],
    ['00 123', '“123” (line 1, column 4) has an odd number of digits; a byte takes two.'],
  ])('refuses %j and says where', (text, problem) => {
    expect(parseHex(text)).toEqual({ ok: false, problem });
  });

  it('reads back what formatHex writes', () => {
    const hex = Array.from({ length: 37 }, (_, i) => (i * 7).toString(16).padStart(2, '0')).join('');
    const text = formatHex(hex);
    expect(text.split('\n')).toHaveLength(3);
    expect(parseHex(text)).toEqual({ ok: true, hex, length: 37 });
  });
});

it('shows only printable characters of a dump', () => {
  expect(asciiOf(['48', '69', '00', '7f', '..', '7e'])).toBe('Hi...~');
});
