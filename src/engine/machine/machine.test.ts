import { describe, expect, test } from 'vitest';
import { enc } from '../rv64/enc';
import { createMachine } from './machine';
import type { Machine } from './types';

const TEXT = 0xffffffff_78000000n;
const DATA = 0xffffffff_80001000n;
const TRAP = 0xffffffff_90000000n;

function code(...words: number[]): Uint8Array {
  const bytes: number[] = [];
  for (const word of words) {
    const size = (word & 3) === 3 ? 4 : 2;
    for (let i = 0; i < size; i++) bytes.push((word >>> (8 * i)) & 0xff);
  }
  return Uint8Array.from(bytes);
}

function machineWith(...words: number[]): Machine {
  const machine = createMachine();
  machine.memory.map(
    { name: 'text', base: TEXT, size: 8192, permissions: { r: true, w: false, x: true } },
    code(...words),
  );
  machine.memory.map({ name: 'data', base: DATA, size: 100, permissions: { r: true, w: true, x: false } });
  machine.memory.map({
    name: 'helpers',
    base: TRAP,
    size: 4096,
    permissions: { r: false, w: false, x: true },
    trap: true,
  });
  machine.pc = TEXT;
  return machine;
}

describe('runs', () => {
  test('a loop with exact limits and counters', () => {
    const machine = machineWith(
      enc.addi(10, 0, 0),
      enc.addi(11, 0, 10),
      enc.add(10, 10, 11),
      enc.addi(11, 11, -1),
      enc.bne(11, 0, -8),
      enc.ebreak(),
    );
    expect(machine.run(7)).toEqual({ reason: 'limit', pc: TEXT + 16n });
    expect(machine.run(1000)).toEqual({ reason: 'ebreak', pc: TEXT + 20n });
    expect(machine.getRegister(10)).toBe(55n);
    expect(machine.counters()).toEqual({ instructions: 32n, loads: 0n, stores: 0n, cycles: null });
  });

  test('loads, stores and faults with their address', () => {
    const machine = machineWith(enc.sd(6, 5, 8), enc.lw(7, 6, 8), enc.ld(7, 6, 95), enc.ebreak());
    machine.setRegister(5, 0x1234_5678_9abc_def0n);
    machine.setRegister(6, DATA);
    const stop = machine.run(10);
    expect(stop).toMatchObject({
      reason: 'fault',
      cause: 'load-access-fault',
      pc: TEXT + 8n,
      address: DATA + 100n,
    });
    expect(machine.getRegister(7)).toBe(0xffff_ffff_9abc_def0n);
    expect(machine.memory.readU64(DATA + 8n)).toBe(0x1234_5678_9abc_def0n);
    expect(machine.counters()).toMatchObject({ instructions: 2n, loads: 1n, stores: 1n });
  });

  test('a call into a trap region', () => {
    const machine = machineWith(enc.jalr(1, 5, 2), enc.ebreak());
    machine.setRegister(5, TRAP + 6n);
    expect(machine.run(10)).toEqual({ reason: 'trap', pc: TRAP + 8n });
    expect(machine.getRegister(1)).toBe(TEXT + 4n);
    machine.pc = machine.getRegister(1);
    expect(machine.run(10).reason).toBe('ebreak');
  });

  test('breakpoints: stopped before, skipped first, stepped over', () => {
    const machine = machineWith(enc.addi(10, 10, 1), enc.addi(10, 10, 1), enc.jal(0, -8));
    machine.setBreakpoint(TEXT + 4n);
    expect(machine.run(10)).toEqual({ reason: 'breakpoint', pc: TEXT + 4n });
    expect(machine.run(10).pc).toBe(TEXT + 4n);
    expect(machine.run(10, { skipFirst: true })).toEqual({ reason: 'breakpoint', pc: TEXT + 4n });
    expect(machine.counters().instructions).toBe(4n);
    expect(machine.step()).toEqual({ reason: 'limit', pc: TEXT + 8n });
    machine.clearBreakpoint(TEXT + 4n);
    expect(machine.run(10).reason).toBe('limit');
  });

  test('code written later is seen after fenceI()', () => {
    const machine = machineWith(enc.addi(10, 10, 1), enc.jal(0, -4));
    machine.run(2);
    machine.memory.write(TEXT, code(enc.addi(10, 10, 100)));
    machine.run(2);
    expect(machine.getRegister(10)).toBe(2n);
    machine.fenceI();
    machine.run(2);
    expect(machine.getRegister(10)).toBe(102n);
  });

  test('a snapshot brings back registers, memory, mappings, counters and stale code', () => {
    const machine = machineWith(enc.addi(10, 10, 1), enc.sd(6, 10, 0), enc.jal(0, -8));
    machine.setRegister(6, DATA);
    machine.run(6);
    machine.memory.write(TEXT, code(enc.addi(10, 10, 100)));
    const snapshot = machine.snapshot();
    machine.fenceI();
    machine.memory.unmap(TRAP);
    machine.memory.map({ name: 'new', base: TRAP, size: 8, permissions: { r: true, w: true, x: false } });
    machine.run(3);
    expect(machine.memory.readU64(DATA)).toBe(102n);
    machine.restore(snapshot);
    expect(machine.memory.readU64(DATA)).toBe(2n);
    expect(machine.memory.regionAt(TRAP)?.name).toBe('helpers');
    expect(machine.counters()).toEqual(snapshot.counters);
    machine.run(3);
    expect(machine.memory.readU64(DATA)).toBe(3n);
    machine.fenceI();
    machine.run(3);
    expect(machine.memory.readU64(DATA)).toBe(103n);
  });
});

test('a loop over the end of a page, and a jump back over it', () => {
  const machine = createMachine();
  const words = Array.from({ length: 2060 }, () => enc.addi(10, 10, 1));
  words.push(enc.addi(11, 11, -1), enc.bne(11, 0, -1600), enc.ebreak());
  machine.memory.map(
    { name: 'text', base: TEXT + 2n, size: 16384, permissions: { r: true, w: false, x: true } },
    code(...words),
  );
  machine.pc = TEXT + 2n;
  machine.setRegister(11, 50n);
  machine.setBreakpoint(TEXT + 2n + 8192n);
  let stops = 0;
  while (machine.run(1_000_000, { skipFirst: true }).reason === 'breakpoint') stops++;
  // The page ends inside an instruction; 399 additions are done again each round.
  expect([stops, machine.getRegister(10)]).toEqual([50, 2060n + 49n * 399n]);
  expect(machine.counters().instructions).toBe(2060n + 2n + 49n * 401n);
});
