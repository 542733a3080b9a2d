import { BPF_ALU_OP, BPF_CLASS, LD_IMM64 } from '../bpf/insn';
import type { Code, Patch } from './code';
import { alu64Imm, alu64Reg, mov64Imm, zext } from './emit';
import { definedRegister, insnClass, isWide } from './verify/liveness';

/** BPF_F_TEST_RND_HI32 */
export const FLAG_RANDOM_HIGH_HALF = 4;

/**
 * Behind each instruction that defines only a low half whose upper half is read later, a move clears the upper half (spec
 * 9.6, opt_subreg_zext_lo32_rnd_hi32). With `poison` (the test flag BPF_F_TEST_RND_HI32), upper halves that nothing reads are
 * filled with numbers from it instead.
 */
export function insertZeroExtensions(code: Code, axRegister: number, poison?: () => number): void {
  const patches = new Map<number, Patch>();
  for (let i = 0; i < code.length; i++) {
    const { insn, facts } = code.at(i);
    if (insn.code === LD_IMM64) {
      i++;
      continue;
    }
    const reg = definedRegister(insn);
    if (reg === undefined) continue;
    if (facts.zext) {
      patches.set(i, { insns: [insn, zext(reg)], rule: 'zero-extension' });
    } else if (poison) {
      const isContext = insnClass(insn.code) === BPF_CLASS.LDX && facts.pointer === 'ctx';
      if (isWide(insn, 'write') || isContext) continue;
      const fill = [
        mov64Imm(axRegister, poison()),
        alu64Imm(BPF_ALU_OP.LSH, axRegister, 32),
        alu64Reg(BPF_ALU_OP.OR, reg, axRegister),
      ];
      patches.set(i, { insns: [insn, ...fill], rule: 'random-high-half' });
    }
  }
  code.apply(patches);
}
