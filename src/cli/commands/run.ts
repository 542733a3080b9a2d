import type { Command } from '../command';
import { toJson } from '../json';
import { openObject } from '../open';
import { profileFrom } from '../profile-options';
import {
  DEFAULT_MAX_INSNS,
  RUN_OPTIONS,
  inputsFrom,
  mapSettings,
  programNamed,
  timingFrom,
} from '../run-options';
import { exitCodeOf, runProgram, type RunReport } from '../run-program';
import { grouped, table } from '../table';

/** `hartbeat run OBJ PROG` */
export const runCommand: Command = {
  name: 'run',
  summary: 'runs a program as BPF_PROG_TEST_RUN would',
  positionals: [
    { name: 'OBJ', required: true },
    { name: 'PROG', required: true },
  ],
  options: RUN_OPTIONS,
  async run(args, io) {
    const profile = profileFrom(args);
    const limit = args.count('max-insns') ?? DEFAULT_MAX_INSNS;
    const object = await openObject(args.positionals[0]!, io);
    const program = programNamed(object, args.positionals[1]!);
    const maps = await mapSettings(object, args, io);
    const inputs = await inputsFrom(program, args, io);
    const result = runProgram({
      object,
      program: program.name,
      profile,
      inputs,
      maps,
      limit,
      timing: timingFrom(args),
    });
    await io.out(args.has('json') ? `${toJson(result)}\n` : text(program.name, result));
    return exitCodeOf(result);
  },
};

/** Negative values are what most programs mean by a large u32. */
function returnText(retval: number): string {
  const signed = retval | 0;
  return `${retval} (0x${retval.toString(16)}${signed < 0 ? `, ${signed}` : ''})`;
}

/** The report for people. */
export function text(program: string, run: RunReport): string {
  const parts: string[] = [];
  const section = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) parts.push(`\n${title}\n${lines.map((line) => `  ${line}\n`).join('')}`);
  };
  parts.push(`${program}: ${run.stop.text}\n`);
  parts.push(
    '\n',
    table(
      [
        ...(run.retval === null ? [] : [['return value', returnText(run.retval)]]),
        ['instructions', grouped(run.instructions)],
        ...(run.cycles === null ? [] : [['cycles', grouped(run.cycles)]]),
        ['loads, stores', `${grouped(run.loads)}, ${grouped(run.stores)}`],
        ['stack', `${run.stackBytes} bytes`],
        ['tail calls', grouped(run.tailCalls)],
        ['helper calls', grouped(run.helperCalls)],
        ...(run.dataOut === null ? [] : [['packet', shortened(run.dataOut)]]),
        ...(run.ctxOut === null ? [] : [['context', shortened(run.ctxOut)]]),
      ],
      '  ',
    ),
  );
  section('trace_printk', run.printk);
  section(
    'Events',
    run.events.map((event) => `${String(event.at).padStart(8)}  ${event.text}`),
  );
  for (const [name, entries] of Object.entries(run.maps)) {
    // Arrays are full from the start; what was never written says nothing.
    const written = entries.filter(([, value]) => /[^0]/.test(value));
    section(
      `Map ${name}`,
      written.slice(0, SHOWN_ENTRIES).map(([key, value]) => `${key}: ${shortened(value)}`),
    );
    const hidden = entries.length - Math.min(written.length, SHOWN_ENTRIES);
    if (written.length > 0 && hidden > 0) parts.push(`  and ${hidden} more; --json prints all\n`);
  }
  section(
    'Checks that failed',
    run.checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.text}`),
  );
  return parts.join('');
}

const SHOWN_ENTRIES = 16;
/** Hex digits of a value that a line shows. */
const SHOWN_DIGITS = 128;

function shortened(hex: string): string {
  if (hex.length <= SHOWN_DIGITS) return hex;
  return `${hex.slice(0, SHOWN_DIGITS)}… (${hex.length / 2} bytes)`;
}
