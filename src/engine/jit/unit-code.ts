import type { BpfInsn } from '../bpf/insn';

/**
 * The instructions of one function packed into two words a slot (imm; off, src, dst and opcode), so that the passes over
 * a million of them touch one array and no objects. Slots beyond the end read as zeros.
 */
export class UnitCode {
  readonly length: number;
  private readonly words: Int32Array;

  constructor(insns: readonly BpfInsn[]) {
    const { length } = insns;
    const words = new Int32Array(2 * length);
    for (let i = 0; i < length; i++) {
      const insn = insns[i]!;
      words[2 * i] = (insn.off << 16) | (insn.src << 12) | (insn.dst << 8) | insn.code;
      words[2 * i + 1] = insn.imm;
    }
    this.length = length;
    this.words = words;
  }

  opcode(i: number): number {
    return (this.words[2 * i] ?? 0) & 0xff;
  }
  dst(i: number): number {
    return ((this.words[2 * i] ?? 0) >> 8) & 15;
  }
  src(i: number): number {
    return ((this.words[2 * i] ?? 0) >> 12) & 15;
  }
  /** Signed. */
  off(i: number): number {
    return (this.words[2 * i] ?? 0) >> 16;
  }
  /** Signed. */
  imm(i: number): number {
    return this.words[2 * i + 1] ?? 0;
  }
}
