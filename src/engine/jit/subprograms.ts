import { EngineError } from '../base/errors';
import type { BpfInsn } from '../bpf/insn';
import type { Profile } from './profile';
import { namesFunction } from './check';
import { CompiledFunction } from './function';
import { compileUnit, extraPass, type Allocate, type Compilation } from './passes';
import type { ImagePlacement, JitFunction, JitInput, JitProgram } from './types';
import { makeUnit, type Unit, type UnitDescription } from './unit';

/**
 * Compiles a program as the kernel does: a single function in one go (bpf_prog_select_runtime), several functions each for
 * itself and then once more with the addresses of all (jit_subprogs, spec 7.3).
 * @param placement says where each image goes when its size is known
 * @throws EngineError `jit/…` with the instruction's index in the program and its text
 */
export function compileProgram(profile: Profile, input: JitInput, placement: ImagePlacement): JitProgram {
  const units = splitIntoUnits(profile, input);
  const compilations = units.map((unit) =>
    compileUnit(unit, (size, extableSize) => placement.place(unit.index, size, extableSize)),
  );
  if (units.length > 1) {
    for (const compilation of compilations) {
      const { unit } = compilation;
      extraPass(compilation, (slot) => entryOf(compilations, calleeIndex(input, unit, slot)));
    }
  }
  return { profile, functions: compilations.map((compilation) => new CompiledFunction(compilation)) };
}

function splitIntoUnits(profile: Profile, input: JitInput): Unit[] {
  const { subprogs, insns } = input;
  const isFunc = subprogs.length > 1;
  return subprogs.map((subprog, index) => {
    const end = subprogs[index + 1]?.start ?? insns.length;
    if (subprog.start >= end || (index === 0 && subprog.start !== 0)) {
      throw new EngineError(
        'jit/subprograms',
        `Function ${subprog.name} of ${input.name} covers slots ${subprog.start} to ${end - 1}; functions must follow each other from slot 0 on and not be empty.`,
        { function: subprog.name, start: subprog.start, end },
      );
    }
    return makeUnit({
      profile,
      name: subprog.name,
      index,
      start: subprog.start,
      insns: isFunc ? insns.slice(subprog.start, end) : insns,
      isFunc,
      stackDepth: subprog.stackDepth,
      verifierZext: isFunc ? false : input.verifierZext,
      tailCallReachable: subprog.tailCallReachable,
      typeWord: profile.cfi ? ((index === 0 ? input.cfiHash?.main : input.cfiHash?.subprog) ?? 0) : undefined,
      surroundings: input,
    });
  });
}

/** Index of the function that the call or function reference at `slot` of `unit` means: its imm is a relative distance. */
function calleeIndex(input: JitInput, unit: Unit, slot: number): number {
  const insn: BpfInsn | undefined = unit.insns[slot];
  const target = unit.start + slot + 1 + (insn?.imm ?? 0);
  const index = input.subprogs.findIndex((subprog) => subprog.start === target);
  if (insn && namesFunction(insn.code, insn.src) && index >= 0) return index;
  throw new EngineError(
    'jit/call',
    `Instruction ${unit.start + slot} of ${input.name} refers to slot ${target}, where no function starts.`,
    { insn: unit.start + slot, target },
  );
}

const entryOf = (compilations: readonly Compilation[], index: number): bigint => {
  const { base, unit } = compilations[index]!;
  return base + (unit.typeWord === undefined ? 0n : 4n);
};

/**
 * Compiles one function by itself, with the addresses of its callees known from elsewhere: for comparing with a function
 * that a kernel compiled as part of a program.
 * @param allocate says where the image lies
 * @param calleeAddress address of the BPF function that the call or function reference at a slot means
 */
export function compileFunction(
  description: UnitDescription,
  allocate: Allocate,
  calleeAddress: (slot: number) => bigint,
): JitFunction {
  const unit = makeUnit(description);
  const compilation = compileUnit(unit, allocate);
  if (unit.isFunc) extraPass(compilation, calleeAddress);
  return new CompiledFunction(compilation);
}
