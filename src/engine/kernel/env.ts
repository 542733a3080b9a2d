import type { Machine, MachineMemory } from '../machine/types';
import type { Profile } from '../jit/profile';
import type { AddressSpace } from './address-space';
import type { PerCpuMemory } from './percpu';
import type { RandomSource } from './random';
import type { Structs } from './structs';
import type { SymbolTable } from './symbols';

/** The parts of the kernel model that maps, helpers and contexts build on. */
export interface KernelEnv {
  readonly profile: Profile;
  readonly machine: Machine;
  readonly memory: MachineMemory;
  readonly structs: Structs;
  readonly space: AddressSpace;
  readonly percpu: PerCpuMemory;
  readonly symbols: SymbolTable;
  readonly random: RandomSource;
}
