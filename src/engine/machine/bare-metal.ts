import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { u64 } from '../base/u64';
import { expectMachine } from '../elf/machine';
import { ELF_TYPE, SEGMENT_LOAD, type ElfFile, type ElfSegment } from '../elf/types';
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

const ADDRESS_SPACE = 1n << 64n;
const PAGE = 4096n;

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
 * Loads an RV64 executable: its segments at their physical addresses, in whole pages, and RAM around them; sp at the top of
 * RAM, pc at the entry.
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
  const ranges = segments.map(({ physicalAddress: base, memorySize }) => ({ base, end: base + memorySize }));
  checkRanges(elf.name, ranges);
  checkFileSizes(elf.name, segments);
  checkEntry(elf, ranges);
  const machine = createMachine(options);
  for (const { base, end } of memoryFor(ranges)) {
    const name = base <= RAM_BASE && RAM_BASE < end ? 'RAM' : 'program';
    machine.memory.map({ name, base, size: Number(end - base), permissions: ALL });
  }
  for (const { physicalAddress, bytes } of segments) machine.memory.write(physicalAddress, bytes);
  machine.pc = elf.entry;
  machine.setRegister(SP, RAM_BASE + BigInt(RAM_SIZE));
  const tohost = elf.symbols.find((symbol) => symbol.name === 'tohost' && symbol.section !== 0)?.value;
  return new BareMetalProgram(machine, tohost);
}

/** @throws EngineError unless the segments lie apart in the address space. */
function checkRanges(name: string, ranges: readonly Range[]): void {
  const sorted = [...ranges].sort((a, b) => (a.base < b.base ? -1 : 1));
  sorted.forEach(({ base, end }, index) => {
    const next = sorted[index + 1];
    if (end <= ADDRESS_SPACE && (next === undefined || end <= next.base)) return;
    const why =
      end > ADDRESS_SPACE
        ? 'reaches beyond the 64-bit address space'
        : `overlaps that at ${hex64(next!.base)}`;
    throw new EngineError(
      'machine/bare-metal',
      `${name}: the segment at ${hex64(base)} (${end - base} bytes) ${why}.`,
      {
        base,
        end,
      },
    );
  });
}

/** @throws EngineError for a segment with more bytes in the file than in memory. */
function checkFileSizes(name: string, segments: readonly ElfSegment[]): void {
  const longer = segments.find(({ bytes, memorySize }) => BigInt(bytes.length) > memorySize);
  if (!longer) return;
  const { physicalAddress: base, bytes, memorySize } = longer;
  throw new EngineError(
    'machine/bare-metal',
    `${name}: the segment at ${hex64(base)} has ${bytes.length} bytes in the file but only ${memorySize} in memory; the file is damaged.`,
    { base, fileSize: bytes.length, memorySize },
  );
}

/** @throws EngineError unless the entry is where an instruction of a segment can begin. */
function checkEntry({ name, entry }: ElfFile, segments: readonly Range[]): void {
  const inside = segments.some(({ base, end }) => base <= entry && entry < end);
  if (inside && entry % 2n === 0n) return;
  const why = inside ? 'is odd, and instructions begin at even addresses' : 'lies in none of its segments';
  throw new EngineError(
    'machine/bare-metal',
    `${name}: the entry ${hex64(entry)} ${why}; link it with -e SYMBOL, or with a symbol _start.`,
    { entry },
  );
}

/** RAM and the pages of the segments, what touches as one: memory comes in whole pages, whatever a program uses of them. */
function memoryFor(segments: readonly Range[]): readonly Range[] {
  const pages = segments.map(({ base, end }) => ({
    base: base & ~(PAGE - 1n),
    end: (end + PAGE - 1n) & ~(PAGE - 1n),
  }));
  const all = [{ base: RAM_BASE, end: RAM_BASE + BigInt(RAM_SIZE) }, ...pages].sort((a, b) =>
    a.base < b.base ? -1 : 1,
  );
  const merged: { base: bigint; end: bigint }[] = [];
  for (const range of all) {
    const last = merged.at(-1);
    if (!last || range.base > last.end) merged.push({ ...range });
    else if (range.end > last.end) last.end = range.end;
  }
  return merged;
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
    const start = machine.instructions;
    for (;;) {
      const left = limit - Number(machine.instructions - start);
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
