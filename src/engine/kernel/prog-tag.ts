import { bytesToHex } from '../base/hex';
import { sha1, sha256 } from '../base/sha';
import { encodeInsns } from '../bpf/bytes';
import { BPF_PSEUDO, LD_IMM64, type BpfInsn } from '../bpf/insn';
import type { KernelVersion } from '../profile/profile';

/** Kernels that hash programs with SHA-256; the others use SHA-1. */
const SHA256_TAGS: ReadonlySet<KernelVersion> = new Set(['7.2', '7.3']);

/**
 * The 8-byte tag of a program as 16 hex digits (bpf_prog_calc_tag()): the head of a hash over its instructions, with both
 * immediates of map references zeroed, since those are file descriptors that mean nothing elsewhere.
 */
export function progTag(insns: readonly BpfInsn[], kernel: KernelVersion): string {
  let map = false;
  const plain = insns.map((insn) => {
    const second: boolean = map && insn.code === 0;
    map = insn.code === LD_IMM64 && (insn.src === BPF_PSEUDO.MAP_FD || insn.src === BPF_PSEUDO.MAP_VALUE);
    return map || second ? { ...insn, imm: 0 } : insn;
  });
  const bytes = encodeInsns(plain);
  const hash = SHA256_TAGS.has(kernel) ? sha256(bytes) : sha1(bytes);
  return bytesToHex(hash.subarray(0, 8));
}
