import { BPF_ALU_OP, BPF_JMP_OP, BPF_SIZE, type BpfInsn } from '../bpf/insn';
import { EngineError } from '../base/errors';
import { alu32Imm, alu64Reg, call, exit, jumpImm, ldx, mov32Imm, mov64Reg } from './emit';
import type { Rewrite } from './rewrite';

/** bpf_skb_pull_data */
const SKB_PULL_DATA = 39;
/** TC_ACT_SHOT: drop the packet. */
const DROP = 2;
/** skb->cloned is bit 0 of its byte on little-endian machines. */
const CLONED = 1;

/**
 * Instructions before a traffic-control program that writes to the packet: a cloned buffer is made private first, and the
 * packet dropped if that fails (bpf_unclone_prologue). The program's first instruction follows.
 */
export function packetWritePrologue(rewrite: Rewrite): BpfInsn[] {
  const cloned = rewrite.port.field('sk_buff.cloned');
  if (!cloned) {
    throw new EngineError(
      'xlate/context',
      'The kernel layout of this profile does not know sk_buff.cloned, which writing to packets needs.',
    );
  }
  return [
    ldx(BPF_SIZE.B, 6, 1, cloned.offset),
    alu32Imm(BPF_ALU_OP.AND, 6, CLONED),
    jumpImm(BPF_JMP_OP.JEQ, 6, 0, 7),
    // r6 is free before the program starts and keeps the context over the call
    mov64Reg(6, 1),
    alu64Reg(BPF_ALU_OP.XOR, 2, 2),
    // by its id: the call becomes an address with the program's own calls
    call(SKB_PULL_DATA),
    jumpImm(BPF_JMP_OP.JEQ, 0, 0, 2),
    mov32Imm(0, DROP),
    exit(),
    mov64Reg(1, 6),
  ];
}
