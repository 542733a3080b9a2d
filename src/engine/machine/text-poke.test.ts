import { describe, expect, test } from 'vitest';
import { assemble } from '../bpf/assemble';
import { compileProgram } from '../jit/subprograms';
import { pokeText, type Poke } from '../jit/textpoke';
import { TRAMP_FLAG, type TrampolineModel } from '../jit/trampoline/model';
import { compileTrampoline } from '../jit/trampoline/trampoline';
import type { JitFunction } from '../jit/types';
import { parseProfile } from '../jit/profile';
import { REG } from '../rv64/registers';
import { createMachine } from './machine';
import type { Machine } from './types';

/*
 * Attach and detach of a trampoline at a JITed function, by text poke of its two entry nops. A hart whose fetches are not
 * coherent executes what it fetched before until fence.i; one whose fetches are coherent sees the poke at once.
 */
const IMAGES = 0xffffffff_78000000n;
const KERNEL = 0xffffffff_80180000n;
const RETURN = KERNEL + 0x8000n;
const STACK = 0xffffffc6_00000000n;
const COUNTER = 0xffffffd6_00000000n;
const PROG = COUNTER + 0x100n;

const profile = parseProfile({});

function jited(name: string, text: string, base: bigint): JitFunction {
  const subprogs = [{ name, start: 0, stackDepth: 0, tailCallReachable: false }];
  const { insns } = assemble(text);
  const addresses = { perCpuOffset: KERNEL };
  const input = { name, insns, subprogs, verifierZext: false, callBase: KERNEL, addresses };
  return compileProgram(profile, input, { place: () => base }).functions[0]!;
}

const TRACED = jited('traced', 'r0 = 5\n exit', IMAGES + 0x100n);
const FENTRY = jited(
  'fentry',
  `r2 = ${COUNTER} ll\n r3 = *(u64 *)(r2 +0)\n r3 += 1\n *(u64 *)(r2 +0) = r3\n r0 = 0\n exit`,
  IMAGES + 0x1000n,
);
const FEXIT = jited(
  'fexit',
  `r2 = ${COUNTER} ll\n r3 = *(u64 *)(r2 +0)\n r3 += 100\n *(u64 *)(r2 +0) = r3\n r0 = 0\n exit`,
  IMAGES + 0x1100n,
);

const program = ({ bpfFunc }: JitFunction) => ({
  prog: PROG,
  bpfFunc,
  jited: true,
  cookie: 0n,
  enter: KERNEL + 0x100n,
  exit: KERNEL + 0x200n,
});
const MODEL: TrampolineModel = {
  name: 'traced',
  flags: TRAMP_FLAG.CALL_ORIG | TRAMP_FLAG.SKIP_FRAME,
  args: [{ size: 8, signed: false }],
  result: { size: 8, signed: false },
  structOps: false,
  funcAddress: TRACED.bpfFunc,
  imageAddress: IMAGES + 0x2000n,
  imAddress: PROG,
  fentry: [program(FENTRY)],
  fexit: [program(FEXIT)],
  fmodRet: [],
  trampEnter: KERNEL + 0x300n,
  trampExit: KERNEL + 0x400n,
};
const TRAMPOLINE = compileTrampoline(profile, MODEL);

/** Ways to run, with what a hart without fence.i shows. */
const HARTS = [
  { timing: 'none', coherent: false },
  { timing: 'rocket', coherent: false },
  { timing: 'u74', coherent: false },
  { timing: 'ideal', coherent: true },
] as const;

function newMachine(timing: (typeof HARTS)[number]['timing']): Machine {
  const machine = createMachine({ timing });
  const rw = { r: true, w: true, x: false };
  const rx = { r: true, w: false, x: true };
  machine.memory.map({ name: 'images', base: IMAGES, size: 0x4000, permissions: rx });
  machine.memory.map({ name: 'kernel', base: KERNEL, size: 0x10000, permissions: rx, trap: true });
  machine.memory.map({ name: 'stack', base: STACK, size: 0x4000, permissions: rw });
  machine.memory.map({ name: 'data', base: COUNTER, size: 0x1000, permissions: rw });
  for (const { base, image } of [TRACED, FENTRY, FEXIT]) machine.memory.write(base, image);
  machine.memory.write(MODEL.imageAddress, TRAMPOLINE.image);
  return machine;
}

/** Calls the traced function; gives its result, and what the attached programs added to the counter. */
function call(machine: Machine): { result: bigint; added: bigint } {
  const before = machine.memory.readU64(COUNTER);
  machine.setRegister(REG.sp, STACK + 0x4000n);
  machine.setRegister(REG.ra, RETURN);
  machine.pc = TRACED.bpfFunc;
  for (let stops = 0; stops < 20; stops++) {
    const stop = machine.run(10_000);
    expect(stop.reason).toBe('trap');
    if (stop.pc === RETURN)
      return { result: machine.getRegister(REG.a0), added: machine.memory.readU64(COUNTER) - before };
    // What the trampoline calls of the kernel: a start time that is not 0, so that the program runs.
    machine.setRegister(REG.a0, 1n);
    machine.pc = machine.getRegister(REG.ra);
  }
  throw new Error('the traced function did not return');
}

const poke = (machine: Machine, change: Poke): void =>
  machine.memory.write(TRACED.bpfFunc, pokeText(TRACED.bpfFunc, change));

describe.each(HARTS)('timing $timing', ({ timing, coherent }) => {
  const attach: Poke = { kind: 'call', target: MODEL.imageAddress };
  const attached = { result: 5n, added: 101n };
  const plain = { result: 5n, added: 0n };

  test('attach and detach, each with fence.i', () => {
    const machine = newMachine(timing);
    expect(call(machine)).toEqual(plain);
    for (let round = 0; round < 3; round++) {
      poke(machine, attach);
      machine.fenceI();
      expect(call(machine)).toEqual(attached);
      poke(machine, { kind: 'detached' });
      machine.fenceI();
      expect(call(machine)).toEqual(plain);
    }
  });

  test('without fence.i the old entry is executed, unless fetches are coherent', () => {
    const machine = newMachine(timing);
    expect(call(machine)).toEqual(plain);
    poke(machine, attach);
    expect(call(machine)).toEqual(coherent ? attached : plain);
    machine.fenceI();
    expect(call(machine)).toEqual(attached);
    poke(machine, { kind: 'detached' });
    expect(call(machine)).toEqual(coherent ? plain : attached);
    machine.fenceI();
    expect(call(machine)).toEqual(plain);
  });

  test('what was never fetched is not stale', () => {
    const machine = newMachine(timing);
    poke(machine, attach);
    expect(call(machine)).toEqual(attached);
  });

  test('a snapshot between poke and fence.i keeps both: what is in memory, and what is fetched', () => {
    const machine = newMachine(timing);
    call(machine);
    poke(machine, attach);
    const between = machine.snapshot();
    machine.fenceI();
    expect(call(machine)).toEqual(attached);
    machine.restore(between);
    expect(call(machine)).toEqual(coherent ? attached : plain);
    machine.fenceI();
    expect(call(machine)).toEqual(attached);
  });
});
