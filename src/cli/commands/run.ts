import type { Command } from '../command';
import { toJson } from '../json';
import { RUN_OPTIONS } from '../run-options';
import { runRequest } from '../run-request';
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
    const { request, note } = await runRequest(args, io);
    const result = runProgram(request);
    await io.err(note);
    await io.out(args.has('json') ? `${toJson(result)}\n` : text(request.program, result));
    return exitCodeOf(result);
  },
};

/** Negative values are what most programs mean by a large u32. */
function returnText(retval: number): string {
  const signed = retval | 0;
  return `${retval} (0x${retval.toString(16)}${signed < 0 ? `, ${signed}` : ''})`;
}

/** The report for people. */
function text(program: string, run: RunReport): string {
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
  section('trace_printk', shortList(run.printk));
  section('Events', eventLines(run));
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

/** Lines at the beginning and at the end that are shown of a long list. */
const SHOWN_LINES = 50;

/** A long list without its middle. */
function shortList(lines: readonly string[]): readonly string[] {
  const hidden = lines.length - 2 * SHOWN_LINES;
  if (hidden <= 0) return lines;
  const more = `${grouped(hidden)} more; --json prints them`;
  return [...lines.slice(0, SHOWN_LINES), more, ...lines.slice(-SHOWN_LINES)];
}

function eventLines({ events, eventsDropped }: RunReport): string[] {
  const lines = events.map((event) => `${String(event.at).padStart(8)}  ${event.text}`);
  const dropped = `${grouped(eventsDropped)} more that were not kept`;
  return [...shortList(lines), ...(eventsDropped > 0 ? [dropped] : [])];
}

const SHOWN_ENTRIES = 16;
/** Hex digits of a value that a line shows. */
const SHOWN_DIGITS = 128;

function shortened(hex: string): string {
  if (hex.length <= SHOWN_DIGITS) return hex;
  return `${hex.slice(0, SHOWN_DIGITS)}… (${hex.length / 2} bytes)`;
}
