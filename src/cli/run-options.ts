import { EngineError } from '../engine/base/errors';
import { bytesToHex, hexToBytes } from '../engine/base/hex';
import type { InputsView } from '../engine/debugger/views';
import { defaultInputs } from '../engine/debugger/inputs';
import type { BpfObject, BpfProgram } from '../engine/loader/object';
import { TIMING_NAMES, isTimingName, type TimingName } from '../engine/machine/timing/profile';
import { usage, type Arguments, type OptionSpec } from './command';
import type { Io } from './io';
import { PROFILE_OPTIONS } from './profile-options';

/** The options of everything that runs a program. */
export const RUN_OPTIONS: readonly OptionSpec[] = [
  { name: 'data', value: 'FILE|hex:…', help: 'packet bytes; a UDP packet unless given' },
  { name: 'ctx', value: 'FILE|hex:…', help: 'raw bytes of the user-visible context' },
  {
    name: 'map',
    value: 'NAME=FILE',
    repeatable: true,
    help: 'entries of a map: JSON list of [key hex, value hex]; prog arrays: [index, program name]',
  },
  { name: 'repeat', value: 'N', help: 'run it N times (default 1)' },
  { name: 'max-insns', value: 'N', help: 'instructions after which to give up (default 10^8)' },
  { name: 'timing', value: 'NAME|none', help: `timing profile: ${TIMING_NAMES.join(', ')} (default rocket)` },
  ...PROFILE_OPTIONS,
  { name: 'json', help: 'one JSON value on standard output, everything else on standard error' },
];

export const DEFAULT_MAX_INSNS = 100_000_000;

/** @throws EngineError `usage/arguments` for a name that is none of the timing profiles' */
export function timingFrom(args: Arguments): TimingName | 'none' {
  const name = args.text('timing') ?? 'rocket';
  if (isTimingName(name)) return name;
  throw usage(`there is no timing profile '${name}'; choose one of ${TIMING_NAMES.join(', ')}`);
}

/** Bytes from a file, or from `hex:…`. @throws EngineError `base/hex`, `usage/file` */
export async function bytesOption(name: string, args: Arguments, io: Io): Promise<Uint8Array | undefined> {
  const text = args.text(name);
  if (text === undefined) return undefined;
  if (!text.startsWith('hex:')) return io.read(text);
  try {
    return hexToBytes(text.slice('hex:'.length));
  } catch (error) {
    throw usage(`--${name}: ${error instanceof EngineError ? error.message : String(error)}`);
  }
}

/** The program with this name. @throws EngineError `usage/arguments` with a list of the names there are */
export function programNamed(object: BpfObject, name: string): BpfProgram {
  const [program, another] = object.programs.filter((p) => p.name === name);
  if (program && another) {
    const sections = `sections ${program.section} and ${another.section}`;
    throw usage(`${object.name} holds more than one program '${name}' (${sections}); rename one of them`);
  }
  if (program) return program;
  const names = object.programs.map((p) => p.name).join(', ');
  throw usage(
    names === ''
      ? `${object.name} holds no program`
      : `${object.name} holds no program '${name}'; it holds ${names}`,
  );
}

/** What a program is given. */
export interface Inputs {
  readonly inputs: InputsView;
  /** What is a default, for standard error once it is clear that the program can be run. */
  readonly note: string;
}

/** What the program is given: what the command line says, and defaults for the rest. */
export async function inputsFrom(program: BpfProgram, args: Arguments, io: Io): Promise<Inputs> {
  const data = await bytesOption('data', args, io);
  const ctx = await bytesOption('ctx', args, io);
  const repeat = args.count('repeat');
  const standard = defaultInputs(program.type);
  const useStandardData = data === undefined && standard.data !== undefined;
  const useStandardCtx = ctx === undefined && standard.ctx !== undefined;
  const notes = [
    useStandardData && `No --data given: using a UDP packet of ${standard.data!.length / 2} bytes.\n`,
    useStandardCtx && `No --ctx given: using ${standard.ctx!.length / 2} bytes of zeros.\n`,
  ];
  return {
    inputs: {
      ...(data ? { data: bytesToHex(data) } : useStandardData && { data: standard.data }),
      ...(ctx ? { ctx: bytesToHex(ctx) } : useStandardCtx && { ctx: standard.ctx }),
      ...(repeat !== undefined && { repeat }),
    },
    note: notes.filter((note) => note !== false).join(''),
  };
}
