import { describe, expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import { enc } from '../rv64/enc';
import { createMachine } from './machine';
import { ReferenceHart } from './reference/hart';
import { PlainMemory } from './reference/plain-memory';
import { ReferenceTimer } from './reference/timer';
import { TIMING_PROFILES } from './timing/profile';
import { randomText } from './testing/streams';
import type { Machine, MachineStop } from './types';

/** Programs that write their own code, in one region where everything is allowed. */
const BASE = 0x1_0000n;
const SIZE = 3 * 4096;
const ALL = { name: 'all', base: BASE, size: SIZE, permissions: { r: true, w: true, x: true } };

function code(...words: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word, true));
  return bytes;
}

function machineWith(timing: 'ideal' | 'rocket', at: bigint, ...words: number[]): Machine {
  const machine = createMachine({ timing });
  machine.memory.map(ALL);
  machine.memory.write(at, code(...words));
  machine.pc = at;
  return machine;
}

/** A loop that adds 1, and writes the instruction in t1 over the addition. */
const loop = (store: number): number[] => [
  enc.addi(10, 10, 1),
  store,
  enc.addi(11, 11, -1),
  enc.bne(11, 0, -12),
  enc.ebreak(),
];

describe('a hart that writes over the instruction which it executes next', () => {
  test.each([
    ['sw', enc.sw(5, 6, 0)],
    ['amoswap.w', enc.amoswap_w(0, 5, 6)],
  ])('%s', (_name, store) => {
    for (const [timing, expected] of [
      ['ideal', 1n + 100n + 100n],
      ['rocket', 3n],
    ] as const) {
      const machine = machineWith(timing, BASE, ...loop(store));
      machine.setRegister(5, BASE);
      machine.setRegister(6, BigInt(enc.addi(10, 10, 100)));
      machine.setRegister(11, 3n);
      expect(machine.run(1000).reason).toBe('ebreak');
      expect(machine.getRegister(10)).toBe(expected);
      expect(machine.counters().instructions).toBe(12n);
    }
  });

  test('an instruction that ends in the page that is written', () => {
    const at = BASE + 4094n;
    const machine = machineWith('ideal', at, ...loop(enc.sh(5, 6, 0)));
    machine.setRegister(5, BASE + 4096n);
    machine.setRegister(6, BigInt(enc.addi(10, 10, 100) >>> 16));
    machine.setRegister(11, 3n);
    expect(machine.run(1000).reason).toBe('ebreak');
    expect(machine.getRegister(10)).toBe(201n);
  });

  test('a watchpoint on the code is told, too, and a register that an atomic writes', () => {
    const machine = machineWith('ideal', BASE, ...loop(enc.amoswap_w(12, 5, 6)));
    machine.setRegister(5, BASE);
    machine.setRegister(6, BigInt(enc.addi(10, 10, 100)));
    machine.setRegister(11, 2n);
    const memory = machine.addWatch({ kind: 'memory', on: 'changed', address: BASE, size: 4 });
    expect(machine.run(100)).toMatchObject({ reason: 'watch', watch: memory, by: BASE + 4n });
    machine.removeWatch(memory);
    const register = machine.addWatch({ kind: 'register', register: 12, on: 'written' });
    expect(machine.run(100)).toMatchObject({ reason: 'watch', watch: register });
    expect(machine.getRegister(10)).toBe(101n);
  });
});

test('random programs that overwrite themselves run as on the reference hart', () => {
  const essence = (stop: MachineStop): string => `${stop.reason} ${stop.pc.toString(16)}`;
  let executed = 0n;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const text = randomText(random, SIZE);
    const machine = createMachine({ timing: 'ideal' });
    const reference = new ReferenceHart(new PlainMemory(), new ReferenceTimer(TIMING_PROFILES.ideal));
    for (const hart of [machine, reference]) hart.memory.map(ALL, text);
    const point = (): void => {
      for (let index = 1; index < 32; index++) {
        const value = BASE + BigInt(random.below(SIZE));
        machine.setRegister(index, value);
        reference.setRegister(index, value);
      }
      machine.pc = reference.pc = BASE + BigInt(2 * random.below(SIZE / 2));
    };
    for (let round = 0; round < 300; round++) {
      point();
      const limit = 1 + random.below(20);
      const trail = `seed ${seed}, round ${round}`;
      expect(essence(machine.run(limit)), trail).toBe(essence(reference.run(limit)));
      expect([...machine.registers()], trail).toEqual([...reference.registers()]);
    }
    executed += machine.counters().instructions;
    expect(machine.counters().instructions).toBe(reference.counters().instructions);
    expect(Buffer.compare(machine.memory.read(BASE, SIZE), reference.memory.read(BASE, SIZE))).toBe(0);
  }
  expect(executed).toBeGreaterThan(20_000n);
});
