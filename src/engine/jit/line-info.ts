import type { JitFunction } from './types';

/**
 * Address of the native code at which the source line of slot `slot` begins (`bpf_prog_fill_jited_linfo`, spec 7.6): the end
 * of the slot before it. The first slot of a function begins at its entry, prologue included. With kCFI the kernel adds an
 * offset that counts the type word to an address that lies behind it, and so does this.
 * @param slot index in the program, inside the function
 */
export function jitedLineAddress(fn: JitFunction, slot: number): bigint {
  const index = slot - fn.start;
  return fn.bpfFunc + BigInt(index <= 0 ? 0 : (fn.offsets[index - 1] ?? 0));
}
