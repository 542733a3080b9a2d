import { clobberCallerSaved } from './call';
import type { VerifierEnv } from './env';
import { kfuncProto } from './kfunc-protos';
import { markRead, markZext } from './liveness';
import { accessMemory, describe } from './memory';
import { pushPath } from './paths';
import { findPreviousEntry, widen } from './prune';
import { LIVE_READ32, LIVE_READ64, LIVE_WRITTEN, NOT_A_SUBREG, type RegState } from './reg';
import { ZERO } from './scalar';
import { SLOT_BYTES, type StackSlot, type VerifierState } from './state';

/** Bytes of struct bpf_iter_num on the stack. */
const ITERATOR_BYTES = 8;
/** Bytes of what bpf_iter_num_next points to. */
const ELEMENT_BYTES = 4;

/** Follows a call of a kernel function (check_kfunc_call). */
export function walkKfuncCall(env: VerifierEnv): void {
  const name = env.input.kfuncs.get(env.insn);
  const proto = name === undefined ? undefined : kfuncProto(name);
  if (name === undefined || !proto) {
    const what = name ?? 'a kernel function that nothing names';
    env.refuse('kfunc', `calls of ${what} are not supported yet`);
  }
  let iterator: StackSlot | undefined;
  const passed = proto.args.map((arg, i) => {
    const reg = env.frame.reg(i + 1);
    if (reg.type === 'uninit')
      env.refuse('uninitialised', `r${i + 1} is an argument of ${name}, but nothing was written to it`);
    if (arg === 'int') {
      if (!reg.isScalar) env.refuse('argument', `r${i + 1} is ${describe(reg)}, but ${name} takes a number`);
    } else {
      iterator = arg === 'new-iterator' ? makeIterator(env, i + 1, reg) : existingIterator(env, i + 1, reg);
    }
    return { reg, wide: arg !== 'int' };
  });
  for (const { reg, wide } of passed) {
    if (wide) markZext(env, reg);
    markRead(reg, reg.parent, wide ? LIVE_READ64 : LIVE_READ32);
  }
  if (proto.destroys === true && iterator) destroyIterator(env, iterator);
  clobberCallerSaved(env);
  const r0 = env.frame.reg(0);
  if (proto.returns === 'int') {
    r0.setUnknown();
  } else if (proto.returns === 'element') {
    r0.setPointer('mem');
    r0.memSize = ELEMENT_BYTES;
    r0.readOnly = true;
    r0.orNull = true;
    r0.id = env.newId();
    r0.subregDef = NOT_A_SUBREG;
    if (iterator) nextElement(env, iterator);
  }
}

function slotOf(env: VerifierEnv, register: number, pointer: RegState): StackSlot {
  const { bits } = pointer.value;
  const off = pointer.off + Number(BigInt.asIntN(64, bits.value));
  if (pointer.type !== 'stack' || bits.mask !== 0n || off % SLOT_BYTES !== 0) {
    env.refuse(
      'argument',
      `r${register} must point to an iterator at a constant, aligned place on the stack`,
    );
  }
  return env.state.frames[pointer.frame]!.slotAt(off);
}

/** The kernel function makes an iterator in the slot, which must be free (mark_stack_slots_iter). */
function makeIterator(env: VerifierEnv, register: number, pointer: RegState): StackSlot {
  const slot = slotOf(env, register, pointer);
  if (slot.isIterator) env.refuse('argument', `r${register} points to an iterator that is in use`);
  accessMemory(env, {
    base: register,
    off: 0,
    size: ITERATOR_BYTES,
    write: true,
    value: undefined,
    signed: false,
  });
  const id = env.newId();
  env.state.refs.push({ id, insn: env.insn });
  slot.reg.setPointer('iterator');
  slot.reg.refId = id;
  slot.reg.iterator = { active: true, depth: 0 };
  slot.reg.live |= LIVE_WRITTEN;
  slot.bytes.fill('iterator');
  return slot;
}

function existingIterator(env: VerifierEnv, register: number, pointer: RegState): StackSlot {
  const slot = slotOf(env, register, pointer);
  if (!slot.isIterator) env.refuse('argument', `r${register} must point to an iterator that was made before`);
  markRead(slot.reg, slot.reg.parent, LIVE_READ64);
  return slot;
}

function destroyIterator(env: VerifierEnv, slot: StackSlot): void {
  const { refId } = slot.reg;
  env.state.refs = env.state.refs.filter((ref) => ref.id !== refId);
  slot.reg.setUninit();
  slot.reg.live |= LIVE_WRITTEN;
  slot.bytes.fill('invalid');
}

/**
 * Two things may happen: there is one more element, which another path follows, or the iterator is used up and r0 is NULL
 * (process_iter_next_call).
 */
function nextElement(env: VerifierEnv, slot: StackSlot): void {
  const iterator = slot.reg.iterator!;
  if (iterator.active) {
    const previous = env.state.parent && findPreviousEntry(env, env.state.parent, env.insn);
    const more = pushPath(env, env.insn + 1);
    const same = sameSlot(env.state, more, slot);
    same.reg.iterator = { active: true, depth: iterator.depth + 1 };
    if (previous) widen(previous, more);
    more.frame.reg(0).orNull = false;
  }
  slot.reg.iterator = { ...iterator, active: false };
  const r0 = env.frame.reg(0);
  r0.setScalar(ZERO);
}

function sameSlot(from: VerifierState, to: VerifierState, slot: StackSlot): StackSlot {
  for (const [depth, frame] of from.frames.entries()) {
    const index = frame.stack.indexOf(slot);
    if (index >= 0) return to.frames[depth]!.stack[index]!;
  }
  return slot;
}
