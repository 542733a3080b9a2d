/** Machines with a program in assembly. */
import { assemble } from '../../rv64/assemble';
import { createMachine, type MachineOptions } from '../machine';
import type { Machine } from '../types';

export const TEXT = 0xffff_ffff_7800_0000n;
export const DATA = 0xffff_ffff_8000_0000n;

export interface AssembledMachine {
  readonly machine: Machine;
  readonly labels: ReadonlyMap<string, bigint>;
}

/** A machine that stands at the start of the program; `a0` points to 64 KiB of data. */
export function assembled(source: string, options: MachineOptions = {}, compress = false): AssembledMachine {
  const { bytes, labels } = assemble(source, { base: TEXT, compress, symbols: { data: DATA } });
  const machine = createMachine(options);
  machine.memory.map(
    { name: 'text', base: TEXT, size: 65536, permissions: { r: true, w: true, x: true } },
    bytes,
  );
  machine.memory.map({ name: 'data', base: DATA, size: 65536, permissions: { r: true, w: true, x: false } });
  machine.pc = TEXT;
  machine.setRegister(10, DATA);
  return { machine, labels };
}
