import type { Kernel, KernelProgram } from '../kernel/types';
import type { BpfObject } from '../loader/object';
import type { Machine } from '../machine/types';
import type { Profile } from '../profile/profile';

/** A machine with a kernel and an object's programs in it, ready to run one of them. */
export interface World {
  readonly object: BpfObject;
  readonly profile: Profile;
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly program: KernelProgram;
}
