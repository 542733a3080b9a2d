import { EngineError } from '../base/errors';
import type { ElfFile } from './types';

/** e_machine of what Hartbeat reads. */
export const MACHINE = { RISCV: 243, BPF: 247 } as const;

/** What to give for a file that is no ELF file at all, by what was wanted. */
export const WANTED: Readonly<Record<keyof typeof MACHINE, string>> = {
  BPF: 'open a BPF object that clang -target bpf made',
  RISCV: 'give an executable for RV64',
};

/** Names of the e_machine values that people are likely to bring by mistake. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'no machine at all'],
  [2, 'SPARC'],
  [3, 'x86 (i386)'],
  [8, 'MIPS'],
  [20, 'PowerPC'],
  [21, 'PowerPC 64'],
  [22, 'S/390'],
  [40, 'ARM'],
  [43, 'SPARC V9'],
  [50, 'IA-64'],
  [62, 'x86-64'],
  [183, 'AArch64'],
  [243, 'RISC-V'],
  [247, 'BPF'],
  [252, 'C-SKY'],
  [258, 'LoongArch'],
]);

/** What a machine is called: `x86-64`, or `machine 1234` for one without a name here. */
export function machineName(machine: number): string {
  return NAMES.get(machine) ?? `machine ${machine}`;
}

/**
 * Makes sure that the file is for the machine.
 * @throws EngineError `elf/machine` that names the machine it is for.
 */
export function expectMachine(elf: ElfFile, machine: keyof typeof MACHINE): void {
  if (elf.machine === MACHINE[machine]) return;
  const advice =
    machine === 'BPF'
      ? 'compile the program with clang -g -O2 -target bpf -c and open the object that this gives'
      : WANTED[machine];
  throw new EngineError(
    'elf/machine',
    `${elf.name} is an ELF file for ${machineName(elf.machine)}, not for ${machineName(MACHINE[machine])}; ${advice}.`,
    { machine: elf.machine },
  );
}
