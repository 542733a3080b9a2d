import path from 'node:path';
import { readElf } from '../../engine/elf/read';
import { describeBareMetalStop, loadBareMetal, type BareMetalStop } from '../../engine/machine/bare-metal';
import { isTimingName, TIMING_NAMES, type TimingName } from '../../engine/machine/timing/profile';
import { LOST_CAUSES, type CpiStack } from '../../engine/machine/timing/timer';
import type { Machine } from '../../engine/machine/types';
import { usage, type Command } from '../command';
import { toJson } from '../json';
import { table } from '../table';

const DEFAULT_TIMING = 'rocket';

/** `hartbeat hart` */
export const hartCommand: Command = {
  name: 'hart',
  summary: 'runs a bare-metal RV64 program on the machine',
  positionals: [{ name: 'ELF', required: true }],
  options: [
    { name: 'timing', value: 'NAME', help: `${TIMING_NAMES.join(', ')} (default ${DEFAULT_TIMING})` },
    { name: 'caches', help: 'with the instruction and data caches of the timing profile' },
    { name: 'max-insns', value: 'N', help: 'instructions after which to give up (default: never)' },
    { name: 'json', help: 'one JSON value on standard output' },
  ],
  notes: [
    'The segments lie at their physical addresses, with 64 MiB of RAM at 0x80000000 where they leave room; sp is at the top',
    'of RAM. The program ends by ecall with a7 = 93 (exit code in a0) or by a write of an odd value v to the symbol tohost',
    '(exit code v >> 1). hartbeat then exits with 0, whatever the exit code; with 1 when the program stops otherwise.',
  ].join('\n'),
  async run(args, io) {
    const timing = timingFrom(args.text('timing') ?? DEFAULT_TIMING);
    const limit = args.count('max-insns');
    const file = args.positionals[0]!;
    const elf = readElf(await io.read(file), path.basename(file), 'RISCV');
    const program = loadBareMetal(elf, { timing, caches: args.has('caches') });

    const started = performance.now();
    const stop = program.run(limit);
    const seconds = (performance.now() - started) / 1000;

    const { machine } = program;
    await io.out(
      args.has('json') ? `${toJson(describe(machine, stop, seconds))}\n` : text(machine, stop, seconds),
    );
    return stop.reason === 'exit' ? 0 : 1;
  },
};

function timingFrom(name: string): TimingName | 'none' {
  if (isTimingName(name)) return name;
  throw usage(`--timing takes ${TIMING_NAMES.join(', ')}, not '${name}'.`);
}

/** What `--json` prints. */
function describe(machine: Machine, stop: BareMetalStop, seconds: number) {
  const { instructions, loads, stores, cycles } = machine.counters();
  const stack = machine.cpiStack();
  return {
    exitCode: stop.reason === 'exit' ? stop.exitCode : null,
    instructions: Number(instructions),
    cycles: cycles === null ? null : Number(cycles),
    seconds,
    stop: stopView(machine, stop),
    loads: Number(loads),
    stores: Number(stores),
    misaligned: Number(machine.misalignedAccesses()),
    timing: machine.timing?.name ?? 'none',
    lost: stack && Object.fromEntries(LOST_CAUSES.map((cause) => [cause, Number(stack.lost[cause])])),
  };
}

function stopView(machine: Machine, stop: BareMetalStop) {
  const common = { reason: stop.reason, pc: stop.pc, text: describeBareMetalStop(stop, machine) };
  switch (stop.reason) {
    case 'exit':
      return { ...common, by: stop.by };
    case 'fault':
      return { ...common, cause: stop.cause, address: stop.address };
    case 'ecall':
    case 'ebreak':
      // The words of the contract: an unknown system call and a breakpoint that nobody set end the program as faults do.
      return { ...common, reason: 'fault', cause: stop.reason };
    default:
      return common;
  }
}

function text(machine: Machine, stop: BareMetalStop, seconds: number): string {
  const { instructions, loads, stores, cycles } = machine.counters();
  const rows: [string, string][] = [
    ['instructions', String(instructions)],
    ['loads, stores', `${loads}, ${stores}`],
    [
      'seconds',
      `${seconds.toFixed(3)} (${(Number(instructions) / seconds / 1e6).toFixed(0)} million instructions a second)`,
    ],
  ];
  const stack = machine.cpiStack();
  if (cycles !== null && stack && machine.timing) {
    const cpi =
      instructions === 0n ? '' : `, ${(Number(cycles) / Number(instructions)).toFixed(3)} per instruction`;
    rows.push(['cycles', `${cycles}${cpi} (${machine.timing.title})`]);
    rows.push(...lostRows(stack));
  }
  return `${describeBareMetalStop(stop, machine)}\n${table(rows, '  ')}`;
}

function lostRows({ paired, lost }: CpiStack): [string, string][] {
  const rows: [string, string][] = [];
  if (paired > 0n) rows.push(['  in the same cycle as another', String(paired)]);
  for (const cause of LOST_CAUSES) if (lost[cause] > 0n) rows.push([`  lost: ${cause}`, String(lost[cause])]);
  return rows;
}
