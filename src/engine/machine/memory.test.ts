import { describe, expect, test } from 'vitest';
import { EngineError } from '../base/errors';
import { createMachine } from './machine';
import type { MachineMemory, Region } from './types';

const RW = { r: true, w: true, x: false };
const region = (base: bigint, size: number, name = 'region'): Region => ({
  name,
  base,
  size,
  permissions: RW,
});

function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof EngineError) return error.code;
    throw error;
  }
  return 'none';
}

function memoryWith(...regions: Region[]): MachineMemory {
  const { memory } = createMachine();
  for (const each of regions) memory.map(each);
  return memory;
}

test('reads and writes span adjacent regions, odd bases and page ends', () => {
  const memory = memoryWith(region(0xff3n, 20), region(0xff3n + 20n, 5000), region(0xff3n + 5020n, 3));
  const bytes = Uint8Array.from({ length: 5023 }, (_, i) => (i * 7) & 0xff);
  memory.write(0xff3n, bytes);
  expect(Buffer.compare(memory.read(0xff3n, 5023), bytes)).toBe(0);
  expect(memory.tryRead(0xff3n, 5024)).toBeUndefined();
  expect(memory.tryRead(0xff2n, 2)).toBeUndefined();
  expect(memory.read(0x5000n, 0)).toEqual(new Uint8Array(0));
});

test('numbers of all sizes, also across regions and pages', () => {
  const memory = memoryWith(region(0x1000n, 0x1001), region(0x2001n, 0x1000));
  for (const address of [0x1000n, 0x1003n, 0x1ffcn, 0x1ffdn, 0x1fffn, 0x2001n]) {
    memory.writeU64(address, 0x1122_3344_5566_7788n);
    expect(memory.readU64(address)).toBe(0x1122_3344_5566_7788n);
    expect(memory.readU32(address)).toBe(0x5566_7788);
    expect(memory.readU16(address)).toBe(0x7788);
    expect(memory.readU8(address)).toBe(0x88);
    memory.writeU32(address, 0xffff_fffe);
    memory.writeU16(address, 0xabcd);
    memory.writeU8(address, 1);
    expect(memory.readU64(address)).toBe(0x1122_3344_ffff_ab01n);
  }
});

test('the top of the address space', () => {
  const memory = memoryWith(region(2n ** 64n - 16n, 16));
  memory.writeU64(2n ** 64n - 8n, 5n);
  expect(memory.readU64(-8n)).toBe(5n);
  expect(errorOf(() => memory.readU64(2n ** 64n - 4n))).toBe('machine/unmapped');
});

test('a write that is not wholly mapped writes nothing', () => {
  const memory = memoryWith(region(0x1000n, 8));
  expect(errorOf(() => memory.write(0x1004n, new Uint8Array(8).fill(1)))).toBe('machine/unmapped');
  expect(memory.readU64(0x1000n)).toBe(0n);
});

test('an unmapped region is gone, and its addresses can be mapped anew, zeroed', () => {
  const memory = memoryWith(region(0x1000n, 4096));
  memory.writeU64(0x1000n, 7n);
  memory.unmap(0x1000n);
  expect(memory.regionAt(0x1000n)).toBeUndefined();
  memory.map(region(0x1000n, 8192, 'again'));
  expect(memory.readU64(0x1000n)).toBe(0n);
  expect(memory.regions().map(({ name }) => name)).toEqual(['again']);
});

describe('what is refused', () => {
  const memory = memoryWith(region(0x1000n, 0x1000), region(0x4000n, 0x1000));
  test.each([
    ['an overlap at the end', () => memory.map(region(0x1fffn, 10)), 'machine/overlap'],
    ['an overlap at the start', () => memory.map(region(0x3ff0n, 17)), 'machine/overlap'],
    ['one around another', () => memory.map(region(0x3000n, 0x4000)), 'machine/overlap'],
    ['no bytes', () => memory.map(region(0x8000n, 0)), 'machine/region'],
    ['beyond the top', () => memory.map(region(2n ** 64n - 8n, 9)), 'machine/region'],
    ['more bytes than fit', () => memory.map(region(0x8000n, 4), new Uint8Array(5)), 'machine/region'],
    ['unmapping what does not begin there', () => memory.unmap(0x1001n), 'machine/unmapped'],
    ['reading a hole', () => memory.read(0x1ff0n, 0x20), 'machine/unmapped'],
    ['a length that is none', () => memory.read(0x1000n, -1), 'machine/length'],
  ] as const)('%s', (_name, action, code) => {
    expect(errorOf(action)).toBe(code);
  });
});

test('touching neighbours is no overlap', () => {
  const memory = memoryWith(region(0x1000n, 0x1000));
  memory.map(region(0x2000n, 1));
  memory.map(region(0xfffn, 1));
  expect(memory.regions().map(({ base }) => base)).toEqual([0xfffn, 0x1000n, 0x2000n]);
});

test('large sparse regions cost only what is written', () => {
  const machine = createMachine({ memoryLimit: 64 << 20 });
  machine.memory.map(region(2n ** 40n, 2 ** 32));
  machine.memory.writeU64(2n ** 40n + 2n ** 31n, 3n);
  expect(machine.memory.readU64(2n ** 40n + 2n ** 31n)).toBe(3n);
  expect(machine.memory.readU64(2n ** 40n + 2n ** 32n - 8n)).toBe(0n);
});

test('a program that writes more than the limit ends in an error that says so', () => {
  const machine = createMachine({ memoryLimit: 4 << 20 });
  machine.memory.map(region(0x100000n, 64 << 20));
  // sd x1, 0(x1); lui x2, 1; add x1, x1, x2; jal x0, -8
  const code = Uint8Array.from([
    0x23, 0xb0, 0x10, 0, 0x37, 0x11, 0, 0, 0xb3, 0x80, 0x20, 0, 0x6f, 0xf0, 0x5f, 0xff,
  ]);
  machine.memory.map(
    { name: 'text', base: 0x1000n, size: 16, permissions: { r: true, w: false, x: true } },
    code,
  );
  machine.pc = 0x1000n;
  machine.setRegister(1, 0x100000n);
  expect(errorOf(() => machine.run(1_000_000))).toBe('machine/memory-exhausted');
});
