import { describe, expect, it } from 'vitest';
import { assemble } from './assemble';
import type { BpfInsn } from './insn';
import { validateProgram } from './validate';

const insn = (code: number, fields: Partial<BpfInsn> = {}): BpfInsn => ({
  code,
  dst: 0,
  src: 0,
  off: 0,
  imm: 0,
  ...fields,
});
const EXIT = insn(0x95);

describe('validateProgram', () => {
  it.each([
    ['r0 = 0\nexit'],
    ['r0 = 0\nif r0 == 1 goto out\nr1 = 0x1234567890\nout: exit'],
    ['call f\nexit\nf: w0 = 1\nexit'],
    ['a: r0 = 1\nmay_goto pc+1\ngoto a\nexit'],
    ['r1 = 0x1\ngotol pc+0\nexit'],
  ])('accepts %j', (text) => {
    expect(() => validateProgram(assemble(text).insns)).not.toThrow();
  });

  const REFUSED: readonly (readonly [string, readonly BpfInsn[], string, RegExp])[] = [
    ['nothing', [], 'bpf/end', /no instructions/],
    [
      'an unknown opcode',
      [insn(0xff), EXIT],
      'bpf/opcode',
      /^Instruction 0 \(\.byte\/\(ff\)\): unknown opcode ff\.$/,
    ],
    ['a tail call opcode', [insn(0xf5), EXIT], 'bpf/opcode', /made by the kernel itself/],
    ['a probing load', [insn(0x39), EXIT], 'bpf/opcode', /made by the kernel itself/],
    ['an unknown atomic', [insn(0xdb, { imm: 2 }), EXIT], 'bpf/opcode', /no atomic operation 0x2/],
    ['an 8-bit atomic add', [insn(0xd3), EXIT], 'bpf/opcode', /32 or 64 bits/],
    ['r11', [insn(0xb7, { dst: 11 }), EXIT], 'bpf/register', /no register r11/],
    ['a source r12', [insn(0xbf, { src: 12 }), EXIT], 'bpf/register', /no register r12/],
    ['a write to r10', [insn(0xb7, { dst: 10 }), EXIT], 'bpf/register', /read only/],
    ['a fetch into r10', [insn(0xdb, { dst: 1, src: 10, imm: 1 }), EXIT], 'bpf/register', /read only/],
    ['a reserved src', [insn(0xb7, { src: 1 }), EXIT], 'bpf/reserved', /field src is reserved/],
    ['a reserved off', [insn(0x07, { off: 1 }), EXIT], 'bpf/reserved', /field off is reserved/],
    ['a reserved imm', [insn(0x0f, { imm: 1 }), EXIT], 'bpf/reserved', /field imm is reserved/],
    ['an exit with imm', [insn(0x95, { imm: 1 })], 'bpf/reserved', /field imm is reserved/],
    ['a zext mark in a program', [insn(0xbc, { imm: 1 }), EXIT], 'bpf/reserved', /imm is reserved/],
    ['a bad sign extension', [insn(0xbc, { off: 32 }), EXIT], 'bpf/reserved', /sign extension/],
    ['a bad byte swap', [insn(0xd7, { imm: 24 }), EXIT], 'bpf/reserved', /16, 32 or 64 bits/],
    [
      'a wide shift',
      [insn(0x64, { imm: 32 }), EXIT],
      'bpf/reserved',
      /shift by 32 is out of range \(0 to 31\)/,
    ],
    ['a division by 0', [insn(0x37), EXIT], 'bpf/reserved', /division by zero/],
    ['a bad division kind', [insn(0x3f, { off: 2 }), EXIT], 'bpf/reserved', /unsigned \(0\) or signed \(1\)/],
    ['half a load', [insn(0x18)], 'bpf/end', /takes two slots/],
    ['a bad second slot', [insn(0x18), insn(0, { off: 1 }), EXIT], 'bpf/reserved', /second slot/],
    ['a bad pseudo', [insn(0x18, { src: 7 }), insn(0), EXIT], 'bpf/reserved', /unknown kind 7/],
    ['a jump out', [insn(0x05, { off: 5 }), EXIT], 'bpf/jump', /goes to slot 6, out of its function/],
    ['a jump before the start', [insn(0x05, { off: -3 }), EXIT], 'bpf/jump', /slot -2/],
    [
      'a jump into a load',
      [insn(0x05, { off: 1 }), insn(0x18), insn(0), EXIT],
      'bpf/jump',
      /middle of a 64-bit load/,
    ],
    ['a call out', [insn(0x85, { src: 1, imm: 99 }), EXIT], 'bpf/jump', /out of the program/],
    ['running on', [insn(0xb7)], 'bpf/end', /last instruction of a function/],
    ['a load at the end', [insn(0x18), insn(0)], 'bpf/end', /^Instruction 0 .*last instruction/],
    [
      'a jump between functions',
      assemble('call f\nif r0 == 0 goto pc+1\nexit\nf: r0 = 0\nexit').insns,
      'bpf/jump',
      /out of its function \(slots 0 to 2\)/,
    ],
  ];
  it.each(REFUSED)('refuses %s', (_, insns, code, message) => {
    expect(() => validateProgram(insns)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('allows the kernel’s own instructions behind the verifier', () => {
    const text = 'w1 = w1 zext\nr11 = r1\nr1 = *(u64 *)(r2 +0) probe_mem\ntail_call';
    expect(() => validateProgram(assemble(text).insns, { xlated: true })).not.toThrow();
  });
});
