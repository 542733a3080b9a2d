import { branchTaken } from '../../bpf/alu';
import { BPF_SRC } from '../../bpf/insn';
import { opOf } from '../../bpf/table';
import { u64 } from '../../base/u64';
import { smallConstant, type KnownRegisters } from './const-registers';
import type { VerifierEnv } from './env';
import { jump } from '../emit';

/**
 * Replaces conditional jumps whose operands are constants on every way by plain jumps, before the paths are walked
 * (bpf_prune_dead_branches). Kernels that do this see fewer paths and live registers.
 */
export function pruneConstantBranches(env: VerifierEnv, states: readonly KnownRegisters[]): void {
  for (let at = 0; at < env.insns.length; at++) {
    const insn = env.insnAt(at);
    const op = opOf(insn.code);
    if (op?.kind !== 'branch') continue;
    const a = smallConstant(states[at]?.[insn.dst]);
    const b = (insn.code & BPF_SRC.X) !== 0 ? smallConstant(states[at]?.[insn.src]) : u64(BigInt(insn.imm));
    if (a === undefined || b === undefined) continue;
    env.replace(at, jump(branchTaken(op.op, op.width, a, b) ? insn.off : 0));
  }
}
