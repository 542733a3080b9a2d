import type { Arguments } from './command';
import type { Io } from './io';
import { mapSettings, withReadOnlyData } from './map-settings';
import { openObject } from './open';
import { profileFrom } from './profile-options';
import { DEFAULT_MAX_INSNS, inputsFrom, programNamed, timingFrom } from './run-options';
import type { RunRequest } from './run-program';

/** What the command line asks to be run. */
export interface PreparedRun {
  readonly request: RunRequest;
  /** What is a default, for standard error once it is clear that the program can be run. */
  readonly note: string;
}

/**
 * The run that OBJ, PROG and the options of RUN_OPTIONS describe.
 * @throws EngineError `usage/…` for wrong use; what elf, btf and loader throw for the object
 */
export async function runRequest(args: Arguments, io: Io): Promise<PreparedRun> {
  const profile = profileFrom(args);
  const timing = timingFrom(args);
  const limit = args.count('max-insns') ?? DEFAULT_MAX_INSNS;
  const opened = await openObject(args.positionals[0]!, io);
  const program = programNamed(opened, args.positionals[1]!);
  const maps = await mapSettings(opened, args, io);
  const { inputs, note } = await inputsFrom(program, args, io);
  const object = withReadOnlyData(opened, maps);
  return { request: { object, program: program.name, profile, inputs, maps, limit, timing }, note };
}
