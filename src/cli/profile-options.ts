import { parseProfile } from '../engine/profile/parse';
import type { Profile } from '../engine/profile/profile';
import type { Arguments, OptionSpec } from './command';

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
