import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { KERNELS } from '../profile/kernels';
import { parseProfile, profileWords, SCHEMES, type ProfileWords } from './profile';
import { SCHEME_NAMES, TCC_SCHEMES } from './tcc/index';

function refusal(words: ProfileWords): string {
  try {
    parseProfile(words);
  } catch (error) {
    if (error instanceof EngineError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

/** The pairs of the command line's contract; the first is what the kernel ships. */
const PAIRS = [
  ['6.6', ['mainline', 'stack-v1']],
  ['6.12', ['mainline', 'stack-v1', 'stack-v3', 'stack-v6', 'transparent']],
  ['7.2', ['mainline', 'transparent']],
  ['7.3', ['stack-v6', 'transparent']],
] as const;

describe('kernels and schemes', () => {
  it.each(PAIRS)('kernel %s has the schemes %j, native is the first', (kernel, schemes) => {
    expect(SCHEMES[kernel]).toEqual(schemes);
    expect(parseProfile({ kernel, tcc: 'native' }).tcc).toBe(schemes[0]);
    expect(parseProfile({ kernel }).tcc).toBe(kernel === '6.6' ? schemes[0] : 'transparent');
    for (const tcc of schemes)
      expect(profileWords(parseProfile({ kernel, tcc }))).toEqual({ kernel, tcc, isa: 'rv64imac' });
  });

  it('every scheme of the table is for some kernel, and no two are what one kernel ships', () => {
    for (const name of SCHEME_NAMES)
      expect(KERNELS.filter((kernel) => SCHEMES[kernel].includes(name))).not.toEqual([]);
    for (const kernel of KERNELS) {
      const shipped = SCHEME_NAMES.filter((name) => TCC_SCHEMES[name].kernels[kernel] === 'shipped');
      expect(shipped.length).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    [{ kernel: '5.4' }, "usage/profile: Unknown kernel '5.4'; choose one of 6.6, 6.12, 7.2, 7.3."],
    [{ kernel: 'toString' }, "usage/profile: Unknown kernel 'toString'; choose one of 6.6, 6.12, 7.2, 7.3."],
    [
      { tcc: 'toString' },
      `usage/profile: Unknown TCC scheme 'toString'; choose one of ${SCHEME_NAMES.join(', ')} or native.`,
    ],
    [
      { kernel: '7.2', tcc: 'stack-v1' },
      "usage/profile: TCC scheme 'stack-v1' is not defined for kernel 7.2: no such patch exists for it. Choose one of mainline, transparent.",
    ],
    [
      { kernel: '6.6', cfi: true },
      'usage/profile: Kernel 6.6 has no kCFI for BPF programs on riscv; choose one of 6.12, 7.2, 7.3, or leave kCFI off.',
    ],
    [
      { isa: 'rv64gc' },
      "usage/isa: ISA 'rv64gc' is not understood; write rv64imac or rv64ima, then _zba, _zbb, _zacas as wanted.",
    ],
  ])('%j is refused in one sentence', (words, message) => {
    expect(refusal(words)).toBe(message);
  });
});
