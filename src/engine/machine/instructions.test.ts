import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hex64, hexToBytes } from '../base/hex';
import { assemble } from '../rv64/assemble';
import { disassemble } from '../rv64/disassemble';
import { findRegister } from '../rv64/registers';
import { TABLE } from '../rv64/table';
import { createMachine } from './machine';
import { ReferenceHart } from './reference/hart';
import { PlainMemory } from './reference/plain-memory';
import type { MachineMemory, MachineStop, Permissions } from './types';

/**
 * Every line of the golden text is `assembly | registers and memory before | registers and memory after, or the stop`.
 * The values were worked out by a separate statement of the manual, not by this machine.
 */
const CASES = readFileSync(new URL('./instructions.golden.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('|').map((part) => part.trim()))
  .map(([assembly = '', before = '', after = '']) => ({ assembly, before, after }));

const TEXT = 0x10000n;
const DATA = 0x20000n;
const DATA_BYTES = 32;

interface Hart {
  pc: bigint;
  readonly memory: MachineMemory;
  getRegister(index: number): bigint;
  setRegister(index: number, value: bigint): void;
  step(): MachineStop;
}

const HARTS: Readonly<Record<string, () => Hart>> = {
  core: () => createMachine(),
  'core with timing': () => createMachine({ timing: 'rocket', caches: true }),
  'core with dual issue': () => createMachine({ timing: 'u74' }),
  'reference hart': () => new ReferenceHart(new PlainMemory()),
};

const codeOf = (assembly: string): Uint8Array =>
  assemble(assembly.replaceAll(';', '\n'), { base: TEXT }).bytes;

/** What the line left, in the words of its third column. */
function outcome(hart: Hart, { assembly, before, after }: (typeof CASES)[number]): string {
  const code = codeOf(assembly);
  for (const region of hart.memory.regions()) hart.memory.unmap(region.base);
  const map = (
    name: string,
    base: bigint,
    size: number,
    permissions: Permissions,
    bytes?: Uint8Array,
  ): void => hart.memory.map({ name, base, size, permissions }, bytes);
  map('text', TEXT, code.length, { r: true, w: false, x: true }, code);
  map('data', DATA, DATA_BYTES, { r: true, w: true, x: false });
  for (let index = 1; index < 32; index++) hart.setRegister(index, 0n);
  for (const [name, value] of pairs(before)) {
    if (name === 'mem') hart.memory.write(DATA, hexToBytes(value));
    else hart.setRegister(findRegister(name)!, BigInt(value));
  }
  hart.pc = TEXT;
  const end = TEXT + BigInt(code.length);
  while (hart.pc !== end) {
    const stop = hart.step();
    if (stop.reason === 'fault') return `! ${stop.cause} ${hex64(stop.address)}`;
    if (stop.reason !== 'limit') return `! ${stop.reason}`;
  }
  return pairs(after)
    .map(([name]) =>
      name === 'mem'
        ? `mem=${bytesToHex(hart.memory.read(DATA, DATA_BYTES))}`
        : `${name}=${hex64(hart.getRegister(findRegister(name)!))}`,
    )
    .join(' ');
}

function pairs(text: string): [string, string][] {
  return text
    .split(' ')
    .filter((word) => word.includes('='))
    .map((word) => word.split('=') as [string, string]);
}

/** Lines that read counters say what a fresh hart without timing gives. */
const readsCounters = ({ assembly }: (typeof CASES)[number]): boolean => assembly.includes('csrr');

describe.each(Object.entries(HARTS))('%s', (_name, make) => {
  test('every line gives what it says', () => {
    const hart = make();
    const lines = CASES.filter((line) => !readsCounters(line));
    const wrong = lines
      .map((line) => ({ ...line, got: outcome(hart, line) }))
      .filter((line) => line.got !== line.after);
    expect(wrong).toEqual([]);
  });
});

// A timing profile makes the cycle counter its own, so these lines hold for the harts without one.
describe.each(Object.entries(HARTS).filter(([name]) => !name.startsWith('core with')))(
  '%s',
  (_name, make) => {
    test('counters and their traps', () => {
      for (const line of CASES.filter(readsCounters))
        expect(outcome(make(), line), line.assembly).toBe(line.after);
    });
  },
);

test('every instruction of the table is there', () => {
  const all = CASES.flatMap(({ assembly }) => [...disassemble(codeOf(assembly), TEXT)]);
  const used = new Set(all.map(({ insn }) => insn?.spec.mnemonic));
  expect(TABLE.map(({ mnemonic }) => mnemonic).filter((mnemonic) => !used.has(mnemonic))).toEqual([]);
});
