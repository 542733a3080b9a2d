import type { Profile, TccScheme as TccSchemeName } from '../../profile/profile';
import { mainline } from './mainline';
import type { TccScheme } from './scheme';
import { stackV1 } from './stack-v1';
import { stackV3 } from './stack-v3';
import { stackV6 } from './stack-v6';
import { transparent } from './transparent';

/** Every scheme by name. A new one is a file beside this one and a line here. */
const SCHEMES: Readonly<Record<TccSchemeName, TccScheme>> = {
  mainline,
  'stack-v1': stackV1,
  'stack-v3': stackV3,
  'stack-v6': stackV6,
  transparent,
};

/** The tail call counter scheme of a profile. */
export function schemeOf(profile: Profile): TccScheme {
  return SCHEMES[profile.tcc];
}
