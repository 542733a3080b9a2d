import { BPF_JMP_OP } from '../../bpf/insn';
import type { Checkpoint, VerifierEnv } from './env';
import { sameStates } from './equality';
import { kfuncProto } from './kfunc-protos';
import { ALL_PIECES } from './live-slots';
import { insnOp, markRead, markZext } from './liveness';
import { forgetPrecision, propagatePrecision, remember } from './precision';
import { LIVE_DONE, LIVE_NONE, LIVE_READ, LIVE_READ64, type RegState } from './reg';
import { FP, SLOT_BYTES, slotIndex, type FrameState, type StackSlot, type VerifierState } from './state';

const HALF = SLOT_BYTES / 2;
/** Steps of history after which a checkpoint is made in any case. */
const MAX_HISTORY = 40;

const keyOf = (insn: number, state: VerifierState): number => insn ^ (state.frame.callsite + 1);

function checkpointsAt(env: VerifierEnv, insn: number, state: VerifierState): Checkpoint[] {
  const key = keyOf(insn, state);
  let list = env.explored.get(key);
  if (!list) env.explored.set(key, (list = []));
  return list;
}

/**
 * Whether an earlier path came here in a state that covers this one, so that nothing new can follow; otherwise perhaps
 * remembers the state (is_state_visited).
 * @throws EngineError `xlate/loop` for a loop that makes no progress
 */
export function isVisited(env: VerifierEnv): boolean {
  const { insn, state } = env;
  const aux = env.auxAt(insn);
  const forced = aux.forceCheckpoint || state.history.length > MAX_HISTORY;
  let add = forced || (env.jumps - env.prevJumps >= 2 && env.processed - env.prevProcessed >= 8);
  const list = checkpointsAt(env, insn, state);
  if (env.facts.staticLiveness) cleanByFlow(env, state);
  else
    for (const { state: old } of list)
      if (old.branches === 0 && old.insn === insn && sameCallsites(old, state)) clean(old);

  for (let i = 0; i < list.length;) {
    const entry = list[i]!;
    const old = entry.state;
    if (old.insn !== insn) {
      i++;
      continue;
    }
    let hit: boolean;
    if (old.branches > 0) {
      hit = isRoundAgain(env, old, aux.callsCallback);
      if (!hit && !forced && env.jumps - env.prevJumps < 20 && env.processed - env.prevProcessed < 100)
        add = false;
    } else {
      const unfinished = openLoop(old);
      hit = sameStates(env, old, state, unfinished ? 'ranges' : 'as-needed');
      if (hit && unfinished) noteLoop(env, unfinished);
    }
    if (hit) {
      entry.hits++;
      takeOverMarks(env, old);
      return true;
    }
    if (add) entry.misses++;
    const patience = aux.forceCheckpoint && old.branches > 0 ? 64 : 3;
    if (entry.misses > entry.hits * patience + patience) list.splice(i, 1);
    else i++;
  }
  if (add) checkpoint(env, list);
  return false;
}

/** A state on the current path: another round of a loop that is known to end, or one that never does. */
function isRoundAgain(env: VerifierEnv, old: VerifierState, callsCallback: boolean): boolean {
  const { state } = env;
  const oldFrame = old.frame;
  if (oldFrame.inAsyncCallback && oldFrame.asyncEntry !== state.frame.asyncEntry) return false;
  const isMayGoto =
    insnOp(env.insnAt(env.insn).code) === BPF_JMP_OP.JCOND && (env.insnAt(env.insn).code & 7) === 5;
  if (isMayGoto && old.mayGotoDepth !== state.mayGotoDepth && sameStates(env, old, state, 'ranges')) {
    noteLoop(env, old);
    return true;
  }
  if (isIteratorStep(env)) {
    // only another round of a loop with elements left converges; anything else goes on
    if (!sameStates(env, old, state, 'ranges') || !hasActiveIterator(env)) return false;
    noteLoop(env, old);
    return true;
  }
  if (callsCallback) {
    return sameStates(env, old, state, 'ranges');
  }
  const looping =
    old.frames.length === state.frames.length &&
    oldFrame.regs.every((reg, i) => reg.sameContent(state.frame.reg(i))) &&
    sameStates(env, old, state, 'exact') &&
    sameIteratorRounds(old, state) &&
    old.mayGotoDepth === state.mayGotoDepth &&
    old.callbackUnrollDepth === state.callbackUnrollDepth;
  if (looping)
    env.refuse('loop', 'the program comes here again with nothing changed, so this loop never ends');
  return false;
}

const isIteratorStep = (env: VerifierEnv): boolean => {
  const name = env.input.kfuncs.get(env.insn);
  return name !== undefined && kfuncProto(name)?.returns === 'element';
};

function hasActiveIterator(env: VerifierEnv): boolean {
  const pointer = env.frame.reg(1);
  const off = pointer.off + Number(BigInt.asIntN(64, pointer.value.bits.value));
  return env.state.frames[pointer.frame]?.stack[slotIndex(off)]?.reg.iterator?.active === true;
}

/** A loop around an iterator with elements left is another round, not the same state (iter_active_depths_differ). */
function sameIteratorRounds(old: VerifierState, now: VerifierState): boolean {
  return old.frames.every((frame, depth) =>
    frame.stack.every((slot, index) => {
      const before = slot.reg.iterator;
      return (
        !slot.isIterator ||
        !before?.active ||
        before.depth === now.frames[depth]?.stack[index]?.reg.iterator?.depth
      );
    }),
  );
}

/** The current path leads back to a state of its own; marks of states inside the loop are not complete until it is left. */
function noteLoop(env: VerifierEnv, entry: VerifierState): void {
  for (let at: VerifierState | undefined = env.state; at && at !== entry; at = at.parent)
    at.loopEntry = outer(at.loopEntry, entry);
}

const outer = (a: VerifierState | undefined, b: VerifierState): VerifierState =>
  a && a.depth <= b.depth ? a : b;

/** The entry of the loop that the state is in, if it is still being followed: which values matter is not known yet. */
function openLoop(old: VerifierState): VerifierState | undefined {
  return old.loopEntry && old.loopEntry.branches > 0 ? old.loopEntry : undefined;
}

function sameCallsites(a: VerifierState, b: VerifierState): boolean {
  return (
    a.frames.length === b.frames.length &&
    a.frames.every((frame, i) => frame.callsite === b.frames[i]!.callsite)
  );
}

/** The state of the latest round of the loop that the path is in (find_prev_entry). */
export function findPreviousEntry(
  env: VerifierEnv,
  state: VerifierState,
  insn: number,
): VerifierState | undefined {
  const found = checkpointsAt(env, insn, state).find(
    ({ state: old }) =>
      old.insn === insn && old.branches > 0 && sameCallsites(old, state) && old.depth < state.depth,
  );
  return found?.state;
}

/** Numbers that changed since the last round and on which nothing depends become unknown, so that rounds agree (widen_imprecise_scalars). */
export function widen(old: VerifierState, state: VerifierState): void {
  const one = (before: RegState | undefined, now: RegState): void => {
    if (!before || !before.isScalar || !now.isScalar || before.precise || now.precise) return;
    if (before.sameContent(now) && before.id === now.id) return;
    const { subregDef } = now;
    now.setUnknown();
    now.subregDef = subregDef;
  };
  state.frames.forEach((frame, depth) => {
    const before = old.frames[depth];
    for (let number = 0; number < FP; number++) one(before?.reg(number), frame.reg(number));
    frame.stack.forEach((slot, index) => {
      const earlier = before?.stack[index];
      if (slot.isSpill && earlier?.isSpill === true) one(earlier.reg, slot.reg);
    });
  });
}

/** Values that no path from a finished state reads need not be compared (clean_verifier_state). */
function clean(state: VerifierState): void {
  if (state.frames[0]!.reg(0).live & LIVE_DONE) return;
  for (const frame of state.frames) {
    for (let number = 0; number < FP; number++) {
      const reg = frame.reg(number);
      if ((reg.live & LIVE_READ) === 0) reg.setUninit();
      reg.live |= LIVE_DONE;
    }
    for (const slot of frame.stack) {
      if ((slot.reg.live & LIVE_READ) === 0) {
        slot.reg.setUninit();
        slot.bytes.fill('invalid');
      }
      slot.reg.live |= LIVE_DONE;
    }
  }
}

/** Registers and stack that the data flow shows to be dead lose their content (clean_verifier_state of kernels with static liveness). */
function cleanByFlow(env: VerifierEnv, state: VerifierState): void {
  state.frames.forEach((frame, depth) => {
    const live = env.auxAt(frameInsn(env, state, depth)).liveBefore;
    for (let number = 0; number < FP; number++) {
      if (((live >> number) & 1) === 0) frame.reg(number).setUninit();
    }
    const alive = env.liveSlots?.alive(state, env.insn, depth) ?? ALL_PIECES;
    frame.stack.forEach((slot, index) => {
      const halves = Number((alive >> BigInt(2 * index)) & 3n);
      if (halves !== 3) cleanSlot(slot, (halves & 1) !== 0, (halves & 2) !== 0);
    });
  });
}

/** Forgets dead halves of a slot; `low` is the one with the higher address, where bytes[0] is (__clean_func_state). */
function cleanSlot(slot: StackSlot, low: boolean, high: boolean): void {
  if (slot.isIterator) return;
  if (!high) {
    if (low && slot.isSpill) {
      // what is left of a pointer must not be read as a number
      if (!slot.reg.isScalar) return;
      const rest = slot.reg.isNull ? 'zero' : 'misc';
      for (let i = 0; i < HALF; i++) if (slot.bytes[i] === 'spill') slot.bytes[i] = rest;
    }
    slot.reg.setUninit();
  }
  slot.bytes.fill('invalid', low ? HALF : 0, high ? HALF : SLOT_BYTES);
}

/** Where a frame stands: the innermost at the current instruction, the others at their calls' return. */
function frameInsn(env: VerifierEnv, state: VerifierState, depth: number): number {
  const next = state.frames[depth + 1];
  return next ? next.callsite : env.insn;
}

/** The path ends in a state whose continuation is known: reads and precision that it needs are needed here, too. */
function takeOverMarks(env: VerifierEnv, old: VerifierState): void {
  takeOverReads(env, old, env.state);
  // reads that are found later, on the rest of the loop, count as well
  if (old.branches > 0 || openLoop(old)) env.backEdges.push({ old, now: env.state });
  if (env.auxAt(env.insn).jumpPoint) remember(env, env.state, undefined, []);
  propagatePrecision(env, old, !env.facts.staticLiveness);
}

/** Reads of an equal state's continuation count for this one (propagate_liveness). @returns whether that was new */
function takeOverReads(env: VerifierEnv, old: VerifierState, now: VerifierState): boolean {
  let changed = false;
  old.frames.forEach((frame, depth) => {
    const innermost = depth === old.frames.length - 1;
    changed = takeOverFrameReads(env, frame, now.frames[depth]!, innermost) || changed;
  });
  return changed;
}

/** After the walk: hands reads along the back edges of loops until nothing changes. */
export function completeLoops(env: VerifierEnv): void {
  let changed = true;
  while (changed) {
    changed = false;
    for (const { old, now } of env.backEdges) changed = takeOverReads(env, old, now) || changed;
  }
}

function takeOverFrameReads(env: VerifierEnv, old: FrameState, now: FrameState, innermost: boolean): boolean {
  let changed = false;
  for (let number = innermost ? 0 : 6; number < FP; number++) {
    const reg = now.reg(number);
    const taken = takeOverRead(old.reg(number), reg);
    changed ||= taken !== 0;
    if (taken === LIVE_READ64 && !env.losesZextAtJoins) markZext(env, reg);
  }
  const slots = Math.min(old.stack.length, now.stack.length);
  for (let i = 0; i < slots; i++)
    changed = takeOverRead(old.stack[i]!.reg, now.stack[i]!.reg) !== 0 || changed;
  return changed;
}

function takeOverRead(old: RegState, now: RegState): number {
  const has = now.live & LIVE_READ;
  const wants = old.live & LIVE_READ;
  if (has === LIVE_READ64 || wants === 0 || has === wants) return 0;
  markRead(old, now, wants);
  return wants;
}

/** Remembers the current state; the path goes on as its continuation. */
function checkpoint(env: VerifierEnv, list: Checkpoint[]): void {
  const { state } = env;
  env.prevJumps = env.jumps;
  env.prevProcessed = env.processed;
  forgetPrecision(state);
  const kept = state.clone();
  kept.insn = env.insn;
  kept.branches = 1;
  list.unshift({ state: kept, hits: 0, misses: 0 });
  state.parent = kept;
  state.firstInsn = env.insn;
  state.history = [];
  state.depth = kept.depth + 1;
  state.frames.forEach((frame, depth) => {
    const earlier = kept.frames[depth]!;
    const first = depth < state.frames.length - 1 ? 6 : 0;
    for (let number = 0; number < FP; number++) {
      const reg = frame.reg(number);
      if (number >= first) reg.parent = earlier.reg(number);
      reg.live = LIVE_NONE;
    }
    frame.stack.forEach((slot, index) => {
      slot.reg.parent = earlier.stack[index]!.reg;
      slot.reg.live = LIVE_NONE;
    });
  });
}
