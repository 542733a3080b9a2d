import { expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import { createMachine } from './machine';
import { ReferenceHart } from './reference/hart';
import { PlainMemory } from './reference/plainMemory';
import { mapRegions, randomText, randomValue, REGIONS, TEXT } from './testing/streams';
import type { MachineStop } from './types';

const INSTRUCTIONS = 1_000_000;
const PER_PROGRAM = 4_000;

/** What both harts must agree on about a stop. */
const essence = (stop: MachineStop): string =>
  stop.reason === 'fault'
    ? `${stop.reason} ${stop.cause} ${stop.pc} ${stop.address}`
    : `${stop.reason} ${stop.pc}`;

/** Runs one random program on both; gives the number of instructions executed. */
function compare(seed: number): number {
  const random = new Random(seed);
  const text = randomText(random, TEXT.size);
  const fill = random.u32();
  const machine = createMachine();
  const reference = new ReferenceHart(new PlainMemory());
  mapRegions(machine.memory, new Random(fill), text);
  mapRegions(reference.memory, new Random(fill), text);

  const setRegister = (index: number): void => {
    const value = randomValue(random);
    machine.setRegister(index, value);
    reference.setRegister(index, value);
  };
  for (let index = 1; index < 32; index++) setRegister(index);
  const enter = (): void => {
    machine.pc = reference.pc = TEXT.base + BigInt(2 * random.below(TEXT.size / 2));
  };
  enter();
  let trail = '';
  while (reference.counters().instructions < PER_PROGRAM) {
    trail = `seed ${seed}, before pc ${machine.pc.toString(16)}`;
    const limit = 1 + random.below(12);
    const stop = machine.run(limit);
    const expected = reference.run(limit);
    if (essence(stop) !== essence(expected)) expect(essence(stop), trail).toBe(essence(expected));
    const registers = machine.registers();
    for (let index = 0; index < 32; index++) {
      if (registers[index] !== reference.getRegister(index)) {
        expect(registers[index]!.toString(16), `x${index}, ${trail}`).toBe(
          reference.getRegister(index).toString(16),
        );
      }
    }
    if (stop.reason !== 'limit') enter();
    // Random programs lose their pointers: give them new ones.
    for (let i = 0; i < 2; i++) setRegister(1 + random.below(31));
  }
  expect(machine.counters(), trail).toEqual(reference.counters());
  for (const { base, size } of REGIONS) {
    expect(Buffer.compare(machine.memory.read(base, size), reference.memory.read(base, size)), trail).toBe(0);
  }
  return PER_PROGRAM;
}

test(`core and reference hart agree on ${INSTRUCTIONS.toLocaleString('en')} random instructions`, () => {
  let done = 0;
  for (let seed = 1; done < INSTRUCTIONS; seed++) done += compare(seed);
  expect(done).toBe(INSTRUCTIONS);
});
