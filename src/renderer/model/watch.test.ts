import { describe, expect, test } from 'vitest';
import type { BreakpointSpec, RegisterView } from '../../shared/views';
import { rangeLength, stepped, holds, firstByte } from './byte-range';
import { canWatch, EMPTY_DRAFT, evaluate, sameWatch, specOf, targetName, watchSpecs } from './watch';

const register = (index: number, abi: string, hex: string, bpf?: string): RegisterView => ({
  index,
  abi,
  hex,
  decimal: String(BigInt(hex)),
  changed: false,
  ...(bpf !== undefined && { bpf }),
});
const REGISTERS = [
  register(2, 'sp', '0xffffffc600303e40'),
  register(10, 'a0', '0x10', 'R1'),
  register(21, 's5', '0xffffffc600303e50', 'R10'),
];

describe('an expression', () => {
  test.each([
    ['0x1000', 0x1000n],
    ['0X1000', 0x1000n],
    ['33', 33n],
    ['sp', 0xffffffc600303e40n],
    ['R10 - 8', 0xffffffc600303e48n],
    ['s5+0x10', 0xffffffc600303e60n],
    ['sp + a0 - 1', 0xffffffc600303e4fn],
    ['-1', 2n ** 64n - 1n],
    ['0xffffffffffffffff + 2', 1n],
    ['', undefined],
    ['sp -', undefined],
    ['sp 8', undefined],
    ['a7', undefined],
    ['0x', undefined],
    ['0x11112222333344445', undefined],
    ['8 * 2', undefined],
  ])('%s', (text, value) => {
    expect(evaluate(text, REGISTERS)).toBe(value);
  });
});

describe('a draft', () => {
  test.each([
    ['a register', {}, { kind: 'register', register: 16, when: 'changed' }],
    [
      'a value',
      { registerWhen: 'equals', value: 'sp - 0x40' },
      { kind: 'register', register: 16, when: 'equals', value: '0xffffffc600303e00' },
    ],
    [
      'memory',
      { kind: 'memory', address: 'R10-16', length: '4', memoryWhen: 'read' },
      { kind: 'memory', address: '0xffffffc600303e40', length: 4, when: 'read' },
    ],
  ] as const)('%s', (_name, part, spec) => {
    expect(specOf({ ...EMPTY_DRAFT, ...part }, REGISTERS)).toEqual({ spec });
  });

  test.each([
    ['no value', { registerWhen: 'equals' }, /Write the value/],
    ['no address', { kind: 'memory' }, /Write an address/],
    ['no bytes', { kind: 'memory', address: 'sp', length: '0' }, /1 to 65536 bytes/],
    ['too many', { kind: 'memory', address: 'sp', length: '65537' }, /1 to 65536 bytes/],
    ['no number', { kind: 'memory', address: 'sp', length: 'four' }, /1 to 65536 bytes/],
  ] as const)('%s is a problem', (_name, part, problem) => {
    expect(specOf({ ...EMPTY_DRAFT, ...part }, REGISTERS)).toEqual({
      problem: expect.stringMatching(problem),
    });
  });
});

test('targets: their names, and their watchpoints, which are known apart', () => {
  const a0 = { kind: 'register', register: 10 } as const;
  const bytes = { kind: 'memory', address: '0x10', length: 2 } as const;
  expect(targetName(a0, REGISTERS)).toBe('a0');
  expect(targetName({ kind: 'register', register: 31 }, REGISTERS)).toBe('x31');
  expect(targetName(bytes, REGISTERS)).toBe('2 bytes at 0x10');
  expect(targetName({ ...bytes, length: 1 }, REGISTERS)).toBe('the byte at 0x10');
  const all = [...watchSpecs(a0), ...watchSpecs(bytes)];
  expect(all.map(({ when }) => when)).toEqual(['written', 'changed', 'written', 'changed', 'read']);
  const others: BreakpointSpec[] = [...all, { kind: 'native', address: '0x10' }];
  for (const spec of all) expect(others.filter((other) => sameWatch(spec, other))).toEqual([spec]);
  const equals = { ...a0, when: 'equals', value: '0x10' } as const;
  expect(sameWatch(equals, { ...equals, value: '0x010' })).toBe(true);
  expect(sameWatch(equals, { ...equals, value: '0x11' })).toBe(false);
  expect([0, 1, 31, 32].filter(canWatch)).toEqual([1, 31]);
});

test('a range of bytes grows from where it began, in both directions', () => {
  const one = { anchor: 16n, focus: 16n };
  expect(stepped(one, 1, false)).toEqual({ anchor: 17n, focus: 17n });
  const up = stepped(one, -3, true);
  expect(up).toEqual({ anchor: 16n, focus: 13n });
  expect([firstByte(up), rangeLength(up), holds(up, 13n), holds(up, 17n)]).toEqual([13n, 4, true, false]);
  expect(rangeLength(stepped(up, 5, true))).toBe(3);
  expect(stepped(one, -32, false).focus).toBe(0n);
  expect(stepped({ anchor: 0n, focus: 2n ** 64n - 1n }, 1, true).focus).toBe(2n ** 64n - 1n);
});
