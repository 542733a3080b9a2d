import { EngineError } from '../base/errors';
import { BPF_ALU_OP, BPF_JMP_OP, BPF_MODE, type BpfInsn } from '../bpf/insn';
import { alu32Reg, alu64Imm, call, exit, jumpImm, mov64Imm, mov64Reg } from './emit';
import { symbolOffset, type Rewrite } from './rewrite';
import { isPacketLoad } from './subprogs';
import { accessSize, insnMode } from './verify/liveness';

/** LD_ABS and LD_IND become calls that load from the packet, and end the program with 0 where it is too short (bpf_gen_ld_abs). */
export function expandPacketLoad(insn: BpfInsn, rewrite: Rewrite): BpfInsn[] | undefined {
  if (!isPacketLoad(insn)) return undefined;
  const name = `bpf_skb_load_helper_${accessSize(insn.code) * 8}_no_cache`;
  const target = symbolOffset(rewrite, name);
  if (target === undefined) {
    throw new EngineError(
      'xlate/symbol',
      `The kernel model has no function ${name}, which LD_ABS and LD_IND need.`,
      { name },
    );
  }
  const indirect = insnMode(insn.code) === BPF_MODE.IND;
  const offset = indirect
    ? [mov64Reg(2, insn.src), ...(insn.imm === 0 ? [] : [alu64Imm(BPF_ALU_OP.ADD, 2, insn.imm)])]
    : [mov64Imm(2, insn.imm)];
  return [
    ...offset,
    mov64Reg(1, 6),
    call(target),
    jumpImm(BPF_JMP_OP.JSGE, 0, 0, 2),
    alu32Reg(BPF_ALU_OP.XOR, 0, 0),
    exit(),
  ];
}
