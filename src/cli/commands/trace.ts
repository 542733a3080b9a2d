import { bytesToHex, hex64 } from '../../engine/base/hex';
import type { Arrival } from '../../engine/debugger/arrivals';
import { BPF_REGISTER } from '../../engine/debugger/abi';
import { bpfText, symbolText } from '../../engine/debugger/locations';
import { arrivalText, valueText } from '../../engine/debugger/sentences';
import type { Session } from '../../engine/debugger/session';
import { traceSession, type TraceStep } from '../../engine/debugger/trace';
import { traceCycles, type TraceCycle } from '../../engine/debugger/trace-cycles';
import { ABI_NAMES } from '../../engine/rv64/registers';
import { usage, type Command } from '../command';
import type { Io } from '../io';
import { toJson } from '../json';
import { RUN_OPTIONS } from '../run-options';
import { runRequest } from '../run-request';
import { openSession } from '../run-program';

/** One line of a trace, for people and as JSON. */
interface TraceLine {
  readonly text: string;
  readonly json: unknown;
}

type Granularity = 'native' | 'bpf' | 'line' | 'event' | 'cycle';
const GRANULARITIES: readonly string[] = ['native', 'bpf', 'line', 'event', 'cycle'];

/** `hartbeat trace OBJ PROG` */
export const traceCommand: Command = {
  name: 'trace',
  summary: 'runs a program and prints every instruction with what it changes',
  positionals: [
    { name: 'OBJ', required: true },
    { name: 'PROG', required: true },
  ],
  options: [
    {
      name: 'by',
      value: 'UNIT',
      help: 'one line per native instruction (default native), bpf, line, event or cycle',
    },
    ...RUN_OPTIONS,
  ],
  async run(args, io) {
    const by = granularityOf(args.text('by') ?? 'native');
    const { request, note } = await runRequest(args, io);
    if (by === 'cycle' && request.timing === 'none') {
      throw usage('--by cycle needs a timing profile: --timing rocket, u74 or ideal, not none');
    }
    const { session } = openSession(request);
    await io.err(note);
    await write(LINES[by](session), args.has('json'), io);
    const { kind, text } = session.stopReason!;
    await io.err(`${request.program}: ${text}\n`);
    return kind === 'exit' ? 0 : 1;
  },
};

function granularityOf(text: string): Granularity {
  if (!GRANULARITIES.includes(text)) {
    throw usage(
      `--by takes ${GRANULARITIES.slice(0, -1).join(', ')} or ${GRANULARITIES.at(-1)}, not '${text}'`,
    );
  }
  return text as Granularity;
}

/** Lines are written in chunks of about this many characters. */
const CHUNK = 64 * 1024;

async function write(lines: Iterable<TraceLine>, json: boolean, io: Io): Promise<void> {
  let chunk = json ? '[' : '';
  let first = true;
  for (const line of lines) {
    chunk += json ? `${first ? '\n' : ',\n'}${toJson(line.json)}` : `${line.text}\n`;
    first = false;
    if (chunk.length < CHUNK) continue;
    await io.out(chunk);
    chunk = '';
  }
  await io.out(json ? `${chunk}\n]\n` : chunk);
}

const LINES: Readonly<Record<Granularity, (session: Session) => Iterable<TraceLine>>> = {
  *native(session) {
    for (const step of traceSession(session)) yield nativeLine(session, step);
  },
  bpf: (session) => merged(session, traceSession(session), bpfUnit),
  line: (session) => merged(session, traceSession(session), lineUnit),
  *event(session) {
    for (const step of traceSession(session)) {
      for (const arrival of step.arrivals) yield eventLine(session, step, arrival);
    }
  },
  *cycle(session) {
    for (const cycle of traceCycles(session)) yield cycleLine(session, cycle);
  },
};

function nativeLine(session: Session, step: TraceStep): TraceLine {
  const symbol = symbolText(session.execution.kernel, step.pc);
  const slot = step.code?.map.slotAt(step.offset) ?? -1;
  const registers = step.registers.map(([r, v]) => [ABI_NAMES[r]!, v] as const);
  return {
    text: columns(
      [cycleText(step), hex64(step.pc), symbol, step.text],
      [...registers.map(assignment), ...memoryText(step)],
    ),
    json: {
      n: step.number,
      cycle: step.cycle,
      pc: step.pc,
      symbol,
      ...(step.code && { function: step.code.key }),
      ...(slot >= 0 && { insn: slot }),
      text: step.text,
      registers: Object.fromEntries(registers),
      memory: step.memory ? [{ address: step.memory.address, bytes: step.memory.bytes }] : [],
    },
  };
}

/** Stages of one cycle, then what the instructions that retire in it have changed. */
function cycleLine(session: Session, { cycle, stages, retired }: TraceCycle): TraceLine {
  const cells = stages.map(({ stage, steps, stalled, bubble }) => {
    const texts = steps.map(({ text }) => text.split(' # ', 1)[0]!);
    const what = texts.length > 0 ? texts.join(' + ') : bubble ? `(${bubble})` : '-';
    return `${stage}${stalled ? '*' : ''} ${what}`.padEnd(28);
  });
  const lines = retired.map((step) => nativeLine(session, step));
  const changes = retired.flatMap((step) => [
    ...step.registers.map(([r, v]) => assignment([ABI_NAMES[r]!, v])),
    ...memoryText(step),
  ]);
  return {
    text: `${String(cycle).padStart(8)}  ${cells.join('  ')}  ${changes.join(' ')}`.trimEnd(),
    json: {
      cycle,
      stages: stages.map(({ stage, steps, stalled, bubble }) => ({
        stage,
        insns: steps.map(({ pc, text }) => ({ pc, text })),
        stalled,
        ...(bubble && { bubble }),
      })),
      retired: lines.map(({ json }) => json),
    },
  };
}

const WIDTHS = [8, 18, 40, 44];
const cycleText = ({ cycle }: TraceStep): string => (cycle === null ? '' : String(cycle)).padStart(8);

/** Fixed columns, so that lines need not be known before they are written. */
function columns(cells: readonly string[], changes: readonly string[]): string {
  const place = cells.map((cell, i) => cell.padEnd(WIDTHS[i]!)).join('  ');
  return `${place}  ${changes.join(' ')}`.trimEnd();
}

const assignment = ([name, value]: readonly [string, bigint]): string => `${name}=${hex64(value)}`;
const memoryText = ({ memory }: TraceStep): string[] =>
  memory ? [`[${hex64(memory.address)}]=${bytesToHex(memory.bytes)}`] : [];

/** What a unit of several native instructions is called, and when the next one begins. */
interface Unit {
  readonly key: string;
  readonly cells: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
}

/** Joins the native instructions of one BPF instruction or line: the last value of each register counts. */
function* merged(
  session: Session,
  steps: Iterable<TraceStep>,
  unitOf: (session: Session, step: TraceStep) => Unit,
): Generator<TraceLine, void> {
  let unit: Unit | undefined;
  let first: TraceStep | undefined;
  let registers = new Map<number, bigint>();
  let memory: NonNullable<TraceStep['memory']>[] = [];
  const line = (): TraceLine => {
    const changed = [...registers].flatMap(([r, v]) => {
      const name = BPF_REGISTER.get(r);
      return name === undefined ? [] : [[name, v] as const];
    });
    const writes = memory.map(({ address, bytes }) => `[${hex64(address)}]=${bytesToHex(bytes)}`);
    return {
      text: columns(unit!.cells, [...changed.map(assignment), ...writes]),
      json: {
        n: first!.number,
        cycle: first!.cycle,
        pc: first!.pc,
        ...unit!.json,
        registers: Object.fromEntries(changed),
        memory,
      },
    };
  };
  for (const step of steps) {
    const next = unitOf(session, step);
    if (next.key !== unit?.key) {
      if (unit) yield line();
      unit = next;
      first = step;
      registers = new Map();
      memory = [];
    }
    for (const [r, v] of step.registers) registers.set(r, v);
    if (step.memory) memory.push(step.memory);
  }
  if (unit) yield line();
}

/** Frames told apart, so that a recursion by tail calls is not one long instruction. */
function placeKey(session: Session, step: TraceStep): string {
  return `${session.execution.tailCalls}:${step.code?.key ?? ''}`;
}

function bpfUnit(session: Session, step: TraceStep): Unit {
  const { code, offset } = step;
  const slot = code?.map.slotAt(offset) ?? -1;
  const text = code && slot >= 0 ? bpfText(session.execution.kernel, code, slot) : outsideText(step);
  const name = code?.key ?? symbolText(session.execution.kernel, step.pc);
  return {
    key: `${placeKey(session, step)}:${slot >= 0 ? slot : text}`,
    cells: [cycleText(step), hex64(step.pc), slot >= 0 ? `${name} ${slot}` : name, text],
    json: { function: name, ...(slot >= 0 && { insn: slot }), text },
  };
}

/** What stands before the first and behind the last BPF instruction. */
function outsideText({ code, offset }: TraceStep): string {
  if (!code) return '(kernel)';
  return offset < code.fn.prologueLen ? '(prologue)' : '(epilogue)';
}

function lineUnit(session: Session, step: TraceStep): Unit {
  const { code, offset } = step;
  const line = code?.map.lineAtOffset(offset);
  const name = code?.key ?? symbolText(session.execution.kernel, step.pc);
  const place = line ? `${line.file.slice(line.file.lastIndexOf('/') + 1)}:${line.line}` : name;
  return {
    key: `${placeKey(session, step)}:${line?.file ?? ''}:${line?.line ?? ''}`,
    cells: [cycleText(step), hex64(step.pc), place, line?.text.trim() ?? '(no line)'],
    json: { function: name, ...(line && { file: line.file, line: line.line, lineText: line.text }) },
  };
}

function eventLine(session: Session, step: TraceStep, arrival: Arrival): TraceLine {
  const text = arrivalText(arrival, session.execution.kernel);
  const where = symbolText(session.execution.kernel, step.pc);
  const args =
    arrival.kind === 'helper-call' ? { name: arrival.name, args: arrival.args } : { index: arrival.index };
  const shown = arrival.kind === 'helper-call' ? `${text} (${arrival.args.map(valueText).join(', ')})` : text;
  return {
    text: columns([cycleText(step), hex64(step.pc), where, shown], []),
    json: {
      n: step.number,
      cycle: step.cycle,
      pc: step.pc,
      symbol: where,
      event: arrival.kind,
      text,
      ...args,
    },
  };
}
