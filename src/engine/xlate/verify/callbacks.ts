import type { VerifierEnv } from './env';
import type { CallFacts } from './helper-args';
import { HELPER } from './helper-protos';
import { markPrecise } from './precision';
import { pushPath } from './paths';
import { FrameState, MAIN_CALL, VerifierState, type ReturnRange } from './state';

const ZERO_OR_ONE: ReturnRange = { min: 0n, max: 1n };
const ZERO: ReturnRange = { min: 0n, max: 0n };

/** Lets the helpers that run a function of the program do so on a path of its own (the callback part of check_helper_call). */
export function runCallback(env: VerifierEnv, id: number, facts: CallFacts): void {
  const { callback } = facts;
  if (callback === undefined) return;
  switch (id) {
    case HELPER.FOR_EACH_MAP_ELEM:
      return pushCallback(env, callback, ZERO_OR_ONE, (callee, caller) => mapElement(callee, caller));
    case HELPER.LOOP:
      return runLoop(env, callback);
    case HELPER.FIND_VMA:
      return pushCallback(env, callback, ZERO_OR_ONE, (callee, caller) => {
        callee.reg(1).setPointer('btf');
        callee.reg(2).setPointer('btf');
        callee.reg(3).continueFrom(caller.reg(4));
      });
    case HELPER.TIMER_SET_CALLBACK:
      return pushTimer(env, callback);
    default:
      return env.refuse('unsupported', 'callbacks of this helper are not supported yet');
  }
}

/** bpf_loop calls again as long as the count allows; the states before the call show when that adds nothing. */
function runLoop(env: VerifierEnv, callback: number): void {
  const aux = env.auxAt(env.insn);
  const flags = env.frame.reg(4);
  const noFlags = flags.isNull;
  if (!aux.loop || aux.loop.inlinable) {
    if (noFlags) markPrecise(env, 4);
    if (!aux.loop) aux.loop = { inlinable: noFlags, callback };
    else aux.loop.inlinable = noFlags && aux.loop.callback === callback;
  }
  const count = env.frame.reg(1);
  if (!count.isScalar) env.refuse('argument', 'r1, the number of rounds, is a pointer');
  markPrecise(env, 1);
  if (BigInt(env.frame.callbackDepth) < count.value.umax) {
    pushCallback(env, callback, ZERO_OR_ONE, (callee, caller) => {
      callee.reg(1).setUnknown();
      callee.reg(2).continueFrom(caller.reg(3));
    });
  } else {
    env.frame.callbackDepth = 0;
  }
}

/** Arguments of a for_each callback: map, key, value, context (map_set_for_each_callback_args). */
function mapElement(callee: FrameState, caller: FrameState): void {
  const map = caller.reg(1).map;
  callee.reg(1).continueFrom(caller.reg(1));
  const key = callee.reg(2);
  key.setPointer('map-key');
  key.map = map;
  const value = callee.reg(3);
  value.setPointer('map-value');
  value.map = map;
  callee.reg(4).continueFrom(caller.reg(3));
}

/** Keeps a path that runs the callback once and comes back to the call (push_callback_call). */
function pushCallback(
  env: VerifierEnv,
  callback: number,
  range: ReturnRange,
  fill: (callee: FrameState, caller: FrameState) => void,
): void {
  markCallback(env, callback);
  const state = pushPath(env, env.input.functions[callback]!.start);
  const caller = state.frame;
  if (state.frames.length >= env.facts.maxFrames)
    env.refuse('depth', `more than ${env.facts.maxFrames} functions call each other`);
  const callee = new FrameState(env.insn, state.frames.length, callback);
  fill(callee, caller);
  callee.inCallback = true;
  callee.callbackRange = range;
  state.frames.push(callee);
  state.callbackUnrollDepth++;
  caller.callbackDepth++;
  env.frame.callbackDepth = 0;
}

function markCallback(env: VerifierEnv, callback: number): void {
  env.functionFacts[callback]!.isCallback = true;
}

/** A callback that runs later starts with a stack of its own (push_async_cb). */
function pushTimer(env: VerifierEnv, callback: number): void {
  const facts = env.functionFacts[callback]!;
  facts.isCallback = true;
  facts.isAsyncCallback = true;
  const caller = env.frame;
  const callee = new FrameState(MAIN_CALL, 0, callback);
  const map = caller.reg(1).map;
  const first = callee.reg(1);
  first.setPointer('map');
  first.map = map;
  const key = callee.reg(2);
  key.setPointer('map-key');
  key.map = map;
  const value = callee.reg(3);
  value.setPointer('map-value');
  value.map = map;
  callee.inCallback = true;
  callee.inAsyncCallback = true;
  callee.callbackRange = ZERO;
  callee.asyncEntry = caller.asyncEntry + 1;
  const state = new VerifierState([callee]);
  const { start } = env.input.functions[callback]!;
  state.firstInsn = start;
  env.pending.push({ state, insn: start, prev: env.insn });
}
