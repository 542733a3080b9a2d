import { EngineError } from '../../src/engine/base/errors';
import { hex64 } from '../../src/engine/base/hex';
import { printInsn } from '../../src/engine/bpf/print';
import { compileProgram } from '../../src/engine/jit/subprograms';
import type { JitFunction } from '../../src/engine/jit/types';
import { JIT_FACTS } from '../../src/engine/profile/jit-facts';
import { isaText } from '../../src/engine/profile/isa';
import { KERNELS, LAYOUTS } from '../../src/engine/profile/kernels';
import { type Profile, SCHEMES } from '../../src/engine/jit/profile';
import { supportsSubprogTailCalls, type TccSchemeName } from '../../src/engine/jit/tcc/index';
import type { Capabilities } from './function-writer';
import { generate, type GeneratedProgram, type Scenario } from './generator';
import { MachineRunner } from './machine-run';
import { memoryOf, type Outcome } from './outcome';
import { runReference } from './reference-run';
import { ARENA, CALL_BASE, CODE, inlinedHelpers, KFUNC, PER_CPU } from './world';

/** The profiles of a scheme: every kernel that has it, every set of extensions, with and without kCFI. */
export function profilesOf(tcc: TccSchemeName): Profile[] {
  const kernels = KERNELS.filter((kernel) => SCHEMES[kernel].includes(tcc));
  return kernels.flatMap((kernel) =>
    [false, true].flatMap((c) =>
      EXTENSIONS.flatMap((extensions) =>
        (JIT_FACTS[kernel].supportsCfi ? [false, true] : [false]).map((cfi) => ({
          kernel,
          tcc,
          isa: { c, ...extensions },
          cfi,
          layout: LAYOUTS[kernel],
          faults: [],
        })),
      ),
    ),
  );
}

const EXTENSIONS = [
  { zba: false, zbb: false, zacas: false },
  { zba: true, zbb: false, zacas: false },
  { zba: false, zbb: true, zacas: false },
  { zba: true, zbb: true, zacas: false },
  { zba: true, zbb: true, zacas: true },
] as const;

/** What programs for a profile may contain. */
export function capabilitiesOf({ kernel, tcc, isa, cfi }: Profile): Capabilities {
  const facts = JIT_FACTS[kernel];
  return {
    axRegister: facts.axRegister,
    acquireRelease: facts.acquireRelease,
    arena: facts.arena,
    arenaAtomics: facts.arenaAtomics,
    arenaCompareExchange: facts.usesZacas && isa.zacas,
    perCpuMove: facts.perCpuMove,
    inlinedHelpers: inlinedHelpers(kernel),
    // That kernel's tail calls go astray under kCFI, as its own do.
    tailCalls: !(cfi && facts.tailCallCountsTypeWordTwice),
    tailCallsInSubprogs: supportsSubprogTailCalls({ tcc }),
    longByteSwaps: !(facts.usesZbb && isa.zbb),
  };
}

/** Compares JITed code on the machine with the reference interpreter, scenario after scenario. */
export class Differential {
  private readonly runner = new MachineRunner();
  /** Programs and BPF slots compiled so far. */
  programs = 0;
  insns = 0;

  /** Native instructions executed so far. */
  get executed(): bigint {
    return this.runner.executed;
  }

  /** @returns what differs, with the program, or undefined */
  check(
    seed: number,
    profile: Profile,
    scenario = generate(seed, capabilitiesOf(profile)),
  ): string | undefined {
    try {
      const images = compile(scenario, profile);
      const expected = runReference(scenario, profile, images);
      const got = this.runner.run(scenario, profile, images);
      const difference = compare(scenario, expected, got);
      return difference && report(scenario, profile, difference);
    } catch (error) {
      if (error instanceof EngineError) return report(scenario, profile, error.message);
      throw error;
    } finally {
      this.programs += scenario.programs.length;
      this.insns += scenario.programs.reduce((sum, { insns }) => sum + insns.length, 0);
    }
  }
}

/** The images of all programs, one behind the other. */
export function compile(scenario: Scenario, profile: Profile): JitFunction[][] {
  let next = CODE.base + BigInt(4 * (scenario.seed & 0xff));
  return scenario.programs.map((program, i) => {
    const { functions } = compileProgram(profile, inputOf(program, i), {
      place: (_index, size, extableSize) => {
        const base = next;
        next += BigInt(Math.ceil((size + extableSize) / 4) * 4 + 8);
        return base;
      },
    });
    return [...functions];
  });
}

function inputOf({ insns, functions, verifierZext }: GeneratedProgram, index: number) {
  const name = `program${index}`;
  return {
    name,
    insns,
    subprogs: functions.map((fn, i) => ({ ...fn, name: i === 0 ? name : `${name}.${i}` })),
    verifierZext,
    callBase: CALL_BASE,
    addresses: { perCpuOffset: PER_CPU.offsetArray },
    arena: { kernVmStart: ARENA.kernelBase, userVmStart: ARENA.userBase },
    kfuncs: [KFUNC],
    cfiHash: { main: 0x1234_5678, subprog: 0x2345_6789 },
  };
}

function compare(scenario: Scenario, expected: Outcome, got: Outcome): string | undefined {
  if (got.r0 !== expected.r0) return `r0 is ${hex64(got.r0)}, the reference has ${hex64(expected.r0)}`;
  for (const [i, { name }] of memoryOf(scenario.seed).entries()) {
    const at = expected.memory[i]!.findIndex((byte, offset) => byte !== got.memory[i]![offset]);
    if (at < 0) continue;
    return `byte ${at} of the ${name} is ${got.memory[i]![at]}, the reference has ${expected.memory[i]![at]}`;
  }
  return undefined;
}

/** Longest program that a report prints. */
const PRINTED_SLOTS = 400;

function report(scenario: Scenario, { kernel, tcc, isa, cfi }: Profile, difference: string): string {
  const listing = scenario.programs.flatMap(({ insns, functions, verifierZext }, i) => [
    `program ${i}: functions at ${functions.map(({ start }) => start).join(', ')}, verifier_zext ${verifierZext ? 1 : 0}`,
    ...insns.slice(0, PRINTED_SLOTS).map((_, slot) => `  ${slot}: ${printInsn(insns, slot)}`),
  ]);
  return [
    `seed ${scenario.seed}, kernel ${kernel}, ${tcc}, ${isaText(isa)}${cfi ? ', kCFI' : ''}: ${difference}`,
    ...listing,
  ].join('\n');
}
