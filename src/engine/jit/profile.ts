import { EngineError } from '../base/errors';
import { faultNamed } from '../profile/faults';
import { isaText, parseIsa } from '../profile/isa';
import { JIT_FACTS } from '../profile/jit-facts';
import { KERNELS, LAYOUTS } from '../profile/kernels';
import type { KernelVersion, Profile as ProfileOf } from '../profile/profile';
import { SCHEME_NAMES, TCC_SCHEMES, type TccSchemeName } from './tcc/index';

/** A profile with one of the schemes that the JIT has: what all that is compiled or runs is of. */
export type Profile = ProfileOf<TccSchemeName>;

/** The TCC schemes that each kernel has, as their files say; the one that it ships is the first, the others are patches. */
export const SCHEMES: Readonly<Record<KernelVersion, readonly TccSchemeName[]>> = {
  '6.6': schemesOf('6.6'),
  '6.12': schemesOf('6.12'),
  '7.2': schemesOf('7.2'),
  '7.3': schemesOf('7.3'),
};

function schemesOf(kernel: KernelVersion): readonly TccSchemeName[] {
  const having = (what: 'shipped' | 'patch'): TccSchemeName[] =>
    SCHEME_NAMES.filter((name) => TCC_SCHEMES[name].kernels[kernel] === what);
  return [...having('shipped'), ...having('patch')];
}

/**
 * The scheme that a kernel ships.
 * @throws EngineError `usage/profile` when it is none of the table
 */
export function nativeScheme(kernel: KernelVersion): TccSchemeName {
  const schemes = SCHEMES[kernel];
  const native = schemes.find((name) => TCC_SCHEMES[name].kernels[kernel] === 'shipped');
  if (native) return native;
  throw new EngineError(
    'usage/profile',
    `The TCC scheme that kernel ${kernel} ships is not known here; choose one of ${schemes.join(', ')}.`,
    { kernel },
  );
}

/** What is used where nothing is said and the kernel has it. */
export const DEFAULT_SCHEME: TccSchemeName = 'transparent';

/** The profile words a user may give; all optional. */
export interface ProfileWords {
  readonly kernel?: string;
  readonly tcc?: string;
  readonly isa?: string;
  /** The kernel is built with kCFI. */
  readonly cfi?: boolean;
  /** Faults to seed, by name. */
  readonly faults?: readonly string[];
}

/**
 * Builds a profile from the words of the command line (cli.md): kernel, TCC scheme or `native`, ISA string,
 * kCFI and faults.
 * @throws EngineError `usage/profile`, `usage/isa`, `profile/fault` naming the word that is wrong and those that are right.
 */
export function parseProfile(words: ProfileWords = {}): Profile {
  const kernel = kernelNamed(words.kernel ?? '6.12');
  const tcc = schemeNamed(kernel, words.tcc);
  const cfi = words.cfi === true;
  if (cfi && !JIT_FACTS[kernel].supportsCfi) {
    const others = KERNELS.filter((other) => JIT_FACTS[other].supportsCfi);
    throw new EngineError(
      'usage/profile',
      `Kernel ${kernel} has no kCFI for BPF programs on riscv; choose one of ${others.join(', ')}, or leave kCFI off.`,
      { kernel },
    );
  }
  return {
    kernel,
    tcc,
    isa: parseIsa(words.isa ?? 'rv64imac'),
    cfi,
    layout: LAYOUTS[kernel],
    faults: [...new Set((words.faults ?? []).map(faultNamed))],
  };
}

function kernelNamed(word: string): KernelVersion {
  const kernel = KERNELS.find((known) => known === word);
  if (kernel) return kernel;
  throw new EngineError('usage/profile', `Unknown kernel '${word}'; choose one of ${KERNELS.join(', ')}.`, {
    kernel: word,
  });
}

function schemeNamed(kernel: KernelVersion, word: string | undefined): TccSchemeName {
  const schemes = SCHEMES[kernel];
  if (word === undefined && schemes.includes(DEFAULT_SCHEME)) return DEFAULT_SCHEME;
  if (word === undefined || word === 'native') return nativeScheme(kernel);
  const tcc = SCHEME_NAMES.find((name) => name === word);
  if (tcc === undefined) {
    throw new EngineError(
      'usage/profile',
      `Unknown TCC scheme '${word}'; choose one of ${SCHEME_NAMES.join(', ')} or native.`,
      { tcc: word },
    );
  }
  if (!schemes.includes(tcc)) {
    throw new EngineError(
      'usage/profile',
      `TCC scheme '${tcc}' is not defined for kernel ${kernel}: no such patch exists for it. Choose one of ${schemes.join(', ')}.`,
      { kernel, tcc },
    );
  }
  return tcc;
}

/** The words that {@link parseProfile} makes this profile from; what is off or empty is left out. */
export function profileWords({ kernel, tcc, isa, cfi, faults }: Profile): {
  kernel: string;
  tcc: string;
  isa: string;
  cfi?: true;
  faults?: readonly string[];
} {
  return { kernel, tcc, isa: isaText(isa), ...(cfi && { cfi }), ...(faults.length > 0 && { faults }) };
}
