import { BPF_CLASS, BPF_MODE, BPF_SIZE, CALL } from '../../bpf/insn';
import type { FunctionRange } from '../subprogs';
import type { VerifierEnv } from './env';
import { helperProto } from './helper-protos';
import { FP } from './state';

const SPILL = BPF_CLASS.STX | BPF_MODE.MEM | BPF_SIZE.DW;
const FILL = BPF_CLASS.LDX | BPF_MODE.MEM | BPF_SIZE.DW;
/** r0 to r5 */
const CALLER_SAVED = 6;

/**
 * Finds spills before and fills after calls of helpers that keep registers (bpf_fastcall): pairs at the lowest stack offsets
 * that compilers make for kernels which do not know that (mark_fastcall_patterns).
 */
export function markFastcallPatterns(env: VerifierEnv): void {
  env.input.functions.forEach((fn, index) => {
    let lowest = 0;
    for (let i = fn.start; i < fn.end; i++) {
      const insn = env.insnAt(i);
      if (insn.code === SPILL && insn.dst === FP) lowest = Math.min(lowest, insn.off);
    }
    for (let i = fn.start; i < fn.end; i++)
      if (env.insnAt(i).code === CALL) markCall(env, fn, index, i, lowest);
  });
}

function markCall(env: VerifierEnv, _fn: FunctionRange, index: number, at: number, lowest: number): void {
  const call = env.insnAt(at);
  if (call.src !== 0) return;
  const fastcall = env.facts.fastcallHelpers.includes(call.imm);
  const proto = helperProto(call.imm);
  if (!fastcall || !proto) return;
  // the call changes r0 and its arguments only
  const kept = new Set<number>();
  for (let reg = proto.returns === 'void' ? 0 : 1; reg < CALLER_SAVED; reg++) {
    if (reg === 0 || reg > proto.args.length) kept.add(reg);
  }
  let pairs = 0;
  let off = lowest;
  for (; pairs < CALLER_SAVED; pairs++, off += 8) {
    const spill = env.insns[at - pairs - 1];
    const fill = env.insns[at + pairs + 1];
    if (spill?.code !== SPILL || fill?.code !== FILL || spill.dst !== FP || fill.src !== FP) break;
    if (spill.src !== fill.dst || !kept.has(spill.src) || spill.off !== off || fill.off !== off) break;
    kept.delete(spill.src);
    env.auxAt(at - pairs - 1).fastcallPattern = true;
    env.auxAt(at + pairs + 1).fastcallPattern = true;
  }
  if (pairs === 0) return;
  const facts = env.functionFacts[index]!;
  if (env.facts.jitInlinedHelpers.includes(call.imm)) env.auxAt(at).fastcallPairs = pairs;
  else facts.keepFastcallStack = true;
  facts.fastcallOffset = Math.min(facts.fastcallOffset, off);
}
