import { EngineError } from '../base/errors';
import { createKernel } from '../kernel/kernel';
import type { Kernel, KernelProgram } from '../kernel/types';
import type { BpfObject } from '../loader/object';
import { createMachine } from '../machine/machine';
import type { TimingName } from '../machine/timing/profile';
import type { Machine } from '../machine/types';
import type { Profile } from '../jit/profile';

/** A machine with a kernel and an object's programs in it, ready to run one of them. */
export interface World {
  readonly object: BpfObject;
  readonly profile: Profile;
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly program: KernelProgram;
}

/** Which programs of an object are loaded under which profile. */
export interface WorldRequest {
  readonly object: BpfObject;
  readonly profile: Profile;
  /** The program to run; what its prog arrays hold from the start is loaded with it. */
  readonly program: string;
  /** Timing profile of the machine; `rocket` unless told. */
  readonly timing?: TimingName | 'none';
  /** More programs to load. */
  readonly also?: readonly string[];
  /** Sets maps and the like before the first run. */
  prepare?(kernel: Kernel): void;
}

/**
 * Loads a program and what it needs into a fresh machine.
 * @throws EngineError for what the loader lists as unsupported, and for what verifier, JIT or kernel refuse
 */
export function buildWorld(request: WorldRequest): World {
  const { object, profile } = request;
  const source = object.programs.find((program) => program.name === request.program);
  if (source?.unsupported !== undefined) {
    throw new EngineError('debugger/unsupported', `${source.name} cannot be run: ${source.unsupported}`, {
      program: source.name,
    });
  }
  const machine = createMachine({ timing: request.timing ?? 'rocket' });
  const kernel = createKernel(profile, machine);
  kernel.loadObject(object, [request.program, ...(request.also ?? [])]);
  request.prepare?.(kernel);
  return { object, profile, machine, kernel, program: kernel.program(request.program) };
}
