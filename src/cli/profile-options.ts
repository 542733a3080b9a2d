import type { ProfileView } from '../engine/debugger/views';
import { isaText, parseProfile, type ProfileWords } from '../engine/profile/parse';
import type { Profile } from '../engine/profile/profile';
import { usage, type Arguments, type OptionSpec } from './command';

/** The options that choose a profile, the same for every command. */
export const PROFILE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'kernel',
    value: 'VERSION',
    help: 'kernel whose JIT makes the code: 6.6, 6.12 (default), 7.2 or 7.3',
  },
  {
    name: 'tcc',
    value: 'SCHEME',
    help: 'tail call counter: mainline, stack-v1, stack-v3, stack-v6, transparent (default) or native',
  },
  { name: 'isa', value: 'ISA', help: 'rv64imac (default) or rv64ima, then _zba, _zbb, _zacas as wanted' },
];

/** @throws EngineError `usage/profile`, `usage/isa` */
export function profileFrom(args: Arguments): Profile {
  return parseProfile({ kernel: args.text('kernel'), tcc: args.text('tcc'), isa: args.text('isa') });
}

/** The option that names profiles to compare the chosen one with. */
export const WITH_OPTION: OptionSpec = {
  name: 'with',
  value: 'KEY=V,…',
  repeatable: true,
  help: 'a profile to compare with: kernel=…, tcc=…, isa=…; what is not named is as in the base profile',
};

/** The profiles that every `--with KEY=V,…` names. @throws EngineError `usage/…` */
export function otherProfiles(args: Arguments): Profile[] {
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

/** The words that stand for a profile. */
export function profileView({ kernel, tcc, isa }: Profile): ProfileView {
  return { kernel, tcc, isa: isaText(isa) };
}
