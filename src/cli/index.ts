import { processIo } from './io';
import { runCli } from './main';

/** The command `hartbeat`: bin/hartbeat starts the built form of this file. */
process.exitCode = await runCli(process.argv.slice(2), processIo(process));
