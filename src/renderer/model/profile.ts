import type { AppInfo } from '../../shared/contract';
import type { ProfileView } from '../../shared/views';

/** The profile that a first start offers: the scheme that this debugger was made for. */
export const DEFAULT_PROFILE: ProfileView = { kernel: '6.12', tcc: 'transparent', isa: 'rv64imac' };

/** ISA extensions that change what the JIT emits, in the order in which an ISA string names them. */
export const ISA_OPTIONS = [
  { name: 'zba', label: 'Zba', title: 'Address generation: sh2add, sh3add, add.uw, zext.w' },
  { name: 'zbb', label: 'Zbb', title: 'Basic bit manipulation: rev8, sext.b, sext.h, zext.h' },
  { name: 'zacas', label: 'Zacas', title: 'Compare and swap: amocas.w, amocas.d' },
] as const;

export interface IsaChoice {
  readonly compressed: boolean;
  readonly extensions: readonly string[];
}

/** Takes an ISA string such as `rv64imac_zba_zbb` apart. */
export function isaChoice(isa: string): IsaChoice {
  const [base, ...extensions] = isa.toLowerCase().split('_');
  return { compressed: base === 'rv64imac', extensions };
}

/** The ISA string of a choice. */
export function isaString(choice: IsaChoice): string {
  const extensions = ISA_OPTIONS.map(({ name }) => name).filter((name) => choice.extensions.includes(name));
  return [choice.compressed ? 'rv64imac' : 'rv64ima', ...extensions].join('_');
}

/** The schemes that a kernel has, the one that it ships first; none for a kernel that is not known. */
export function schemesOf(kernels: AppInfo['kernels'], kernel: string): readonly string[] {
  return kernels.find((entry) => entry.kernel === kernel)?.schemes ?? [];
}

/** Those of {@link schemesOf} under which subprograms may tail call. */
export function mixingSchemesOf(kernels: AppInfo['kernels'], kernel: string): readonly string[] {
  return kernels.find((entry) => entry.kernel === kernel)?.mixing ?? [];
}

/**
 * The nearest legal profile: an unknown kernel becomes the default one (or the first there is), a scheme that the kernel
 * lacks becomes `transparent` where there is one, else the kernel's first.
 */
export function legalProfile(kernels: AppInfo['kernels'], wanted: ProfileView): ProfileView {
  const known = (kernel: string) => kernels.some((entry) => entry.kernel === kernel);
  const kernel = known(wanted.kernel)
    ? wanted.kernel
    : known(DEFAULT_PROFILE.kernel)
      ? DEFAULT_PROFILE.kernel
      : (kernels[0]?.kernel ?? wanted.kernel);
  const schemes = schemesOf(kernels, kernel);
  const tcc = schemes.includes(wanted.tcc)
    ? wanted.tcc
    : schemes.includes(DEFAULT_PROFILE.tcc)
      ? DEFAULT_PROFILE.tcc
      : (schemes[0] ?? wanted.tcc);
  return { kernel, tcc, isa: isaString(isaChoice(wanted.isa)) };
}

/** `6.12 · transparent · rv64imac` */
export function profileText(profile: ProfileView): string {
  return `${profile.kernel} · ${profile.tcc} · ${profile.isa}`;
}

export function sameProfile(a: ProfileView, b: ProfileView): boolean {
  return a.kernel === b.kernel && a.tcc === b.tcc && a.isa === b.isa;
}
