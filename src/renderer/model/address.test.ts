import { expect, it } from 'vitest';
import { counted, grouped, hexAddress, parseAddress } from './address';

it('reads addresses with and without prefix, and nothing else', () => {
  expect(parseAddress('0xffffffff80100020')).toBe(0xffffffff80100020n);
  expect(parseAddress(' FFFF ')).toBe(0xffffn);
  expect(parseAddress('0x10000000000000000')).toBeUndefined();
  expect(parseAddress('sp')).toBeUndefined();
  expect(parseAddress('')).toBeUndefined();
});

it('writes addresses modulo 2^64', () => {
  expect(hexAddress(-16n)).toBe('0xfffffffffffffff0');
  expect(hexAddress(0x1fn)).toBe('0x1f');
});

it('groups digits and counts things', () => {
  expect(grouped(1234567)).toBe('1\u2009234\u2009567');
  expect(grouped(999)).toBe('999');
  expect(counted(1, 'entry', 'entries')).toBe('1 entry');
  expect(counted(2, 'entry', 'entries')).toBe('2 entries');
});
