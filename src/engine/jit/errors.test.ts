import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import type { BpfInsn } from '../bpf/insn';
import { parseProfile, type Profile, type ProfileWords } from './profile';
import { compileProgram } from './subprograms';
import type { JitInput } from './types';

const op = (code: number, dst = 0, src = 0, off = 0, imm = 0): BpfInsn => ({ code, dst, src, off, imm });
const EXIT = op(0x95);
const ZERO = op(0xb7);

function compile(insns: readonly BpfInsn[], more: Partial<JitInput> = {}, profile: Profile = parseProfile()) {
  const input: JitInput = {
    name: 'prog',
    insns,
    subprogs: [{ name: 'prog', start: 0, stackDepth: 0, tailCallReachable: false }],
    verifierZext: true,
    callBase: 0xffffffff80200000n,
    addresses: { perCpuOffset: 0xffffffff81400000n },
    ...more,
  };
  return compileProgram(profile, input, { place: (index) => 0xffffffff78000000n + BigInt(index) * 0x1000n });
}

function errorOf(make: () => unknown): EngineError {
  try {
    make();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('what cannot be compiled is refused with the instruction’s index and text', () => {
  const arena = { arena: { kernVmStart: 0xff20000000000000n, userVmStart: 0x7f0000000000n } };
  const cases: [string, readonly BpfInsn[], Partial<JitInput>, ProfileWords, string, string][] = [
    ['unknown ALU opcode', [ZERO, op(0xef, 1), EXIT], {}, {}, 'jit/opcode', 'Instruction 1'],
    ['negation of a source', [op(0x8c, 1), EXIT], {}, {}, 'jit/opcode', 'takes no source'],
    ['unknown load', [op(0xe1, 1, 2), EXIT], {}, {}, 'jit/opcode', 'Instruction 0'],
    ['may_goto', [op(0xe5, 0, 0, 1), ZERO, EXIT], {}, {}, 'jit/opcode', 'Instruction 0'],
    ['packet load', [op(0x20, 0, 0, 0, 4), EXIT], {}, {}, 'jit/opcode', 'packet loads'],
    ['opcode 0 by itself', [op(0), EXIT], {}, {}, 'jit/opcode', 'Instruction 0'],
    ['register r13', [op(0xbf, 13, 1), EXIT], {}, {}, 'jit/register', 'r13'],
    ['r12 before AX moved', [op(0xbf, 0, 12), EXIT], {}, {}, 'jit/register', 'AX, which is r11'],
    ['shift by 64', [op(0x67, 1, 0, 0, 64), EXIT], {}, {}, 'jit/shift', '0 to 63'],
    ['32-bit shift by 32', [op(0x64, 1, 0, 0, 32), EXIT], {}, {}, 'jit/shift', '0 to 31'],
    ['byte order of 24 bits', [op(0xdc, 1, 0, 0, 24), EXIT], {}, {}, 'jit/opcode', '16, 32 or 64'],
    ['move with off 5', [op(0xbf, 1, 2, 5), EXIT], {}, {}, 'jit/opcode', 'not 5'],
    ['ld_imm64 at the end', [ZERO, op(0x18, 1)], {}, {}, 'jit/ld-imm64', 'Instruction 1'],
    ['jump into ld_imm64', [op(0x05, 0, 0, 1), op(0x18, 1), op(0), EXIT], {}, {}, 'jit/jump', 'middle of the 64-bit load at 1'],
    ['jump behind the end', [op(0x05, 0, 0, 9), EXIT], {}, {}, 'jit/jump', 'leaves the function'],
    ['jump before the start', [op(0x15, 1, 0, -2), EXIT], {}, {}, 'jit/jump', 'leaves the function'],
    ['helper out of reach', [op(0x85, 0, 0, 0, 0x7fffffff), EXIT], { callBase: 0xffffffff80200000n }, {}, 'jit/range', 'bytes away'],
    ['call with src 7', [op(0x85, 0, 7), EXIT], {}, {}, 'jit/opcode', 'not 7'],
    ['kfunc without a model', [op(0x85, 0, 2, 0, 0x100), EXIT], {}, {}, 'jit/kfunc', 'argument model'],
    ['arena access without an arena', [op(0xb9, 1, 2), EXIT], {}, {}, 'jit/arena', 'has none'],
    ['arena access in 6.6', [op(0xb9, 1, 2), EXIT], arena, { kernel: '6.6' }, 'jit/opcode', 'kernel 6.6'],
    ['load-acquire in 6.12', [op(0xdb, 1, 2, 0, 0x100), EXIT], {}, {}, 'jit/opcode', 'imm 0x100'],
    ['narrow atomic', [op(0xd3, 1, 2), EXIT], {}, { kernel: '7.2' }, 'jit/opcode', '1- and 2-byte'],
    ['arena cmpxchg without Zacas', [op(0xfb, 1, 2, 0, 0xf1), EXIT], arena, { kernel: '7.2' }, 'jit/opcode', '_zacas'],
  ]; // prettier-ignore
  it.each(cases)('%s', (_, insns, more, words, code, part) => {
    const error = errorOf(() => compile(insns, more, parseProfile(words)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.message).toMatch(/^Instruction \d+ \(.*\) of prog: .*\.$/);
    expect(error.data['insn']).toBeTypeOf('number');
    expect(error.data['text']).toBeTypeOf('string');
  });

  it('a call to where no function starts', () => {
    const subprogs = [0, 2].map((start) => ({
      name: `f${start}`,
      start,
      stackDepth: 0,
      tailCallReachable: false,
    }));
    const error = errorOf(() => compile([op(0x85, 0, 1, 0, 2), EXIT, ZERO, EXIT], { subprogs }));
    expect([error.code, error.data['insn']]).toEqual(['jit/call', 0]);
  });

  it('a frame that 12-bit offsets do not reach', () => {
    const subprogs = [{ name: 'prog', start: 0, stackDepth: 2032, tailCallReachable: false }];
    const error = errorOf(() => compile([ZERO, EXIT], { subprogs }));
    expect([error.code, error.data['bytes']]).toEqual(['jit/frame', 2048]);
    expect(
      compile([ZERO, EXIT], { subprogs: [{ ...subprogs[0]!, stackDepth: 2016 }] }).functions[0]!.stackSize,
    ).toBe(2032);
  });

  it('kCFI in a kernel without it', () => {
    const error = errorOf(() =>
      compile([ZERO, EXIT], {}, { ...parseProfile({ kernel: '6.6', tcc: 'mainline' }), cfi: true }),
    );
    expect(error.code).toBe('jit/profile');
  });
});

it('a program whose size does not settle in 32 passes is refused as the kernel does', () => {
  // Each pass corrects forward branches only as far as the code before them has not moved by more than a branch reaches.
  const insns: BpfInsn[] = [];
  for (let i = 0; i < 36_000; i++) insns.push(op(0x15, 1, 0, 1), op(0x0f, 1, 2));
  insns.push(ZERO, EXIT);
  const error = errorOf(() => compile(insns));
  expect(error.code).toBe('jit/convergence');
  expect(error.message).toMatch(
    /^Instruction \d+ \(if r1 == 0x0 goto pc\+1\) of prog: the code still changes its size after 32 passes, this one from \d+ to \d+ bytes in the last; /,
  );
  expect(error.data['insn']).toBeTypeOf('number');
});
