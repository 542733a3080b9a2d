import { parseArgs } from 'node:util';
import { EngineError } from '../engine/base/errors';
import type { Io } from './io';

/** An option of a command. */
export interface OptionSpec {
  readonly name: string;
  /** What the value is called in the help text; absent: the option is a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  /** One letter that stands for it after a single dash. */
  readonly short?: string;
  readonly help: string;
}

export interface PositionalSpec {
  readonly name: string;
  readonly required: boolean;
  readonly many?: boolean;
}

/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionSpec[];
  /** More that the help text should say. */
  readonly notes?: string;
  /** @returns the exit code: 0 done, 1 a check failed or the program came to grief */
  run(args: Arguments, io: Io): Promise<number>;
}

/** The wrong use of the command line: one line on standard error, exit code 2. */
export function usage(message: string): EngineError {
  return new EngineError('usage/arguments', message);
}

/** What was given on the command line, checked against a command's options. */
export class Arguments {
  constructor(
    readonly positionals: readonly string[],
    private readonly values: Readonly<
      Record<string, string | boolean | readonly (string | boolean)[] | undefined>
    >,
  ) {}

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== false;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : [];
  }

  /** A count: decimal digits, also as 10^8, 1e8 or with underscores. @throws EngineError for anything else or less than `least` */
  count(name: string, least = 1): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const plain = text.replaceAll('_', '');
    const power = /^10\^(\d+)$/.exec(plain);
    const number = power ? 10 ** Number(power[1]) : /^\d+(e\d+)?$/.test(plain) ? Number(plain) : NaN;
    if (!Number.isSafeInteger(number) || number < least) {
      throw usage(`--${name} takes a whole number of at least ${least}, not '${text}'.`);
    }
    return number;
  }
}

/** Options that every command has. */
const COMMON: readonly OptionSpec[] = [{ name: 'help', short: 'h', help: 'print this text' }];

/**
 * Reads a command's arguments.
 * @throws EngineError `usage/arguments` for unknown options, missing values and too few or too many words
 */
export function parseCommandLine(command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    [...command.options, ...COMMON].map(({ name, value, repeatable, short }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: repeatable === true,
        ...(short !== undefined && { short }),
      },
    ]),
  );
  const { values, positionals } = parse(command, [...argv], options);
  const args = new Arguments(positionals, values);
  if (args.has('help')) return args;
  const required = command.positionals.filter((p) => p.required);
  if (positionals.length < required.length) {
    throw usage(`${command.name} needs ${required[positionals.length]!.name}; usage: ${usageLine(command)}`);
  }
  if (positionals.length > command.positionals.length && !command.positionals.some((p) => p.many)) {
    const extra = positionals[command.positionals.length]!;
    throw usage(`${command.name} does not take '${extra}'; usage: ${usageLine(command)}`);
  }
  return args;
}

function parse(
  command: Command,
  argv: string[],
  options: Record<string, { type: 'boolean' | 'string'; multiple: boolean; short?: string }>,
) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(`${parseProblem(error, argv)}; usage: ${usageLine(command)}`);
  }
}

/** Node's messages, cut to what is wrong. */
function parseProblem(error: unknown, argv: readonly string[]): string {
  const { code, message } = error as { code?: string; message: string };
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const name = /'(-[^']*)'/.exec(message)?.[1] ?? argv.find((arg) => arg.startsWith('-')) ?? '';
    return `unknown option '${name}'`;
  }
  const option = /'(?:-\w, )?(--[\w-]+)/.exec(message)?.[1];
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' && option !== undefined) {
    if (/not take an argument/.test(message)) return `${option} takes no value`;
    const next = argv[argv.indexOf(option) + 1];
    return next === undefined
      ? `${option} needs a value`
      : `${option} needs a value, and '${next}' looks like an option; write ${option}=${next} if it is meant`;
  }
  return message.split('\n')[0]!;
}

/** `hartbeat run OBJ PROG [options]` */
function usageLine(command: Command): string {
  const words = command.positionals.map(({ name, required, many }) => {
    const word = many ? `${name}…` : name;
    return required ? word : `[${word}]`;
  });
  return ['hartbeat', command.name, ...words, '[options]'].join(' ');
}

/** The text that `--help` prints. */
export function helpText(command: Command): string {
  const options = [...command.options, ...COMMON].map((option) => {
    const flag = option.value === undefined ? `--${option.name}` : `--${option.name} ${option.value}`;
    return [flag, option.repeatable ? `${option.help} (repeatable)` : option.help] as const;
  });
  const width = Math.max(...options.map(([flag]) => flag.length));
  const lines = options.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`);
  const notes = command.notes === undefined ? [] : ['', command.notes];
  return [`Usage: ${usageLine(command)}`, '', command.summary, '', 'Options:', ...lines, ...notes, ''].join(
    '\n',
  );
}
