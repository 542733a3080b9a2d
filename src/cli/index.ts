import { processIo } from './io';
import { runCli } from './main';

/** The command `hartbeat`: bin/hartbeat calls it in its built form with the arguments; gives the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCli(args, processIo(process));
}
