import type { BpfInsn } from '../../bpf/insn';
import { clobberCallerSaved } from './call';
import type { VerifierEnv } from './env';
import { markRead } from './liveness';
import { describe } from './memory';
import { markPrecise } from './precision';
import { findPreviousEntry, widen } from './prune';
import { LIVE_READ64 } from './reg';
import { FrameState } from './state';

/** Enters the called function (check_func_call for static functions). @returns the slot to go on with */
export function walkFunctionCall(env: VerifierEnv, insn: BpfInsn): number {
  const start = env.insn + 1 + insn.imm;
  const callee = env.functionOf(start);
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
