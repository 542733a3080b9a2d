import { describe, expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import { Core } from './core';
import { HEAP_TOP } from './core/layout';
import { createMachine } from './machine';
import { PagedMemory } from './memory';
import { MemorySaver } from './snapshots';
import { assembled, DATA, TEXT } from './testing/assembled';
import { mapRegions, randomText, randomValue, REGIONS, TEXT as STREAM } from './testing/streams';
import type { Machine, MachineSnapshot } from './types';

/** Everything that a machine shows. */
function state(machine: Machine): unknown {
  return {
    pc: machine.pc,
    registers: [...machine.registers()],
    counters: machine.counters(),
    stack: machine.cpiStack(),
    misaligned: machine.misalignedAccesses(),
    memory: machine.memory
      .regions()
      .map(({ name, base, size }) => [name, Buffer.from(machine.memory.read(base, size)).toString('base64')]),
  };
}

/** Runs `count` instructions of a random program; faults are passed over in a way that depends on nothing but the state. */
function advance(machine: Machine, count: number): void {
  for (let left = count; left > 0;) {
    const before = machine.counters().instructions;
    const stop = machine.run(left);
    left -= Number(machine.counters().instructions - before);
    if (stop.reason === 'limit') return;
    const number = machine.counters().instructions;
    machine.pc = STREAM.base + 2n * ((number * 7919n) % BigInt(STREAM.size / 2));
    machine.setRegister(1 + Number(number % 31n), DATA_POINTERS[Number(number % 3n)]!);
    left--;
  }
}
const DATA_POINTERS = REGIONS.filter(({ name }) => name === 'data' || name === 'low' || name === 'next').map(
  ({ base }) => base + 16n,
);

function randomMachine(seed: number, timing: 'none' | 'rocket' | 'u74'): Machine {
  const random = new Random(seed);
  const machine = createMachine({ timing, caches: timing !== 'none' });
  mapRegions(machine.memory, random, randomText(random, STREAM.size));
  for (let index = 1; index < 32; index++) machine.setRegister(index, randomValue(random));
  machine.pc = STREAM.base;
  return machine;
}

describe.each(['none', 'rocket', 'u74'] as const)('random walks with timing %s', (timing) => {
  test('the state after any restores and runs is that of a fresh run to the same instant', () => {
    const STEP = 97;
    for (let seed = 1; seed <= 2; seed++) {
      const random = new Random(1000 + seed);
      const machine = randomMachine(seed, timing);
      // By the number of steps: where a snapshot was taken, and what a fresh run shows there.
      const snapshots = new Map<number, MachineSnapshot>();
      const fresh = randomMachine(seed, timing);
      const expected = new Map<number, unknown>();
      for (let at = 0; at <= 40; at++) {
        expected.set(at, state(fresh));
        advance(fresh, STEP);
      }
      let at = 0;
      for (let move = 0; move < 120; move++) {
        const choice = random.below(3);
        if (choice === 0 && !snapshots.has(at)) snapshots.set(at, machine.snapshot());
        else if (choice === 0 && random.below(2) === 0) {
          snapshots.get(at)!.release();
          snapshots.delete(at);
        } else if (choice === 1 && snapshots.size > 0) {
          at = random.pick([...snapshots.keys()]);
          machine.restore(snapshots.get(at)!);
        } else if (at < 40) {
          advance(machine, STEP);
          at++;
        }
        expect(state(machine), `seed ${seed}, move ${move}`).toEqual(expected.get(at));
      }
    }
  });
});

test('a reservation survives a snapshot', () => {
  const { machine } = assembled('lr.d a1, (a0)\nsc.d a2, a1, (a0)\nebreak');
  machine.run(1);
  const snapshot = machine.snapshot();
  machine.run(1);
  expect(machine.getRegister(12)).toBe(0n);
  machine.restore(snapshot);
  machine.setRegister(12, 7n);
  machine.run(1);
  expect(machine.getRegister(12)).toBe(0n);
});

test('writes from outside, mappings and unmappings go back too', () => {
  const { machine } = assembled('ebreak');
  machine.memory.writeU64(DATA, 1n);
  const first = machine.snapshot();
  machine.memory.writeU64(DATA, 2n);
  machine.memory.map({ name: 'new', base: 0x1000n, size: 100, permissions: { r: true, w: true, x: false } });
  machine.memory.writeU8(0x1000n, 9);
  const second = machine.snapshot();
  machine.memory.unmap(DATA);
  machine.memory.unmap(0x1000n);
  machine.memory.map({ name: 'other', base: 0x1000n, size: 8, permissions: { r: true, w: true, x: false } });
  machine.restore(second);
  expect([machine.memory.readU64(DATA), machine.memory.readU8(0x1000n)]).toEqual([2n, 9]);
  expect(machine.memory.regionAt(0x1000n)?.name).toBe('new');
  machine.restore(first);
  expect(machine.memory.readU64(DATA)).toBe(1n);
  expect(machine.memory.regionAt(0x1000n)).toBeUndefined();
  machine.restore(second);
  expect([machine.memory.readU64(DATA), machine.memory.readU8(0x1000n)]).toEqual([2n, 9]);
});

test('a snapshot keeps what was written since the one before, not all of memory', () => {
  const { machine } = assembled('sd a1, 0(a0)\nebreak');
  machine.memory.map(
    { name: 'big', base: 0x10000n, size: 32 << 20, permissions: { r: true, w: true, x: false } },
    new Uint8Array(8 << 20).fill(1),
  );
  const first = machine.snapshot();
  expect(first.bytesBeyond()).toBeGreaterThan(8 << 20);
  machine.run(1);
  const second = machine.snapshot();
  expect(second.bytesBeyond(first)).toBeGreaterThan(4096);
  expect(second.bytesBeyond(first)).toBeLessThan(32768);
  // What the first one alone made known is the third's to keep once nobody else does.
  machine.memory.writeU8(0x10000n, 9);
  const third = machine.snapshot();
  expect(third.bytesBeyond(second)).toBeLessThan(32768);
  expect(third.bytesBeyond(first)).toBeGreaterThan(8192);
  expect(third.bytesBeyond()).toBeGreaterThan(8 << 20);
});

test('more pages than the list of written pages holds', () => {
  const { machine } = assembled('ebreak');
  const size = 4500 * 4096;
  machine.memory.map({ name: 'big', base: 0x10000n, size, permissions: { r: true, w: true, x: false } });
  const empty = machine.snapshot();
  for (let page = 0; page < 4500; page++) machine.memory.writeU8(0x10000n + BigInt(page * 4096), page & 0xff);
  const full = machine.snapshot();
  machine.restore(empty);
  expect(Buffer.from(machine.memory.read(0x10000n, size)).equals(Buffer.alloc(size))).toBe(true);
  machine.restore(full);
  for (let page = 0; page < 4500; page += 599) {
    expect(machine.memory.readU8(0x10000n + BigInt(page * 4096))).toBe(page & 0xff);
  }
});

test('another machine’s snapshot is refused, and one that was released', () => {
  const { machine } = assembled('ebreak');
  const other = assembled('ebreak').machine.snapshot();
  expect(() => machine.restore(other)).toThrow(/another machine/);
  const own = machine.snapshot();
  own.release();
  own.release();
  expect(() => machine.restore(own)).toThrow(/was released/);
});

describe('frames', () => {
  const PAGES = 300;
  const region = {
    name: 'big',
    base: 0x10000n,
    size: PAGES * 4096,
    permissions: { r: true, w: true, x: false },
  };

  function memory(limit: number) {
    const core = new Core(limit);
    const paged = new PagedMemory(core);
    const saver = new MemorySaver(core, paged);
    paged.map(region);
    const write = (value: number): void => {
      for (let page = 0; page < PAGES; page++) paged.writeU8(region.base + BigInt(4096 * page), value);
    };
    const read = (): number => paged.readU8(region.base + BigInt(region.size - 4096));
    return { core, paged, saver, write, read };
  }

  test('go back when the last image that holds them is released', () => {
    const { core, saver, write, read } = memory(2 ** 30);
    const images = Array.from({ length: 8 }, (_, i) => {
      write(i);
      return saver.save();
    });
    write(99);
    const top = core.getU32(HEAP_TOP);
    const order = [3, 0, 7, 1, 2, 6, 5, 4];
    for (const i of order) {
      saver.restore(images[i]!);
      expect(read()).toBe(i);
      saver.release(images[i]!);
      // What the present shares with the image stays.
      expect(read()).toBe(i);
    }
    for (let i = 0; i < 50; i++) {
      write(i);
      saver.release(saver.save());
    }
    expect(read()).toBe(49);
    expect(core.getU32(HEAP_TOP)).toBe(top);
  });

  test('of images are not the guest’s: the limit is for what it has written', () => {
    const { core, paged, saver, write, read } = memory((PAGES + 200) * 4096);
    const images = Array.from({ length: 4 }, (_, i) => {
      write(i);
      return saver.save();
    });
    expect(core.getU32(HEAP_TOP)).toBeGreaterThan(4 * PAGES * 4096);
    saver.restore(images[1]!);
    expect(read()).toBe(1);
    const more = { ...region, name: 'more', base: 0x1000000n };
    paged.map(more);
    expect(() => paged.write(more.base, new Uint8Array(more.size))).toThrow(/memory is used up/);
    paged.unmap(region.base);
    paged.write(more.base, new Uint8Array(more.size));
  });
});

describe('text pokes', () => {
  // The program overwrites the instruction at 1: (addi a1, a1, 1) with what a2 holds.
  const POKE = (fence: string): string => `1: addi a1, a1, 1\n sw a2, 0(a3)\n ${fence}\n j 1b`;
  const ADD_100 = 0x06458593n; // addi a1, a1, 100

  test.each([
    ['nop', 3n],
    ['fence.i', 201n],
  ] as const)('with %s after the store', (fence, expected) => {
    const { machine } = assembled(POKE(fence));
    machine.setRegister(12, ADD_100);
    machine.setRegister(13, TEXT);
    machine.run(9);
    expect(machine.getRegister(11)).toBe(expected);
  });

  test('stale code stays stale through a snapshot', () => {
    const { machine } = assembled(POKE('nop'));
    machine.setRegister(12, ADD_100);
    machine.setRegister(13, TEXT);
    machine.run(4);
    const snapshot = machine.snapshot();
    machine.fenceI();
    machine.run(4);
    expect(machine.getRegister(11)).toBe(101n);
    machine.restore(snapshot);
    machine.run(4);
    expect(machine.getRegister(11)).toBe(2n);
  });

  test('a breakpoint stays through fence.i', () => {
    const { machine } = assembled(POKE('fence.i'));
    machine.setRegister(12, ADD_100);
    machine.setRegister(13, TEXT);
    machine.setBreakpoint(TEXT);
    machine.run(100, { skipFirst: true });
    expect(machine.run(100, { skipFirst: true })).toEqual({ reason: 'breakpoint', pc: TEXT });
    expect(machine.getRegister(11)).toBe(101n);
  });
});
