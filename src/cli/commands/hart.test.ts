import { expect, test } from 'vitest';
import { assemble } from '../../engine/rv64/assemble';
import { buildElf } from '../../engine/machine/testing/elf';
import { cli } from '../testing/run';

const BASE = 0x8000_0000n;
const elf = (source: string): Uint8Array =>
  buildElf(BASE, [{ address: BASE, bytes: assemble(source, { base: BASE }).bytes, flags: 7 }]);

const LOOP = 'li a7, 93\n1: addi a0, a0, 1\nslti a1, a0, 100\nbnez a1, 1b\necall';
const files = { 'loop.elf': elf(LOOP), 'bad.elf': elf('ld a0, 0(zero)'), 'text.elf': 'no ELF' };

interface Result {
  readonly exitCode: number | null;
  readonly instructions: number;
  readonly cycles: number | null;
  readonly seconds: number;
  readonly stop: { readonly reason: string; readonly pc: string; readonly text: string };
}

test('a program that ends itself: exit code 0 and the keys of the contract', async () => {
  const { code, json } = await cli(['hart', 'loop.elf', '--json'], { files });
  expect(code).toBe(0);
  const result = json<Result>();
  // Two wrong predictions at the start, one at the end.
  expect(result).toMatchObject({
    exitCode: 100,
    instructions: 301,
    cycles: 301 + 9,
    stop: { reason: 'exit', pc: '0x80000010' },
  });
  expect(result.seconds).toBeGreaterThan(0);
});

test.each([
  ['none', null],
  ['ideal', 301],
  ['u74', 309],
] as const)('--timing %s', async (timing, cycles) => {
  const { json } = await cli(['hart', 'loop.elf', '--timing', timing, '--json'], { files });
  expect(json<Result>().cycles).toBe(cycles);
});

test('limits and faults: exit code 1, no exit code of the program', async () => {
  const limit = await cli(['hart', 'loop.elf', '--max-insns', '50', '--json'], { files });
  expect(limit.code).toBe(1);
  expect(limit.json<Result>()).toMatchObject({ exitCode: null, instructions: 50, stop: { reason: 'limit' } });
  const fault = await cli(['hart', 'bad.elf', '--json'], { files });
  expect(fault.code).toBe(1);
  expect(fault.json<Result>()).toMatchObject({
    exitCode: null,
    stop: { reason: 'fault', pc: '0x80000000', address: '0x0' },
  });
});

test('for people: how it ended, counts, where the cycles went', async () => {
  const { out } = await cli(['hart', 'loop.elf'], { files });
  expect(out).toMatch(/ended by ecall at 0x80000010 with exit code 100/);
  expect(out).toMatch(/instructions +301/);
  expect(out).toMatch(/lost: branch +9/);
});

test('wrong use: exit code 2 and one line', async () => {
  for (const argv of [
    ['hart'],
    ['hart', 'loop.elf', '--timing', 'z80'],
    ['hart', 'text.elf'],
    ['hart', 'loop.elf', '--max-insns', 'x'],
  ]) {
    const { code, err, out } = await cli(argv, { files });
    expect([code, out, err.trim().split('\n').length]).toEqual([2, '', 1]);
  }
});

test('a file that is none: the sentence asks for an executable, not for a BPF object', async () => {
  const { err } = await cli(['hart', 'text.elf'], { files });
  expect(err).toMatch(/text\.elf is not an ELF file .*; give an executable for RV64\.\n$/);
});
