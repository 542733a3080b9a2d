import { describe, expect, test } from 'vitest';
import { bytesToHex } from '../base/hex';
import { EngineError } from '../base/errors';
import { assemble } from './assemble';
import { disassemble } from './disassemble';
import { encode } from './encode';
import { loadImmediate } from './asm/li';
import { print } from './print';
import { decode } from './decode';
import { TABLE } from './table';
import { assembleWithLlvm, hasLlvmAssembler } from './testing/llvm-mc';
import { Random } from './testing/random';
import { samplesOf } from './testing/samples';

const BASE = 0x80000000n;

/** The disassembly, so that expectations can be read. */
const listing = (source: string, options: Parameters<typeof assemble>[1] = {}): readonly string[] =>
  [...disassemble(assemble(source, { base: BASE, ...options }).bytes, options?.base ?? BASE)].map(
    ({ text }) => text,
  );

const hexOf = (source: string): string => bytesToHex(assemble(source, { base: BASE }).bytes);

describe('instructions', () => {
  test('a function with labels, comments and pseudo-instructions', () => {
    const source = `
      # sum of 1 to a0
      sum:    mv   a1, a0        // count
              li   a0, 0; li a2, 1
      1:      beqz a1, 2f        /* done? */
              add  a0, a0, a1
              addi a1, a1, -1
              j    1b
      2:      ret
    `;
    expect(listing(source)).toEqual([
      'mv a1, a0',
      'li a0, 0',
      'li a2, 1',
      'beqz a1, 0x8000001c',
      'add a0, a0, a1',
      'addi a1, a1, -1',
      'j 0x8000000c',
      'ret',
    ]);
    expect(assemble(source, { base: BASE }).labels).toEqual(new Map([['sum', BASE]]));
  });

  test.each([
    ['bgt a0, a1, .', 'blt a1, a0, 0x80000000'],
    ['ble a0, a1, .', 'bge a1, a0, 0x80000000'],
    ['bgtu a0, a1, .', 'bltu a1, a0, 0x80000000'],
    ['bleu a0, a1, .', 'bgeu a1, a0, 0x80000000'],
    ['jal .+8', 'jal 0x80000008'],
    ['jal t0, .+8', 'jal t0, 0x80000008'],
    ['jalr a0', 'jalr a0'],
    ['jalr 8(a0)', 'jalr 8(a0)'],
    ['jalr t0, a0', 'jalr t0, a0'],
    ['jalr t0, a0, 8', 'jalr t0, 8(a0)'],
    ['jr -4(t1)', 'jr -4(t1)'],
    ['add a0, a1, 5', 'addi a0, a1, 5'],
    ['sllw a0, a1, 31', 'slliw a0, a1, 31'],
    ['sltu a0, a1, 5', 'sltiu a0, a1, 5'],
    ['zext.b a0, a1', 'andi a0, a1, 255'],
    ['lw a0, (a1)', 'lw a0, 0(a1)'],
    ['sd fp, -(2*8)(sp)', 'sd s0, -16(sp)'],
    ['lr.d.aq x10, (x11)', 'lr.d.aq a0, (a1)'],
    ['amocas.d.aqrl a0, a1, 0(a2)', 'amocas.d.aqrl a0, a1, (a2)'],
    ['fence', 'fence'],
    ['fence rw, w', 'fence rw, w'],
    ['csrw 0x7c0, a0', 'csrw 0x7c0, a0'],
    ['csrw mstatus, 3', 'csrwi mstatus, 3'],
    ['rdtime a0', 'rdtime a0'],
    ["li a0, 'A'", 'li a0, 65'],
    ['lui a0, %hi(0x12345fff)', 'lui a0, 0x12346'],
    ['addi a0, a0, %lo(0x12345fff)', 'addi a0, a0, -1'],
    ['ADDI A0, A0, 1 << 4 | 1', 'addi a0, a0, 17'],
  ])('%s', (source, text) => {
    expect(listing(source)).toEqual([text]);
  });

  test('addresses relative to pc', () => {
    const source = `
      main: la a0, data
            call far
            tail main
      1:    auipc a1, %pcrel_hi(data)
            ld a1, %pcrel_lo(1b)(a1)
      data: .dword main
    `;
    const { bytes, labels } = assemble(source, { base: BASE, symbols: { far: 0x80012344n } });
    const lines = [
      ...disassemble(bytes.subarray(0, 32), BASE, {
        symbol: (address) => (address === 0x80012344n ? 'far' : undefined),
      }),
    ];
    expect(lines.map(({ text }) => text)).toEqual([
      'auipc a0, 0x0',
      'addi a0, a0, 32 # 0x80000020',
      'auipc ra, 0x12',
      'jalr 828(ra) # 0x80012344 <far>',
      'auipc t1, 0x0',
      'jr -16(t1) # 0x80000000',
      'auipc a1, 0x0',
      'ld a1, 8(a1) # 0x80000020',
    ]);
    expect(labels.get('data')).toBe(0x80000020n);
    expect(bytesToHex(bytes.subarray(32))).toBe('0000008000000000');
  });

  test('addresses in the upper half', () => {
    const base = 0xffffffff80000000n;
    const { bytes, labels } = assemble('f: j f\n.dword f', { base });
    expect(labels.get('f')).toBe(base);
    expect(bytesToHex(bytes)).toBe('6f000000000000' + '80ffffffff');
  });

  test('li makes any constant', () => {
    const mask = (1n << 64n) - 1n;
    const random = new Random(0x11);
    const values = [
      0n,
      1n,
      -1n,
      2047n,
      2048n,
      -2048n,
      -2049n,
      0x7fffffffn,
      0x80000000n,
      -0x80000000n,
      0x7ffff800n,
      1n << 63n,
      mask >> 1n,
    ];
    for (let bit = 0n; bit < 64n; bit++) values.push(1n << bit, (1n << bit) - 1n, ~(1n << bit));
    for (let count = 0; count < 2000; count++) {
      values.push(((BigInt(random.u32()) << 32n) | BigInt(random.u32())) >> BigInt(random.below(64)));
    }
    for (const value of values) {
      let a0 = 0n;
      const insns = loadImmediate(10, value);
      for (const { mnemonic, operands } of insns) {
        const imm = BigInt(operands.imm!);
        const source = operands.rs1 === 10 ? a0 : 0n;
        if (mnemonic === 'lui') a0 = BigInt.asIntN(32, imm << 12n);
        else if (mnemonic === 'addi') a0 = source + imm;
        else if (mnemonic === 'addiw') a0 = BigInt.asIntN(32, source + imm);
        else if (mnemonic === 'slli') a0 = source << imm;
        else expect(mnemonic).toBe('a mnemonic that this test knows');
        a0 &= mask;
      }
      expect(a0).toBe(value & mask);
      expect(insns.length).toBeLessThanOrEqual(8);
      const words = insns.map(({ mnemonic, operands }) => encode(mnemonic, operands));
      expect(assemble(`li a0, ${value}`).bytes.length).toBe(4 * words.length);
    }
  });
});

describe('directives', () => {
  test.each([
    ['.byte 1, -1, 0xff', '01ffff'],
    ['.half 0x1234', '3412'],
    ['.word -2, 0xfffffffe', 'fefffffffeffffff'],
    ['.dword 0x123456789abcdef0', 'f0debc9a78563412'],
    ['.ascii "a#b;\\n", "//"', '6123623b0a2f2f'],
    ['.asciz "\\"x\\""', '22782200'],
    ['.zero 3\n.byte 1', '00000001'],
    ['.byte 1\n.balign 8', '01000100' + '13000000'],
    ['.byte 1\n.align 2, 0xee', '01eeeeee'],
    ['.set x, 3\ny = x * 2 + 1\n.byte y', '07'],
    ['a: .word b - a\nb:', '04000000'],
    ['.byte 1 + 2 << 3, (1 + 2) << 3, ~0 & 7, -7 / 2, 7 % 4', '111807fd03'],
    ['.option rvc\nmv a0, a1\n.option norvc\nmv a0, a1', '2e85' + '13850500'],
  ])('%s', (source, bytes) => {
    expect(hexOf(source)).toBe(bytes);
  });
});

describe('wrong sources are refused with their line', () => {
  test.each([
    ['nop\nfrobnicate a0', /^Line 2: 'frobnicate' is no instruction/],
    ['addi a0, a1', /^Line 1: addi: 3 operands are needed, 2 are given; it is written 'addi rd, rs1, imm'/],
    [
      'addi a0, a1, 2048',
      /^Line 1: addi: the immediate is 2048, but it must be a whole number from -2048 to 2047/,
    ],
    ['addi a0, q1, 5', /^Line 1: addi: 'q1' is no register/],
    ['lw a0, a1', /'a1' is not written as imm\(rs1\)/],
    ['j nowhere', /^Line 1: 'nowhere' is not defined/],
    ['x: nop\nx: nop', /^Line 2: 'x' is defined twice/],
    ['beq a0, a1, 0x2000', /^Line 1: beq: the immediate is 8192/],
    ['beq a0, a1, 3', /steps of 2/],
    ['c.lw t0, 0(a0)', /rd is t0, but only s0, s1 and a0 to a5/],
    ['c.lui a0, 0', /imm = 0 is reserved/],
    ['.byte 256', /^Line 1: 256 does not fit into 1 bytes/],
    ['.zero x\nx:', /^Line 1: 'x' is not defined/],
    ['x: .zero x', /^Line 1: 'x' is an address; a constant is needed here/],
    ['.set a, b\n.set b, a\n.word a', /is defined by itself/],
    ['.byte 1/0', /divides by zero/],
    ['.byte 08', /octal/],
    ['.byte 1 +', /'1 \+' is no expression/],
    ['.ascii "abc', /^Line 1: a quoted text does not end/],
    ['nop\n/* abc', /^Line 2: a comment/],
    ['.data', /^Line 1: the directive \.data is not supported/],
    ['.zero 1 << 40', /takes a number from 0 to/],
    ['call far', /'far' is not defined/],
    ['la a0, 1 << 40', /too far away/],
    ['lw a0, %pcrel_lo(x)(a0)\nx:', /must be the label of an auipc/],
    ['fence q, w', /no set of the letters/],
    ['li a0', /^Line 1: li takes 2 operands/],
  ])('%s', (source, message) => {
    expect(() => assemble(source)).toThrow(EngineError);
    expect(() => assemble(source)).toThrow(message);
  });
});

const llvm = hasLlvmAssembler();

if (!llvm)
  test.skip('SKIPPED: llvm-mc-19 is not installed, so nothing compares our assembly with it', () =>
    undefined);

describe.skipIf(!llvm)('LLVM makes the same bytes', () => {
  /** All instructions, printed with their pseudo-instructions, and branches among them to labels near and far. */
  function program(seed: number): string {
    const random = new Random(seed);
    const straight = TABLE.filter(
      ({ format, extension }) => extension !== 'C' && format !== 'branch' && format !== 'j',
    );
    const lines: string[] = [];
    for (let index = 0; index < 1200; index++) {
      if (index % 4 === 0) lines.push(`L${index / 4}:`);
      const label = `L${Math.min(299, Math.max(0, Math.floor(index / 4) + random.below(160) - 80))}`;
      const register = random.pick(['a0', 's1', 't0', 's11']);
      if (index % 5 === 0)
        lines.push(
          random.pick([
            `j ${label}`,
            `beqz ${register}, ${label}`,
            `bnez ${register}, ${label}`,
            `blt a0, ${register}, ${label}`,
          ]),
        );
      else {
        const samples = samplesOf(random.pick(straight), random, 1);
        const { mnemonic, operands } = random.pick(samples);
        const { text } = print(decode(encode(mnemonic, operands))!, 0n, { aliases: index % 2 === 0 });
        lines.push(text);
      }
    }
    return lines.join('\n') + '\n';
  }

  test.each([
    [
      'zero on either side of a comparison',
      'x: beq zero, s1, x\nbne zero, a0, x\nbeq a0, zero, x\nbeq zero, t0, x',
    ],
    ['addiw of zero, but not into zero', 'addiw a0, zero, 5\naddiw zero, zero, 0\naddiw zero, zero, 5'],
    [
      'zero on either side of an addition',
      'add a0, a1, zero\nadd a0, zero, a1\nadd zero, zero, a1\nadd a0, zero, zero',
    ],
  ])('compressed: %s', (_name, source) => {
    const theirs = assembleWithLlvm(`${source}\n`, { compress: true });
    expect(bytesToHex(assemble(source, { compress: true }).bytes)).toBe(bytesToHex(theirs));
  });

  test.each([false, true])('compressed: %s', (compress) => {
    for (const seed of [1, 2, 3, 4]) {
      const source = program(seed);
      const ours = assemble(source, { compress }).bytes;
      const theirs = assembleWithLlvm(source, { compress });
      expect([...disassemble(ours, 0n)].map(({ text, size }) => `${size} ${text}`)).toEqual(
        [...disassemble(theirs, 0n)].map(({ text, size }) => `${size} ${text}`),
      );
      expect(bytesToHex(ours)).toBe(bytesToHex(theirs));
    }
  });
});
