import { BPF_PSEUDO, CALL, type BpfInsn } from '../../bpf/insn';
import { clobberCallerSaved, forgetPackets } from './call';
import type { GlobalArg, VerifierEnv } from './env';
import { helperProto } from './helper-protos';
import { markRead } from './liveness';
import { describe } from './memory';
import { markPrecise } from './precision';
import { findPreviousEntry, widen } from './prune';
import { LIVE_READ64, NOT_A_SUBREG, type RegState } from './reg';
import { frameOf, MAX_VARIABLE_OFFSET, stackBounds, touchForHelper } from './stack-access';
import { FrameState } from './state';

/** Enters the called function, or passes over a global one (check_func_call). @returns the slot to go on with */
export function walkFunctionCall(env: VerifierEnv, insn: BpfInsn): number {
  const start = env.insn + 1 + insn.imm;
  const callee = env.functionOf(start);
  if (env.input.functions[callee]!.isGlobal) return passGlobalFunction(env, callee);
  if (env.state.frames.length >= env.facts.maxFrames) {
    env.refuse('depth', `more than ${env.facts.maxFrames} functions call each other`);
  }
  const caller = env.frame;
  const frame = new FrameState(env.insn, env.state.frames.length, callee);
  for (let number = 1; number <= 5; number++) frame.reg(number).continueFrom(caller.reg(number));
  clobberCallerSaved(env);
  env.state.frames.push(frame);
  return start;
}

/**
 * Global functions are walked on their own: here only the kinds of arguments count, and nothing is known of the result. The
 * kernel takes the kinds from BTF; here they are what callers pass.
 */
function passGlobalFunction(env: VerifierEnv, callee: number): number {
  const facts = env.functionFacts[callee]!;
  facts.globalArgs ??= ARGUMENTS.map(() => 'none');
  for (const number of ARGUMENTS) {
    const passed = argumentKind(env, number);
    const before = facts.globalArgs[number - 1]!;
    // NULL is passed as a number
    if (before === 'none' || (before === 'scalar' && passed !== 'none'))
      facts.globalArgs[number - 1] = passed;
  }
  clobberCallerSaved(env);
  const r0 = env.frame.reg(0);
  r0.setUnknown();
  r0.subregDef = NOT_A_SUBREG;
  if (changesPacket(env, callee)) forgetPackets(env);
  return env.insn + 1;
}

const ARGUMENTS = [1, 2, 3, 4, 5];

function argumentKind(env: VerifierEnv, number: number): GlobalArg {
  const reg = env.frame.reg(number);
  if (reg.type === 'uninit') return 'none';
  if (reg.isScalar) return 'scalar';
  if (reg.type === 'ctx') return 'ctx';
  // the function may read and write what the pointer points to
  if (reg.type === 'stack') {
    const { min } = stackBounds(env, reg, reg.off, 1);
    touchForHelper(frameOf(env, reg), min, 0, true);
  }
  return 'memory';
}

/** An argument of a global function that is walked on its own. */
export function setGlobalArgument(env: VerifierEnv, reg: RegState, arg: GlobalArg): void {
  switch (arg) {
    case 'none':
      return;
    case 'scalar':
      reg.setUnknown();
      return;
    case 'ctx':
      reg.setPointer('ctx');
      return;
    case 'memory':
      reg.setPointer('mem');
      reg.memSize = Number(MAX_VARIABLE_OFFSET);
      reg.orNull = true;
      reg.untestedAllowed = true;
      reg.id = env.newId();
  }
}

/** Whether the function, or one that it calls, calls a helper that changes the packet. */
function changesPacket(env: VerifierEnv, func: number, seen = new Set<number>()): boolean {
  if (seen.has(func)) return false;
  seen.add(func);
  const { start, end } = env.input.functions[func]!;
  for (let at = start; at < end; at++) {
    const insn = env.insnAt(at);
    if (insn.code !== CALL) continue;
    if (insn.src === 0 && helperProto(insn.imm)?.changesPacket === true) return true;
    if (insn.src === BPF_PSEUDO.CALL && changesPacket(env, env.functionOf(at + 1 + insn.imm), seen))
      return true;
  }
  return false;
}

/** Returns to the caller (prepare_func_exit). @returns the slot to go on with */
export function returnToCaller(env: VerifierEnv): number {
  const callee = env.frame;
  const r0 = callee.reg(0);
  if (r0.type === 'stack')
    env.refuse('stack', 'a pointer to the stack of a function cannot be returned to its caller');
  if (callee.inCallback) checkCallbackResult(env, callee);
  env.state.frames.pop();
  if (!callee.inCallback) {
    env.frame.reg(0).continueFrom(r0);
    return callee.callsite + 1;
  }
  // back to the call itself: it may run the callback once more
  const previous = findPreviousEntry(env, env.state, callee.callsite);
  if (previous) widen(previous, env.state);
  return callee.callsite;
}

function checkCallbackResult(env: VerifierEnv, callee: FrameState): void {
  const r0 = callee.reg(0);
  if (!r0.isScalar) env.refuse('return', `a callback returns a number, but r0 is ${describe(r0)}`);
  markRead(r0, r0.parent, LIVE_READ64);
  markPrecise(env, 0);
  const { min, max } = callee.callbackRange;
  if (r0.value.smin < min || r0.value.smax > max) {
    const allowed = min === max ? String(min) : `${min} or ${max}`;
    env.refuse('return', `a callback returns ${allowed}, but r0 may be something else`);
  }
}
