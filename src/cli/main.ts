import { EngineError } from '../engine/base/errors';
import { helpText, parseCommandLine, usage, type Command } from './command';
import { compareCommand } from './commands/compare';
import { execCommand } from './commands/exec';
import { hartCommand } from './commands/hart';
import { infoCommand } from './commands/info';
import { jitCommand } from './commands/jit';
import { runCommand } from './commands/run';
import { traceCommand } from './commands/trace';
import { trampolineCommand } from './commands/trampoline';
import { vectorsCommand } from './commands/vectors';
import { OutputClosed, type Io } from './io';
import { faultsText } from './profile-options';
import { table } from './table';

/** Exit codes: a contract with scripts. */
const DONE = 0;
const WRONG_USE = 2;

/** All commands in the order of the help text; a new one is a file beside the others and a line here. */
export const COMMANDS: readonly Command[] = [
  infoCommand,
  jitCommand,
  runCommand,
  traceCommand,
  compareCommand,
  trampolineCommand,
  execCommand,
  hartCommand,
  vectorsCommand,
];

/**
 * Runs one command line (without `node` and the script's name).
 * @returns the exit code: 0 done, 1 a comparison or check failed or the program came to grief, 2 wrong use or bad input
 *   with one line on standard error
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (error instanceof OutputClosed) return DONE;
    await io.err(`hartbeat: ${sentence(error)}\n`);
    return WRONG_USE;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === 'help' && rest[0] === 'faults') {
    await io.out(faultsText());
    return DONE;
  }
  if (name === 'help' && rest.length === 1) return dispatch([rest[0]!, '--help'], io);
  if (name === 'help' || name === '--help' || name === '-h') {
    await io.out(overview());
    return DONE;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (!command) {
    const names = COMMANDS.map((known) => known.name).join(', ');
    throw usage(
      name === undefined
        ? `name a command: ${names}; hartbeat help tells what they do`
        : `there is no command '${name}'; the commands are ${names}`,
    );
  }
  const args = parseCommandLine(command, rest);
  if (args.has('help')) {
    await io.out(helpText(command));
    return DONE;
  }
  return command.run(args, io);
}

function overview(): string {
  const rows = COMMANDS.map((command) => [command.name, command.summary]);
  return [
    'Usage: hartbeat COMMAND [options]',
    '',
    'Runs and explains eBPF programs as a RISC-V kernel runs them.',
    '',
    'Commands:',
    table(rows, '  ').trimEnd(),
    '',
    'hartbeat COMMAND --help tells more about one of them, hartbeat help faults lists the seeded past bugs.',
    '',
  ].join('\n');
}

/** One line for people. Anything but an EngineError is a defect of ours and says so. */
function sentence(error: unknown): string {
  if (error instanceof EngineError) return error.message.replace(/\s*\n\s*/g, ' ');
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Hartbeat itself failed, please report this: ${text.replace(/\s*\n\s*/g, ' | ')}`;
}
