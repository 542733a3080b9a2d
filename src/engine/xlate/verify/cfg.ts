import { BPF_CLASS, BPF_JMP_OP, BPF_PSEUDO, LD_IMM64 } from '../../bpf/insn';
import type { VerifierEnv } from './env';
import { callbackKind } from './helper-protos';
import { kfuncProto } from './kfunc-protos';
import { insnClass, insnOp } from './liveness';

/**
 * Follows every edge of the control flow from each function that is called, marks where states are worth keeping and where
 * paths join, and refuses code that no path reaches (check_cfg).
 * @throws EngineError `xlate/unreachable`
 */
export function checkControlFlow(env: VerifierEnv): void {
  const seen = new Set<number>();
  const todo = [0];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    for (const next of visit(env, at)) {
      if (next >= env.insns.length) env.refuse('jump', `it runs past the end of the program`, at);
      if (!seen.has(next)) todo.push(next);
    }
  }
  for (let i = 0; i < env.insns.length; i++) {
    if (!seen.has(i))
      env.refuse('unreachable', 'no path of the program reaches it, which the kernel refuses', i);
    if (env.insnAt(i).code === LD_IMM64) i++;
  }
}

/** Marks one instruction and gives the slots that may follow it (visit_insn). */
function visit(env: VerifierEnv, at: number): number[] {
  const insn = env.insnAt(at);
  if (insn.code === LD_IMM64) {
    if (insn.src !== BPF_PSEUDO.FUNC) return [at + 2];
    join(env, at + 2);
    join(env, at + 1 + insn.imm);
    env.auxAt(at).prunePoint = true;
    return [at + 2, at + 1 + insn.imm];
  }
  const group = insnClass(insn.code);
  if (group !== BPF_CLASS.JMP && group !== BPF_CLASS.JMP32) return [at + 1];
  switch (insnOp(insn.code)) {
    case BPF_JMP_OP.EXIT:
      return [];
    case BPF_JMP_OP.CALL:
      return visitCall(env, at);
    case BPF_JMP_OP.JA: {
      const target = at + 1 + (group === BPF_CLASS.JMP ? insn.off : insn.imm);
      join(env, target);
      return [target];
    }
    default: {
      const target = at + 1 + insn.off;
      env.auxAt(at).prunePoint = true;
      if (insnOp(insn.code) === BPF_JMP_OP.JCOND) env.auxAt(at).forceCheckpoint = true;
      join(env, target);
      return [at + 1, target];
    }
  }
}

function visitCall(env: VerifierEnv, at: number): number[] {
  const insn = env.insnAt(at);
  const aux = env.auxAt(at);
  if (insn.src === 0) {
    const kind = callbackKind(insn.imm);
    if (kind === 'async') aux.prunePoint = true;
    if (kind === 'sync') {
      // the states before the call show when another round of the callback adds nothing
      aux.callsCallback = true;
      aux.forceCheckpoint = true;
      aux.prunePoint = true;
      aux.jumpPoint = true;
    }
  }
  if (
    insn.src === BPF_PSEUDO.KFUNC_CALL &&
    kfuncProto(env.input.kfuncs.get(at) ?? '')?.returns === 'element'
  ) {
    // the states at each step show when another round adds nothing
    aux.prunePoint = true;
    aux.forceCheckpoint = true;
  }
  join(env, at + 1);
  if (insn.src !== BPF_PSEUDO.CALL) return [at + 1];
  aux.prunePoint = true;
  join(env, at + 1 + insn.imm);
  return [at + 1, at + 1 + insn.imm];
}

function join(env: VerifierEnv, at: number): void {
  const aux = env.aux[at];
  if (!aux) return;
  aux.prunePoint = true;
  aux.jumpPoint = true;
}
