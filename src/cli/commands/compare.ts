import { EngineError } from '../../engine/base/errors';
import type { ProfileView } from '../../engine/debugger/views';
import { profileWords } from '../../engine/jit/profile';
import { profileWords as profileText } from '../../shared/compare-text';
import { usage, type Command } from '../command';
import { toJson } from '../json';
import { otherProfiles, profileFrom, WITH_OPTION } from '../profile-options';
import { RUN_OPTIONS } from '../run-options';
import { runRequest } from '../run-request';
import { exitCodeOf, runProgram, type RunReport, type RunRequest } from '../run-program';
import { grouped, table } from '../table';

/** `hartbeat compare OBJ PROG --with KEY=V,…` */
export const compareCommand: Command = {
  name: 'compare',
  summary: 'the same run under several profiles; exit code 1 when the results differ',
  positionals: [
    { name: 'OBJ', required: true },
    { name: 'PROG', required: true },
  ],
  options: [WITH_OPTION, ...RUN_OPTIONS],
  async run(args, io) {
    const profiles = [profileFrom(args), ...otherProfiles(args)];
    if (profiles.length === 1)
      throw usage('compare needs at least one --with KEY=V,…, for instance --with tcc=mainline');
    const { request, note } = await runRequest(args, io);
    const runs = profiles.map((profile): ProfiledRun => {
      const run = runUnder({ ...request, profile });
      return { profile: profileWords(profile), ...run };
    });
    await io.err(note);
    const [base, ...others] = runs;
    const differences = others.flatMap((other) => differing(base!, other));
    await io.out(args.has('json') ? `${toJson(runs)}\n` : text(runs, differences));
    return differences.length > 0 || runs.some((run) => exitCodeOf(run) !== 0) ? 1 : 0;
  },
};

/** @throws EngineError that names the profile which refuses the program */
function runUnder(request: RunRequest): RunReport {
  try {
    return runProgram(request);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(
      error.code,
      `${profileText(profileWords(request.profile))}: ${error.message}`,
      error.data,
    );
  }
}

type ProfiledRun = RunReport & { readonly profile: ProfileView };

const COMPARED = ['retval', 'dataOut', 'ctxOut', 'maps'] as const;

function differing(base: ProfiledRun, other: ProfiledRun): string[] {
  return COMPARED.filter((key) => toJson(sorted(base[key])) !== toJson(sorted(other[key]))).map(
    (key) => `${profileText(other.profile)}: ${key} differs`,
  );
}

/** Map contents are sets: a hash map's order says nothing. */
function sorted(value: ProfiledRun[(typeof COMPARED)[number]]): unknown {
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, entries]) => [name, [...entries].map((entry) => entry.join(':')).sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function text(runs: readonly ProfiledRun[], differences: readonly string[]): string {
  const head = [
    'profile',
    'return',
    'instructions',
    'loads',
    'stores',
    'cycles',
    'stack',
    'tail calls',
    'stop',
  ];
  const rows = runs.map((run) => [
    profileText(run.profile),
    run.retval === null ? '-' : String(run.retval),
    grouped(run.instructions),
    grouped(run.loads),
    grouped(run.stores),
    run.cycles === null ? '-' : grouped(run.cycles),
    String(run.stackBytes),
    String(run.tailCalls),
    run.stop.reason,
  ]);
  const unfinished = runs
    .filter((run) => run.stop.reason !== 'exit')
    .map((run) => `${profileText(run.profile)}: ${run.stop.text}`);
  const said = [...unfinished, ...differences];
  const verdict = said.length === 0 ? 'All results agree.\n' : said.map((line) => `${line}\n`).join('');
  return `${table([head, ...rows])}\n${verdict}`;
}
