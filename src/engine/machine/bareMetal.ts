import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import { expectMachine } from '../elf/machine';
import { ELF_TYPE, SEGMENT_LOAD, type ElfFile } from '../elf/types';
import { createMachine, type MachineOptions } from './machine';
import type { Machine, MachineStop } from './types';

/** Where bare-metal programs find memory beyond their segments. */
export const RAM_BASE = 0x8000_0000n;
/** Bytes */
export const RAM_SIZE = 64 * 1024 * 1024;

/** One privilege level without protection: everything may be read, written and executed. */
const ALL = { r: true, w: true, x: true } as const;

/** The number in a7 with which a program ends itself, as Linux and the proxy kernel have it. */
const SYS_EXIT = 93n;
const A0 = 10;
const A7 = 17;
const SP = 2;

/** Instructions between two looks at whether to go on. */
const SLICE = 50_000_000;

/** Why a bare-metal run ended. `exit`: the program said so itself. */
export type BareMetalStop =
  | {
      readonly reason: 'exit';
      readonly pc: bigint;
      readonly exitCode: number;
      readonly by: 'ecall' | 'tohost';
    }
  | { readonly reason: 'limit'; readonly pc: bigint }
  | Exclude<MachineStop, { reason: 'limit' }>;

/** A program with the machine that it is loaded into. */
export interface BareMetal {
  readonly machine: Machine;
  /** Address of the symbol `tohost`, if the program has one. */
  readonly tohost: bigint | undefined;
  /** Runs on, for at most `limit` instructions (no limit: until the program stops). */
  run(limit?: number): BareMetalStop;
}

interface Range {
  readonly base: bigint;
  /** First address after it. */
  readonly end: bigint;
}

/**
 * Loads an RV64 executable: its segments at their physical addresses, RAM where the segments leave room, sp at the top
 * of RAM, pc at the entry.
 * @throws EngineError `elf/machine`, or `machine/bare-metal` for a file that cannot be loaded.
 */
export function loadBareMetal(elf: ElfFile, options: MachineOptions = {}): BareMetal {
  expectMachine(elf, 'RISCV');
  const segments = elf.segments.filter((segment) => segment.type === SEGMENT_LOAD && segment.memorySize > 0n);
  if (elf.type !== ELF_TYPE.EXEC || segments.length === 0) {
    throw new EngineError(
      'machine/bare-metal',
      `${elf.name} is not a linked executable with segments to load; link it with riscv64-linux-gnu-gcc -static -nostdlib -no-pie.`,
      { type: elf.type, segments: segments.length },
    );
  }
  const machine = createMachine(options);
  segments.forEach(({ physicalAddress, memorySize, bytes }, index) => {
    const region = {
      name: `segment ${index}`,
      base: physicalAddress,
      size: Number(memorySize),
      permissions: ALL,
    };
    machine.memory.map(region, bytes);
  });
  const taken = segments.map(({ physicalAddress, memorySize }) => ({
    base: physicalAddress,
    end: physicalAddress + memorySize,
  }));
  for (const { base, end } of gaps({ base: RAM_BASE, end: RAM_BASE + BigInt(RAM_SIZE) }, taken)) {
    machine.memory.map({ name: 'RAM', base, size: Number(end - base), permissions: ALL });
  }
  machine.pc = elf.entry;
  machine.setRegister(SP, RAM_BASE + BigInt(RAM_SIZE));
  const tohost = elf.symbols.find((symbol) => symbol.name === 'tohost' && symbol.section !== 0)?.value;
  return new BareMetalProgram(machine, tohost);
}

/** What `whole` has outside the ranges `taken`. */
function gaps(whole: Range, taken: readonly Range[]): readonly Range[] {
  const found: Range[] = [];
  let from = whole.base;
  for (const { base, end } of [...taken].sort((a, b) => (a.base < b.base ? -1 : 1))) {
    if (base > from) found.push({ base: from, end: base < whole.end ? base : whole.end });
    if (end > from) from = end;
    if (from >= whole.end) break;
  }
  if (from < whole.end) found.push({ base: from, end: whole.end });
  return found;
}

class BareMetalProgram implements BareMetal {
  constructor(
    readonly machine: Machine,
    readonly tohost: bigint | undefined,
  ) {
    if (tohost !== undefined) machine.addWatch({ kind: 'memory', on: 'written', address: tohost, size: 8 });
  }

  run(limit = Infinity): BareMetalStop {
    const { machine } = this;
    const start = machine.counters().instructions;
    for (;;) {
      const left = limit - Number(machine.counters().instructions - start);
      if (left <= 0) return { reason: 'limit', pc: machine.pc };
      const stop = machine.run(Math.min(left, SLICE));
      switch (stop.reason) {
        case 'limit':
          continue;
        case 'watch': {
          const value = machine.memory.readU64(this.tohost!);
          if ((value & 1n) === 0n) continue;
          return { reason: 'exit', pc: stop.by, exitCode: Number(value >> 1n), by: 'tohost' };
        }
        case 'ecall':
          if (machine.getRegister(A7) !== SYS_EXIT) return stop;
          return {
            reason: 'exit',
            pc: stop.pc,
            exitCode: Number(BigInt.asIntN(32, machine.getRegister(A0))),
            by: 'ecall',
          };
        default:
          return stop;
      }
    }
  }
}

/** A sentence for people about a stop of a bare-metal program. */
export function describeBareMetalStop(stop: BareMetalStop, machine: Machine): string {
  const at = hex64(u64(stop.pc));
  switch (stop.reason) {
    case 'exit':
      return `The program ended by ${stop.by === 'ecall' ? 'ecall' : 'a write to tohost'} at ${at} with exit code ${stop.exitCode}.`;
    case 'limit':
      return `The instruction limit was reached at ${at}; give a higher --max-insns.`;
    case 'fault':
      return stop.message;
    case 'ecall':
      return `The program executed ecall at ${at} with a7 = ${machine.getRegister(A7)}; only 93 (exit) is known.`;
    case 'ebreak':
      return `The program executed ebreak at ${at}.`;
    case 'breakpoint':
      return `A breakpoint at ${at}.`;
    case 'watch':
      return `Watchpoint ${stop.watch} was hit by the instruction at ${hex64(stop.by)}.`;
    case 'trap':
      return `The program went to ${at}, which stands for something outside the machine.`;
  }
}
