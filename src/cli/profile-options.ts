import { FAULTS, FAULT_NAMES } from '../engine/profile/faults';
import { SCHEME_NAMES } from '../engine/jit/tcc/index';
import { DEFAULT_SCHEME, parseProfile, type Profile, type ProfileWords } from '../engine/jit/profile';
import { usage, type Arguments, type OptionSpec } from './command';
import { table } from './table';

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
    help: `tail call counter: ${SCHEME_NAMES.map((name) => (name === DEFAULT_SCHEME ? `${name} (default)` : name)).join(', ')} or native`,
  },
  { name: 'isa', value: 'ISA', help: 'rv64imac (default) or rv64ima, then _zba, _zbb, _zacas as wanted' },
  { name: 'cfi', help: 'the kernel is built with kCFI: a type word stands before each entry (not in 6.6)' },
  {
    name: 'fault',
    value: 'NAME',
    repeatable: true,
    help: 'the JIT has this past bug; `hartbeat help faults` lists them',
  },
];

function wordsFrom(args: Arguments): ProfileWords {
  return {
    kernel: args.text('kernel'),
    tcc: args.text('tcc'),
    isa: args.text('isa'),
    cfi: args.has('cfi'),
    faults: args.texts('fault'),
  };
}

/** @throws EngineError `usage/profile`, `usage/isa`, `profile/fault` */
export function profileFrom(args: Arguments): Profile {
  return parseProfile(wordsFrom(args));
}

const WITH_KEYS = 'kernel=…, tcc=…, isa=…, cfi=on|off, fault=NAME|none';

/** The option that names profiles to compare the chosen one with. */
export const WITH_OPTION: OptionSpec = {
  name: 'with',
  value: 'KEY=V,…',
  repeatable: true,
  help: `a profile to compare with: ${WITH_KEYS}; what is not named is as in the base profile`,
};

/** The profiles that every `--with KEY=V,…` names. @throws EngineError `usage/…`, `profile/fault` */
export function otherProfiles(args: Arguments): Profile[] {
  return args.texts('with').map((text) => parseProfile(text.split(',').reduce(changed, wordsFrom(args))));
}

/** The words of a profile with one of them changed by `KEY=V`; faults add up. */
function changed(words: ProfileWords, part: string): ProfileWords {
  const [key, value] = part.split('=', 2);
  if (value !== undefined && value !== '') {
    switch (key) {
      case 'kernel':
      case 'tcc':
      case 'isa':
        return { ...words, [key]: value };
      case 'cfi':
        if (value === 'on' || value === 'off') return { ...words, cfi: value === 'on' };
        break;
      case 'fault':
        return { ...words, faults: value === 'none' ? [] : [...(words.faults ?? []), value] };
    }
  }
  throw usage(`--with takes ${WITH_KEYS} separated by commas, not '${part}'`);
}

/** What `hartbeat help faults` prints. */
export function faultsText(): string {
  const rows = FAULT_NAMES.map((name) => [name, FAULTS[name].fixed, FAULTS[name].sentence]);
  return [
    'Past bugs of the RV64 JIT that --fault NAME seeds on purpose, with when they were fixed:',
    '',
    table(rows, '  ').trimEnd(),
    '',
    'For instance: hartbeat compare OBJ PROG --with fault=tail-call-limit-32',
    'Those of trampolines show in trampolines only: hartbeat trampoline --attach fexit --fault original-enters-trampoline',
    '',
  ].join('\n');
}
