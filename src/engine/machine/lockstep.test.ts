import { expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import { createMachine } from './machine';
import { ReferenceHart } from './reference/hart';
import { PlainMemory } from './reference/plain-memory';
import { ReferenceTimer } from './reference/timer';
import { TIMING_PROFILES, type TimingName } from './timing/profile';
import { LOST_CAUSES } from './timing/timer';
import { mapRegions, randomText, randomValue, REGIONS, TEXT } from './testing/streams';
import type { MachineStop } from './types';

const INSTRUCTIONS = 1_000_000;
const PER_PROGRAM = 10_000;

/** What both harts must agree on about a stop. */
const essence = (stop: MachineStop): string =>
  stop.reason === 'fault'
    ? `${stop.reason} ${stop.cause} ${stop.pc} ${stop.address}`
    : `${stop.reason} ${stop.pc}`;

/** Timing comes in turns; half of the programs run without. */
const TIMINGS: readonly { readonly timing: TimingName | 'none'; readonly caches: boolean }[] = [
  { timing: 'rocket', caches: false },
  { timing: 'none', caches: false },
  { timing: 'u74', caches: false },
  { timing: 'none', caches: false },
  { timing: 'rocket', caches: true },
  { timing: 'none', caches: false },
  { timing: 'u74', caches: true },
  { timing: 'ideal', caches: false },
];

/** Runs one random program on both; gives the number of instructions executed. */
function compare(seed: number): number {
  const { timing, caches } = TIMINGS[seed % TIMINGS.length]!;
  const timer = timing === 'none' ? undefined : new ReferenceTimer(TIMING_PROFILES[timing], caches);
  const random = new Random(seed);
  const text = randomText(random, TEXT.size);
  const fill = random.u32();
  const machine = createMachine({ timing, caches });
  const reference = new ReferenceHart(new PlainMemory(), timer);
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
    if (timer && machine.counters().cycles !== BigInt(timer.cycle)) {
      expect(machine.counters().cycles, `cycles, ${timing}, ${trail}`).toBe(BigInt(timer.cycle));
    }
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
  if (timer) {
    const { paired, lost } = machine.cpiStack()!;
    expect(Number(paired)).toBe(timer.paired);
    for (const cause of LOST_CAUSES)
      expect(Number(lost[cause]), `${cause}, ${trail}`).toBe(timer.lost.get(cause) ?? 0);
  }
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
