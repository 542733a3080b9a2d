import { describe, expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import { createMachine } from './machine';
import { assembled, TEXT } from './testing/assembled';
import { mapRegions, randomText, randomValue, TEXT as STREAM } from './testing/streams';
import type { Machine } from './types';

const ADDRESSES = Array.from({ length: STREAM.size / 2 }, (_, i) => STREAM.base + BigInt(2 * i));

function randomMachine(seed: number, timing: 'none' | 'rocket' | 'u74', caches: boolean): Machine {
  const random = new Random(seed);
  const machine = createMachine({ timing, caches });
  mapRegions(machine.memory, random, randomText(random, STREAM.size));
  for (let index = 1; index < 32; index++) machine.setRegister(index, randomValue(random));
  machine.pc = STREAM.base;
  return machine;
}

const state = (machine: Machine): unknown => ({
  pc: machine.pc,
  registers: [...machine.registers()],
  counters: machine.counters(),
  stack: machine.cpiStack(),
});

/** A machine that goes on where a fault ends a run, in a way that depends on nothing but its own past. */
class Walker {
  private faults = 0n;

  constructor(readonly machine: Machine) {}

  private passOver(): void {
    const place = (this.machine.instructions + ++this.faults) * 7919n;
    this.machine.pc = STREAM.base + 2n * (place % BigInt(STREAM.size / 2));
  }

  /** Runs to a count of instructions, through breakpoints. */
  runTo(end: bigint): void {
    const { machine } = this;
    while (machine.instructions < end) {
      const { reason } = machine.run(Number(end - machine.instructions), { skipFirst: true });
      if (reason !== 'limit' && reason !== 'breakpoint') this.passOver();
    }
  }

  /** The same one by one. @returns where something was executed, and where it could not be */
  stepTo(end: bigint): { executed: Set<bigint>; failed: Set<bigint> } {
    const { machine } = this;
    const [executed, failed] = [new Set<bigint>(), new Set<bigint>()];
    while (machine.instructions < end) {
      const { pc } = machine;
      const done = machine.step().reason === 'limit';
      (done ? executed : failed).add(pc);
      if (!done) this.passOver();
    }
    return { executed, failed };
  }
}

const waypointsOf = (machine: Machine): bigint[] => {
  const { waypoints } = machine.passage();
  return ADDRESSES.filter((_, i) => (waypoints[i >>> 5]! >>> (i & 31)) & 1);
};

describe.each([
  ['none', false],
  ['rocket', false],
  ['rocket', true],
  ['u74', false],
  ['u74', true],
] as const)('waypoints everywhere, timing %s, caches %s', (timing, caches) => {
  test('tell what was executed, and change nothing', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Random(100 + seed);
      const plain = new Walker(randomMachine(seed, timing, caches));
      const marked = new Walker(randomMachine(seed, timing, caches));
      const { machine } = marked;
      machine.setWaypoints(ADDRESSES);
      for (let round = 0; round < 40; round++) {
        const end = machine.instructions + BigInt(1 + random.below(round % 8 === 0 ? 2000 : 30));
        if (random.below(3) === 0) machine.setBreakpoint(random.pick(ADDRESSES));
        if (random.below(4) === 0) machine.clearBreakpoint(random.pick(ADDRESSES));
        const { executed, failed } = plain.stepTo(end);
        marked.runTo(end);
        expect(state(machine), `seed ${seed}, round ${round}`).toEqual(state(plain.machine));
        const passed = waypointsOf(machine);
        expect(passed.filter((address) => executed.has(address)).length).toBe(executed.size);
        // What could not be executed may have been come to.
        expect(passed.filter((address) => !executed.has(address) && !failed.has(address))).toEqual([]);
      }
    }
  });
});

test('a branch keeps its way under a waypoint, wherever its target is decoded later', () => {
  const { machine, labels } = assembled(`
    1: beq x0, x0, 2f
    addi a1, a1, 100
    2: addi a1, a1, 1
    j 1b`);
  machine.setWaypoints([TEXT, TEXT + 8n]);
  for (let round = 1; round <= 3; round++) {
    machine.run(3);
    expect(machine.getRegister(11)).toBe(BigInt(round));
    expect([...machine.passage().waypoints]).toEqual([3]);
  }
  expect(labels.size).toBe(0);
});

describe('the highest sp', () => {
  const NESTED = `
    addi sp, sp, -64
    addi sp, sp, -32
    addi sp, sp, 32
    addi sp, sp, 64
    nop
    nop`;
  const at = (sp: bigint, source = NESTED): Machine => {
    const { machine } = assembled(source);
    machine.setRegister(2, sp);
    machine.passage();
    return machine;
  };

  test('is that of every instant since it was asked last', () => {
    const machine = at(0x1000n);
    const seen = [2, 1, 1, 1].map((count) => {
      machine.run(count);
      return machine.passage().highestSp;
    });
    expect(seen).toEqual([0x1000n, 0xfc0n, 0x1000n, 0x1000n]);
    machine.setRegister(2, 0x2000n);
    machine.setRegister(2, 0x10n);
    expect(machine.passage().highestSp).toBe(0x2000n);
    expect(machine.passage().highestSp).toBe(0x10n);
  });

  test('counts what a restored state has', () => {
    const machine = at(0x1000n);
    const high = machine.snapshot();
    machine.run(1);
    machine.passage();
    machine.restore(high);
    machine.run(2);
    expect(machine.passage().highestSp).toBe(0x1000n);
    machine.run(1);
    expect(machine.passage().highestSp).toBe(0xfc0n);
  });

  test('is not told of code that sets sp in other ways', () => {
    const machine = at(0x1000n, 'mv sp, a0\nnop');
    machine.run(2);
    expect(machine.passage().highestSp).toBe(2n ** 64n - 1n);
  });
});
