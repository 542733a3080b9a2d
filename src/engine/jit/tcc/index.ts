import { mainline } from './mainline';
import type { TccScheme } from './scheme';
import { stackV1 } from './stack-v1';
import { stackV3 } from './stack-v3';
import { stackV6 } from './stack-v6';
import { transparent } from './transparent';

/**
 * Every scheme by name, in the order of their history. A new one is a file beside this one and a line here: its name, its
 * place in messages, options and windows, and the type of names all come from this table, everything else from its file.
 */
export const TCC_SCHEMES = {
  mainline,
  'stack-v1': stackV1,
  'stack-v3': stackV3,
  'stack-v6': stackV6,
  transparent,
} as const satisfies Readonly<Record<string, TccScheme>>;

export type TccSchemeName = keyof typeof TCC_SCHEMES;

/** The names of the table, in its order. */
export const SCHEME_NAMES = Object.keys(TCC_SCHEMES) as TccSchemeName[];

/** The tail call counter scheme of a profile. */
export const schemeOf = ({ tcc }: { readonly tcc: TccSchemeName }): TccScheme => TCC_SCHEMES[tcc];

/** Whether functions that tail call may be called: the count travels with calls (bpf_jit_supports_subprog_tailcalls). */
export const supportsSubprogTailCalls = (profile: { readonly tcc: TccSchemeName }): boolean =>
  schemeOf(profile).budget !== 'function';
