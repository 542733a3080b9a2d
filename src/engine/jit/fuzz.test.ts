import { expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import type { BpfInsn } from '../bpf/insn';
import { FAULT_NAMES } from '../profile/faults';
import { KERNELS } from '../profile/kernels';
import { parseProfile, type Profile, SCHEMES } from './profile';
import { Random } from '../rv64/testing/random';
import { compileProgram } from './subprograms';
import { recordedFunctions } from './testing/recorded';
import type { JitInput } from './types';

/** More of them: `HARTBEAT_FUZZ=20000 npx vitest run src/engine/jit/fuzz.test.ts` */
const COUNT = Number(process.env['HARTBEAT_FUZZ'] ?? 2_000);
const EDGES = [
  0, 1, -1, 8, 31, 32, 63, 64, 0x7ff, 0x800, -0x800, -0x801, 0x7fff, -0x8000, 0x7fffffff, -0x80000000,
];

/** An instruction of which some fields have become others: edges, or anything. */
function mutated(insn: BpfInsn, random: Random): BpfInsn {
  const anything = (bits: number): number => {
    const value = random.below(2) === 0 ? random.pick(EDGES) : random.u32();
    return (value << (32 - bits)) >> (32 - bits);
  };
  switch (random.below(6)) {
    case 0:
      return { ...insn, code: random.below(256) };
    case 1:
      return { ...insn, dst: random.below(16) };
    case 2:
      return { ...insn, src: random.below(16) };
    case 3:
      return { ...insn, off: anything(16) };
    case 4:
      return { ...insn, imm: anything(32) };
    default:
      return {
        code: random.below(256),
        dst: random.below(16),
        src: random.below(16),
        off: anything(16),
        imm: anything(32),
      };
  }
}

function randomProfile(random: Random): Profile {
  const kernel = random.pick(KERNELS);
  const isa = [
    'rv64ima',
    random.below(2) ? 'c' : '',
    ...['_zba', '_zbb', '_zacas'].filter(() => random.below(2)),
  ];
  return {
    ...parseProfile({ kernel, tcc: random.pick(SCHEMES[kernel]), isa: isa.join('') }),
    cfi: kernel !== '6.6' && random.below(4) === 0,
    faults: random.below(8) === 0 ? [random.pick(FAULT_NAMES)] : [],
  };
}

/** A recorded program, damaged: instructions changed, left out, doubled or swapped; functions, depths and addresses that do not fit. */
function damaged(input: JitInput, random: Random): JitInput {
  const insns = [...input.insns];
  for (let times = 1 + random.below(4); times > 0 && insns.length > 0; times--) {
    const at = random.below(insns.length);
    const insn = insns[at]!;
    switch (random.below(8)) {
      case 0:
        insns.splice(at, 1);
        break;
      case 1:
        insns.splice(at, 0, insn);
        break;
      case 2:
        insns.splice(at, 1, ...insns.splice(random.below(insns.length), 1, insn));
        break;
      default:
        insns[at] = mutated(insn, random);
    }
  }
  const subprogs = input.subprogs.map((subprog) => ({
    ...subprog,
    start: random.below(20) === 0 ? random.below(insns.length + 2) : subprog.start,
    stackDepth: random.below(10) === 0 ? Math.abs(random.pick(EDGES)) : subprog.stackDepth,
    tailCallReachable: random.below(2) === 0,
  }));
  return {
    ...input,
    insns,
    subprogs,
    verifierZext: random.below(2) === 0,
    callBase: random.below(10) === 0 ? BigInt(random.u32()) : input.callBase,
    acceptsStrayJumps: random.below(4) === 0,
  };
}

it(`${COUNT} damaged programs: compiled with sound records, or refused with one clear error`, () => {
  const random = new Random(0x5eed);
  const recorded = recordedFunctions();
  const refused = new Map<string, number>();
  let compiled = 0;
  for (let i = 0; i < COUNT; i++) {
    const { input } = recorded[random.below(recorded.length)]!;
    const program = damaged(input, random);
    try {
      let at = 0xffffffff78000000n;
      const { functions } = compileProgram(randomProfile(random), program, {
        place: (_, size, extable) => (at += BigInt(Math.ceil((size + extable) / 64) * 64)),
      });
      compiled++;
      for (const fn of functions) {
        expect(fn.image.length).toBeGreaterThanOrEqual(fn.finalLen);
        expect(fn.pieces.at(-1)?.to).toBe(fn.finalLen);
        expect(fn.ends.length).toBe(fn.end - fn.start);
        expect(fn.passes.passes.at(-1)?.total).toBe(fn.finalLen);
        expect(fn.frame.slots.reduce((sum, slot) => sum + slot.size, 0)).toBe(fn.frame.size);
        expect(fn.unwind.length).toBeGreaterThan(0);
        expect(fn.extableBytes.length).toBe(12 * fn.extable.length);
      }
    } catch (error) {
      if (!(error instanceof EngineError)) throw new Error(`case ${i}: ${String(error)}`, { cause: error });
      expect(error.message, `case ${i}`).toMatch(/^[^\n]+\.$/);
      refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
    }
  }
  // Neither all of them pass nor all are refused for one reason.
  expect(compiled).toBeGreaterThan(COUNT / 10);
  expect(refused.size).toBeGreaterThan(4);
});
