import { describe, expect, test } from 'vitest';
import { hexToBytes } from '../base/hex';
import { decode } from './decode';
import { disassemble } from './disassemble';
import { enc } from './encode';
import { print } from './print';
import { registerNumber, REG } from './registers';

const PC = 0xffffffff80000000n;
const names = new Map([
  [0xffffffff80000008n, 'done'],
  [0xffffffff80800010n, 'bpf_ktime_get_ns'],
]);
const symbol = (address: bigint): string | undefined => names.get(address);

const textOf = (word: number, options: Parameters<typeof print>[2] = {}): string =>
  print(decode(word)!, PC, options).text;

describe('print', () => {
  test('names the targets of jumps and branches', () => {
    expect(textOf(enc.jal(0, 8), { symbol })).toBe('j 0xffffffff80000008 # 0xffffffff80000008 <done>');
    expect(textOf(enc.c_beqz(REG.a0, 8), { symbol })).toBe(
      'beqz a0, 0xffffffff80000008 # 0xffffffff80000008 <done>',
    );
    expect(textOf(enc.jal(0, 12), { symbol })).toBe('j 0xffffffff8000000c');
  });

  test('adds up auipc and what follows it', () => {
    const previous = decode(enc.auipc(REG.ra, 0x800))!;
    const options = { symbol, previous };
    expect(textOf(enc.jalr(REG.ra, REG.ra, 20), options)).toBe(
      'jalr 20(ra) # 0xffffffff80800010 <bpf_ktime_get_ns>',
    );
    expect(textOf(enc.ld(REG.a0, REG.ra, 4), options)).toBe('ld a0, 4(ra) # 0xffffffff80800000');
    // Another base register, or no addition of the offset to it: no pair.
    expect(textOf(enc.jalr(REG.ra, REG.t1, 20), options)).toBe('jalr 20(t1)');
    expect(textOf(enc.andi(REG.a0, REG.ra, 20), options)).toBe('andi a0, ra, 20');
  });

  test('shows compressed instructions in three ways', () => {
    const word = enc.c_mv(REG.a0, REG.s6);
    expect(textOf(word)).toBe('mv a0, s6');
    expect(textOf(word, { aliases: false })).toBe('add a0, zero, s6');
    expect(textOf(word, { compressed: true })).toBe('c.mv a0, s6');
  });

  test('gives the parts of a line', () => {
    expect(print(decode(enc.amoadd_d(10, 11, 12, true, true))!, PC)).toEqual({
      mnemonic: 'amoadd.d.aqrl',
      operands: 'a0, a2, (a1)',
      comment: '',
      text: 'amoadd.d.aqrl a0, a2, (a1)',
    });
  });
});

describe('disassemble', () => {
  test('keeps in step over what is no instruction, and ends with the bytes', () => {
    const lines = [...disassemble(hexToBytes('0000 0400 ffffffff 8280 33'), PC)];
    expect(lines.map(({ address, size, text }) => [Number(address - PC), size, text])).toEqual([
      [0, 2, '.2byte 0x0000'],
      [2, 2, '.2byte 0x0004'],
      [4, 4, '.4byte 0xffffffff'],
      [8, 2, 'ret'],
      [10, 1, '.byte 0x33'],
    ]);
  });

  test('shows half of a long instruction at the end as data', () => {
    expect([...disassemble(hexToBytes('1305'), PC)].map(({ text }) => text)).toEqual(['.2byte 0x0513']);
  });
});

test('registers have ABI names, numbers and fp', () => {
  expect(['zero', 'x0', 'fp', 's0', 'x8', 'a6', 's6', 't6', 'x31'].map(registerNumber)).toEqual([
    0, 0, 8, 8, 8, 16, 22, 31, 31,
  ]);
  expect(() => registerNumber('x32')).toThrow(/'x32' is no integer register/);
});
