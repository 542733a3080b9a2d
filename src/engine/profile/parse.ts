import { EngineError } from '../base/errors';
import { faultNamed } from './faults';
import { JIT_FACTS } from './jit-facts';
import type { IsaExtensions, KernelVersion, Profile, StructLayout, TccScheme } from './profile';

/** Struct offsets of each kernel (spec 0.4). */
export const LAYOUTS: Readonly<Record<KernelVersion, StructLayout>> = {
  '6.6': {
    bpfArrayMaxEntries: 36,
    bpfArrayPtrs: 272,
    bpfProgBpfFunc: 48,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
  '6.12': {
    bpfArrayMaxEntries: 36,
    bpfArrayPtrs: 264,
    bpfProgBpfFunc: 48,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
  '7.2': {
    bpfArrayMaxEntries: 76,
    bpfArrayPtrs: 304,
    bpfProgBpfFunc: 72,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
  '7.3': {
    bpfArrayMaxEntries: 68,
    bpfArrayPtrs: 304,
    bpfProgBpfFunc: 72,
    threadInfoCpu: 32,
    htabElemKey: 48,
  },
};

/** The TCC schemes that the spec defines for each kernel; the first is what that kernel ships. */
export const SCHEMES: Readonly<Record<KernelVersion, readonly TccScheme[]>> = {
  '6.6': ['mainline', 'stack-v1'],
  '6.12': ['mainline', 'stack-v1', 'stack-v3', 'stack-v6', 'transparent'],
  '7.2': ['mainline', 'transparent'],
  '7.3': ['stack-v6', 'transparent'],
};

export const KERNELS = Object.keys(SCHEMES) as KernelVersion[];
/** Every scheme, in the order of their history. */
export const ALL_SCHEMES: readonly TccScheme[] = SCHEMES['6.12'];

/** What is used where nothing is said and the kernel has it. */
export const DEFAULT_SCHEME: TccScheme = 'transparent';

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
  const kernel = (words.kernel ?? '6.12') as KernelVersion;
  const schemes = SCHEMES[kernel];
  if (!schemes) {
    throw new EngineError(
      'usage/profile',
      `Unknown kernel '${kernel}'; choose one of ${KERNELS.join(', ')}.`,
      { kernel },
    );
  }
  const word = words.tcc ?? (schemes.includes(DEFAULT_SCHEME) ? DEFAULT_SCHEME : 'native');
  const tcc = word === 'native' ? schemes[0]! : (word as TccScheme);
  if (!ALL_SCHEMES.includes(tcc)) {
    throw new EngineError(
      'usage/profile',
      `Unknown TCC scheme '${word}'; choose one of ${ALL_SCHEMES.join(', ')} or native.`,
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

/**
 * Reads `rv64imac[_zba][_zbb][_zacas]`, with or without the letter c.
 * @throws EngineError `usage/isa`
 */
function parseIsa(text: string): IsaExtensions {
  const [base, ...extensions] = text.toLowerCase().split('_');
  if (base !== 'rv64imac' && base !== 'rv64ima') {
    throw new EngineError(
      'usage/isa',
      `ISA '${text}' is not understood; write rv64imac or rv64ima, then _zba, _zbb, _zacas as wanted.`,
      { isa: text },
    );
  }
  const unknown = extensions.find((name) => !['zba', 'zbb', 'zacas'].includes(name));
  if (unknown !== undefined) {
    throw new EngineError(
      'usage/isa',
      `The JIT knows no use of extension '${unknown}'; the ISA string takes _zba, _zbb and _zacas.`,
      { isa: text, extension: unknown },
    );
  }
  const has = (name: string) => extensions.includes(name);
  return { c: base === 'rv64imac', zba: has('zba'), zbb: has('zbb'), zacas: has('zacas') };
}

/** The ISA string of a profile's extensions, as {@link parseIsa} reads it. */
export function isaText(isa: IsaExtensions): string {
  return [isa.c ? 'rv64imac' : 'rv64ima', isa.zba && 'zba', isa.zbb && 'zbb', isa.zacas && 'zacas']
    .filter(Boolean)
    .join('_');
}
