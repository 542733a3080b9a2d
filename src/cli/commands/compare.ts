import { parseProfile, isaText, type ProfileWords } from '../../engine/profile/parse';
import type { Profile } from '../../engine/profile/profile';
import { usage, type Command } from '../command';
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
import { runProgram, type RunReport } from '../run-program';
import { grouped, table } from '../table';
import type { Arguments } from '../command';

/** `hartbeat compare OBJ PROG --with KEY=V,…` */
export const compareCommand: Command = {
  name: 'compare',
  summary: 'the same run under several profiles; exit code 1 when the results differ',
  positionals: [
    { name: 'OBJ', required: true },
    { name: 'PROG', required: true },
  ],
  options: [
    {
      name: 'with',
      value: 'KEY=V,…',
      repeatable: true,
      help: 'a profile to compare with: kernel=…, tcc=…, isa=…; what is not named is as in the base profile',
    },
    ...RUN_OPTIONS,
  ],
  async run(args, io) {
    const profiles = [profileFrom(args), ...otherProfiles(args)];
    if (profiles.length === 1)
      throw usage('compare needs at least one --with KEY=V,…, for instance --with tcc=mainline');
    const limit = args.count('max-insns') ?? DEFAULT_MAX_INSNS;
    const object = await openObject(args.positionals[0]!, io);
    const program = programNamed(object, args.positionals[1]!);
    const maps = await mapSettings(object, args, io);
    const inputs = await inputsFrom(program, args, io);
    const runs = profiles.map((profile) => ({
      profile: { kernel: profile.kernel, tcc: profile.tcc, isa: isaText(profile.isa) },
      ...runProgram({
        object,
        program: program.name,
        profile,
        inputs,
        maps,
        limit,
        timing: timingFrom(args),
      }),
    }));
    const [base, ...others] = runs;
    const differences = others.flatMap((other) => differing(base!, other));
    await io.out(args.has('json') ? `${toJson(runs)}\n` : text(runs, differences));
    return differences.length > 0 ? 1 : 0;
  },
};

type ProfiledRun = RunReport & {
  readonly profile: { readonly kernel: string; readonly tcc: string; readonly isa: string };
};

function otherProfiles(args: Arguments): Profile[] {
  const base = { kernel: args.text('kernel'), tcc: args.text('tcc'), isa: args.text('isa') };
  return args.texts('with').map((text) => {
    const words: { -readonly [K in keyof ProfileWords]: ProfileWords[K] } = { ...base };
    for (const part of text.split(',')) {
      const [key, value] = part.split('=', 2);
      if ((key !== 'kernel' && key !== 'tcc' && key !== 'isa') || value === undefined || value === '') {
        throw usage(`--with takes kernel=…, tcc=…, isa=… separated by commas, not '${part}'`);
      }
      words[key] = value;
    }
    return parseProfile(words);
  });
}

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

const profileText = ({ kernel, tcc, isa }: ProfiledRun['profile']): string => `${kernel} ${tcc} ${isa}`;

function text(runs: readonly ProfiledRun[], differences: readonly string[]): string {
  const head = ['profile', 'return', 'instructions', 'loads', 'stores', 'stack', 'tail calls', 'stop'];
  const rows = runs.map((run) => [
    profileText(run.profile),
    run.retval === null ? '-' : String(run.retval),
    grouped(run.instructions),
    grouped(run.loads),
    grouped(run.stores),
    String(run.stackBytes),
    String(run.tailCalls),
    run.stop.reason,
  ]);
  const verdict =
    differences.length === 0 ? 'All results agree.\n' : differences.map((d) => `${d}\n`).join('');
  return `${table([head, ...rows])}\n${verdict}`;
}
