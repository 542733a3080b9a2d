import { describe, expect, test } from 'vitest';
import { assembled, DATA, TEXT } from './testing/assembled';
import type { Watch } from './types';

const SOURCE = `
  li a1, 5
  sd a1, 8(a0)
  ld a2, 8(a0)
  sd a2, 8(a0)
  sw zero, 12(a0)
  sb a1, 16(a0)
  amoadd.d a3, zero, (a0)
  addi a2, a2, 0
  addi a2, a2, 1
  ebreak`;

/** Offsets of the instructions that a watchpoint stops after, with the first byte that it names. */
function hits(watch: Watch, source = SOURCE): string[] {
  const { machine } = assembled(source);
  const number = machine.addWatch(watch);
  const found: string[] = [];
  for (;;) {
    const stop = machine.run(1000);
    if (stop.reason !== 'watch') {
      expect(stop.reason).toBe('ebreak');
      return found;
    }
    expect(stop.watch).toBe(number);
    expect(stop.pc).toBe(stop.by + 4n);
    const place = watch.kind === 'memory' ? ` +${stop.address! - DATA}` : '';
    found.push(`${(stop.by - TEXT) / 4n}${place}`);
  }
}

describe('memory', () => {
  const memory = (on: 'read' | 'written' | 'changed', offset: bigint, size: number): Watch => ({
    kind: 'memory',
    on,
    address: DATA + offset,
    size,
  });
  test.each([
    ['written, whatever the value', memory('written', 8n, 8), ['1 +8', '3 +8', '4 +12']],
    ['changed', memory('changed', 8n, 8), ['1 +8']],
    ['read', memory('read', 8n, 8), ['2 +8']],
    ['one byte of it', memory('written', 15n, 1), ['1 +15', '3 +15', '4 +15']],
    ['a range over two stores', memory('written', 14n, 4), ['1 +14', '3 +14', '4 +14', '5 +16']],
    ['an atomic reads', memory('read', 0n, 4), ['6 +0']],
    ['and writes', memory('written', 4n, 4), ['6 +4']],
    ['but changes nothing here', memory('changed', 0n, 8), []],
    ['elsewhere on the page', memory('written', 100n, 8), []],
  ] as const)('%s', (_name, watch, expected) => {
    expect(hits(watch)).toEqual(expected);
  });

  test('an access across two pages, and one that is only partly watched', () => {
    const source = 'li a1, 4092\nadd a0, a0, a1\nsd a1, 0(a0)\nld a2, 0(a0)\nebreak';
    const { machine, labels } = assembled(source);
    expect(labels.size).toBe(0);
    machine.addWatch(memory('written', 4096n, 1));
    machine.addWatch(memory('read', 4095n, 1));
    expect(machine.run(100)).toMatchObject({ reason: 'watch', watch: 1, address: DATA + 4096n });
    expect(machine.run(100)).toMatchObject({ reason: 'watch', watch: 2, address: DATA + 4095n });
    expect(machine.misalignedAccesses()).toBe(2n);
  });

  test('a removed watchpoint stops nothing', () => {
    const { machine } = assembled(SOURCE);
    const number = machine.addWatch(memory('written', 8n, 8));
    expect(machine.run(100).reason).toBe('watch');
    machine.removeWatch(number);
    expect(machine.run(100).reason).toBe('ebreak');
    expect(machine.watches().size).toBe(0);
  });

  test('a faulting access is a fault, not a hit', () => {
    const { machine } = assembled('sd a1, -4(a0)\nebreak');
    machine.addWatch(memory('written', 0n, 8));
    expect(machine.run(10)).toMatchObject({ reason: 'fault', address: DATA - 4n });
  });

  test('limits stay exact', () => {
    const { machine } = assembled(SOURCE);
    machine.addWatch(memory('written', 8n, 8));
    expect(machine.run(2)).toMatchObject({ reason: 'watch' });
    expect(machine.counters().instructions).toBe(2n);
    expect(machine.run(1)).toMatchObject({ reason: 'limit' });
    expect(machine.counters().instructions).toBe(3n);
  });
});

describe('registers', () => {
  test.each([
    ['written', { kind: 'register', register: 12, on: 'written' }, ['2', '7', '8']],
    ['changed', { kind: 'register', register: 12, on: 'changed' }, ['2', '8']],
    ['equals', { kind: 'register', register: 12, on: 'equals', value: 6n }, ['8']],
    ['an atomic writes its old value', { kind: 'register', register: 13, on: 'written' }, ['6']],
    ['never written', { kind: 'register', register: 20, on: 'written' }, []],
  ] as const)('%s', (_name, watch, expected) => {
    expect(hits(watch)).toEqual(expected);
  });

  test('amocas.q writes a pair', () => {
    const source = 'li a1, 16\nadd a0, a0, a1\namocas.q a2, a4, (a0)\namocas.q zero, a4, (a0)\nebreak';
    const on = 'written';
    expect(hits({ kind: 'register', register: 12, on }, source)).toEqual(['2']);
    expect(hits({ kind: 'register', register: 13, on }, source)).toEqual(['2']);
    expect(hits({ kind: 'register', register: 14, on }, source)).toEqual([]);
    const memory = (offset: bigint): Watch => ({ kind: 'memory', on, address: DATA + offset, size: 8 });
    // Two pairs of zeros are found, as expected: the second writes a4 and a5 once more.
    expect(hits(memory(16n), source)).toEqual(['2 +16', '3 +16']);
    expect(hits(memory(24n), source)).toEqual(['2 +24', '3 +24']);
  });

  test('in a loop, across a call', () => {
    const { machine } = assembled(
      'li a1, 3\n1: jal ra, 2f\naddi a1, a1, -1\nbnez a1, 1b\nebreak\n2: addi a5, a5, 2\nret',
    );
    machine.addWatch({ kind: 'register', register: 15, on: 'equals', value: 4n });
    machine.addWatch({ kind: 'register', register: 1, on: 'changed' });
    const stops = [machine.run(100), machine.run(100), machine.run(100)];
    expect(stops.map((stop) => (stop.reason === 'watch' ? stop.watch : stop.reason))).toEqual([
      2,
      1,
      'ebreak',
    ]);
  });
});

describe('all that an instruction hits is told', () => {
  const CELL: Watch = { kind: 'memory', address: DATA, size: 8, on: 'read' };
  const all: readonly Watch[] = [
    CELL,
    { ...CELL, on: 'written' },
    { ...CELL, on: 'changed' },
    { kind: 'register', register: 13, on: 'written' },
    { kind: 'register', register: 13, on: 'changed' },
    { kind: 'register', register: 13, on: 'equals', value: 0n },
  ];
  test.each([
    [
      'an atomic that changes nothing',
      'amoadd.d a3, zero, (a0)',
      [1, 2, 4, 6],
      { read: true, written: true },
    ],
    ['one that changes memory', 'amoadd.d a3, a0, (a0)', [1, 2, 3, 4, 6], { read: true, written: true }],
    ['a load', 'ld a3, 0(a0)', [1, 4, 6], { read: true, written: false }],
    ['a load of a byte beside', 'lbu a3, 8(a0)', [4, 6], undefined],
    ['a store', 'sb a0, 7(a0)', [2], { read: false, written: true, size: 1, address: DATA + 7n }],
    ['a store of another value', 'sw sp, 2(a0)', [2, 3], { before: 0n, size: 4, address: DATA + 2n }],
    ['a move', 'addi a3, sp, 1', [4, 5], undefined],
    ['an address', 'auipc a3, 0', [4, 5], undefined],
  ] as const)('%s', (_name, source, expected, access) => {
    const { machine } = assembled(`${source}\nebreak`);
    machine.setRegister(2, 0x1234n);
    for (const watch of all) machine.addWatch(watch);
    const stop = machine.run(10);
    expect(stop).toMatchObject({ reason: 'watch', hits: expected, watch: expected[0], by: TEXT });
    if (stop.reason !== 'watch') return;
    if (access) expect(stop.access).toMatchObject(access);
    else expect(stop.access).toBeUndefined();
  });

  test('values before: of the register, of the bytes', () => {
    const { machine } = assembled('li a1, 5\nsd a1, 0(a0)\namoswap.w a1, zero, (a0)\nebreak');
    machine.addWatch({ kind: 'register', register: 11, on: 'written' });
    machine.addWatch({ ...CELL, on: 'changed' });
    machine.setRegister(11, 77n);
    expect(machine.run(10)).toMatchObject({ hits: [1], register: { index: 11, before: 77n } });
    expect(machine.run(10)).toMatchObject({ hits: [2], access: { before: 0n, size: 8 } });
    expect(machine.run(10)).toMatchObject({
      hits: [1, 2],
      register: { index: 11, before: 5n },
      access: { before: 5n, size: 4, read: false, written: true },
    });
  });
});

test('an observer is told of accesses from outside, as long as it observes', () => {
  const { machine } = assembled('nop');
  const seen: unknown[] = [];
  machine.observe({
    register: (index) => seen.push(['x', index, machine.getRegister(index)]),
    read: (address, length) => seen.push(['r', address, length]),
    write: (address, length) => seen.push(['w', address, length]),
  });
  machine.setRegister(5, 9n);
  machine.setRegister(0, 9n);
  machine.memory.writeU32(DATA, 1);
  machine.memory.write(DATA + 8n, new Uint8Array(16));
  machine.memory.readU64(DATA + 8n);
  machine.memory.tryRead(DATA, 3);
  machine.observe(undefined);
  machine.setRegister(5, 10n);
  machine.memory.writeU8(DATA, 2);
  expect(seen).toEqual([
    ['x', 5, 0n],
    ['w', DATA, 4],
    ['w', DATA + 8n, 16],
    ['r', DATA + 8n, 8],
    ['r', DATA, 3],
  ]);
});

test('what cannot be watched is refused', () => {
  const { machine } = assembled('nop');
  const refused = (watch: Watch) => expect(() => machine.addWatch(watch)).toThrow(/watched/);
  refused({ kind: 'register', register: 0, on: 'written' });
  refused({ kind: 'register', register: 32, on: 'written' });
  refused({ kind: 'memory', address: DATA, size: 0, on: 'read' });
  refused({ kind: 'memory', address: 2n ** 64n - 4n, size: 8, on: 'read' });
});
