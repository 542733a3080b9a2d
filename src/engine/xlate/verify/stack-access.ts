import { markPrecise, remember } from './precision';
import type { VerifierEnv } from './env';
import { LIVE_READ64, LIVE_WRITTEN, NOT_A_SUBREG, type RegState } from './reg';
import { known, ZERO } from './scalar';
import {
  byteIndex,
  MAX_STACK,
  SLOT_BYTES,
  slotIndex,
  type FrameState,
  type SlotByte,
  type StackSlot,
} from './state';
import { insnClass, insnMode, markRead } from './liveness';
import { BPF_CLASS, BPF_MODE } from '../../bpf/insn';

/** Largest variable part of an offset that is still followed (BPF_MAX_VAR_OFF). */
export const MAX_VARIABLE_OFFSET = 1n << 29n;

/** The frame whose stack the pointer points to. */
export function frameOf(env: VerifierEnv, pointer: RegState): FrameState {
  return (
    env.state.frames[pointer.frame] ??
    env.refuse('stack', 'it goes to the stack of a function that has returned')
  );
}

/** Makes the stack reach down to `off`, and the function's depth with it (grow_stack_state). */
function grow(env: VerifierEnv, frame: FrameState, off: number): void {
  frame.slotAt(off);
  const facts = env.functionFacts[frame.func]!;
  const bytes = env.facts.stackDepthToTheByte ? -off : frame.stack.length * SLOT_BYTES;
  facts.stackDepth = Math.max(facts.stackDepth, bytes);
}

/** Refuses what leaves the stack (check_stack_access_within_bounds). @returns lowest and highest first byte. */
export function stackBounds(
  env: VerifierEnv,
  pointer: RegState,
  off: number,
  size: number,
): { min: number; max: number } {
  const { value } = pointer;
  const constant = value.bits.mask === 0n;
  if (!constant && (value.smax >= MAX_VARIABLE_OFFSET || value.smin <= -MAX_VARIABLE_OFFSET)) {
    env.refuse('stack', 'the offset into the stack is not bounded');
  }
  const min = off + Number(constant ? BigInt.asIntN(64, value.bits.value) : value.smin);
  const max = off + Number(constant ? BigInt.asIntN(64, value.bits.value) : value.smax);
  const last = size > 0 ? max + size - 1 : max - 1;
  if (min < -MAX_STACK || last > -1) {
    const where = min === max ? `byte ${min}` : `bytes ${min} to ${max}`;
    env.refuse(
      'stack',
      `${size} bytes at ${where} from the frame pointer leave the stack, which has the ${MAX_STACK} bytes below it`,
    );
  }
  grow(env, frameOf(env, pointer), min);
  return { min, max };
}

/** Spills around fastcall helpers may only be used by their own pairs (check_fastcall_stack_contract). */
function checkFastcall(env: VerifierEnv, frame: FrameState, insn: number, off: number): void {
  const facts = env.functionFacts[frame.func]!;
  if (facts.fastcallOffset <= off || env.auxAt(insn).fastcallPattern) return;
  facts.fastcallOffset = Number.NEGATIVE_INFINITY;
  const { start, end } = env.input.functions[frame.func]!;
  for (let i = start; i < end; i++) {
    env.auxAt(i).fastcallPairs = 0;
    env.auxAt(i).fastcallPattern = false;
  }
}

const miscellaneous = (byte: SlotByte): SlotByte => (byte === 'zero' || byte === 'invalid' ? byte : 'misc');

/** Forgets that a register was spilled here; its bytes are some data now. */
function scrub(slot: StackSlot): void {
  for (let i = 0; i < SLOT_BYTES; i++) if (slot.bytes[i] !== 'invalid') slot.bytes[i] = 'misc';
}

/** A scalar that is copied needs an id so that what is learnt of the copy is known of it, too (assign_scalar_id_before_mov). */
export function assignLink(env: VerifierEnv, reg: RegState): void {
  if (!reg.isScalar) return;
  if (reg.delta !== 'none') {
    reg.id = 0;
    reg.delta = 'none';
    reg.off = 0;
  }
  if (reg.id === 0 && reg.value.bits.mask !== 0n) reg.id = env.newId();
}

function spill(slot: StackSlot, reg: RegState, size: number): void {
  slot.reg.assign(reg);
  if (size === SLOT_BYTES) slot.reg.live |= LIVE_WRITTEN;
  for (let i = SLOT_BYTES - 1; i >= 0; i--) {
    slot.bytes[i] = i >= SLOT_BYTES - size ? 'spill' : miscellaneous(slot.bytes[i]!);
  }
}

/** Whether the instruction stores an immediate. */
const isStoreImmediate = (env: VerifierEnv, insn: number): boolean => {
  const { code } = env.insnAt(insn);
  return insnClass(code) === BPF_CLASS.ST && insnMode(code) === BPF_MODE.MEM;
};

/**
 * A store of register `from` (or an immediate, or unknown data: undefined) to the stack (check_stack_write).
 * `off` is the fixed offset from the frame pointer with the instruction's own.
 */
export function writeStack(
  env: VerifierEnv,
  pointer: RegState,
  off: number,
  size: number,
  from: number | undefined,
  insn: number,
): void {
  const { min, max } = stackBounds(env, pointer, off, size);
  if (pointer.value.bits.mask === 0n) writeFixed(env, frameOf(env, pointer), min, size, from, insn);
  else writeVariable(env, frameOf(env, pointer), min, max + size, from, insn);
}

function writeFixed(
  env: VerifierEnv,
  frame: FrameState,
  off: number,
  size: number,
  from: number | undefined,
  insn: number,
): void {
  const slot = frame.slotAt(off);
  const reg = from === undefined ? undefined : env.frame.reg(from);
  const immediate = reg === undefined && isStoreImmediate(env, insn);
  checkFastcall(env, frame, insn, off);
  const aligned = off % SLOT_BYTES === 0;
  if (reg !== undefined && aligned && reg.isScalar) {
    const fits = reg.width <= size * 8;
    if (fits) assignLink(env, reg);
    spill(slot, reg, size);
    if (!fits) breakLink(slot.reg);
  } else if (immediate && aligned) {
    const { live, parent } = slot.reg;
    slot.reg.setScalar(known(BigInt(env.insnAt(insn).imm)));
    slot.reg.subregDef = NOT_A_SUBREG;
    slot.reg.live = live;
    slot.reg.parent = parent;
    spill(slot, slot.reg, size);
  } else if (reg !== undefined && reg.isPointer) {
    if (size !== SLOT_BYTES)
      env.refuse('stack', 'a pointer can be spilled only as a whole, by an 8-byte store');
    if (frame !== env.frame && reg.type === 'stack') {
      env.refuse('stack', "a pointer to this function's stack may not be stored in a caller's");
    }
    spill(slot, reg, size);
  } else {
    writeData(env, slot, off, size, reg, from, immediate && env.insnAt(insn).imm === 0);
    return;
  }
  remember(env, env.state, { frame: frame.index, slot: slotIndex(off) }, []);
}

function breakLink(reg: RegState): void {
  reg.id = 0;
  reg.delta = 'none';
}

function writeData(
  env: VerifierEnv,
  slot: StackSlot,
  off: number,
  size: number,
  reg: RegState | undefined,
  from: number | undefined,
  zeroImmediate: boolean,
): void {
  slot.reg.type = 'uninit';
  if (slot.isSpill) scrub(slot);
  // partial writes leave reads of the rest open: the mark is only for the whole slot
  if (size === SLOT_BYTES) slot.reg.live |= LIVE_WRITTEN;
  const zero = zeroImmediate || reg?.isNull === true;
  if (zero && from !== undefined) markPrecise(env, from);
  for (let i = 0; i < size; i++) slot.bytes[byteIndex(off + i)] = zero ? 'zero' : 'misc';
}

/** A store to one of several places (check_stack_write_var_off). */
function writeVariable(
  env: VerifierEnv,
  frame: FrameState,
  min: number,
  end: number,
  from: number | undefined,
  insn: number,
): void {
  const reg = from === undefined ? undefined : env.frame.reg(from);
  const immediate = reg === undefined && isStoreImmediate(env, insn);
  const zero = reg?.isNull === true || (immediate && env.insnAt(insn).imm === 0);
  let zeroUsed = false;
  checkFastcall(env, frame, insn, min);
  for (let off = min; off < end; off++) {
    const slot = frame.slotAt(off);
    const at = byteIndex(off);
    // a spilled zero stays zero if another zero may be written over it
    const spilledZero = slot.bytes[at] === 'spill' && slot.reg.isNull;
    if (zero && spilledZero) {
      zeroUsed = true;
      continue;
    }
    slot.reg.type = 'uninit';
    const staysZero = zero && slot.bytes[at] === 'zero';
    if (staysZero) zeroUsed = true;
    for (let i = 0; i < SLOT_BYTES; i++) if (slot.bytes[i] === 'spill') slot.bytes[i] = 'misc';
    slot.bytes[at] = staysZero ? 'zero' : 'misc';
  }
  if (zeroUsed && from !== undefined) markPrecise(env, from);
}

/** A load from the stack into register `to`, or by something else that reads it (undefined) (check_stack_read). */
export function readStack(
  env: VerifierEnv,
  pointer: RegState,
  off: number,
  size: number,
  to: number | undefined,
): void {
  const { min, max } = stackBounds(env, pointer, off, size);
  const frame = frameOf(env, pointer);
  if (pointer.value.bits.mask === 0n) {
    readFixed(env, frame, min, size, to);
    return;
  }
  touchForHelper(frame, min, max + size, false);
  if (to !== undefined) readBytes(env, frame, min, max + size, to);
  checkFastcall(env, frame, env.insn, min);
}

function readFixed(
  env: VerifierEnv,
  frame: FrameState,
  off: number,
  size: number,
  to: number | undefined,
): void {
  const slot = frame.slotAt(off);
  checkFastcall(env, frame, env.insn, off);
  const target = to === undefined ? undefined : env.frame.reg(to);
  let restored = false;
  if (slot.isSpill) {
    let spilled = 1;
    while (spilled < SLOT_BYTES && slot.bytes[SLOT_BYTES - 1 - spilled] === 'spill') spilled++;
    if (size !== SLOT_BYTES || spilled !== SLOT_BYTES) {
      if (!slot.reg.isScalar) env.refuse('stack', 'a spilled pointer can be read back only as a whole');
      markRead(slot.reg, slot.reg.parent, LIVE_READ64);
      if (!target) return;
      restored = fillPart(slot, off, size, spilled, target);
      target.live |= LIVE_WRITTEN;
    } else {
      if (target) {
        target.assign(slot.reg);
        target.live |= LIVE_WRITTEN;
      }
      markRead(slot.reg, slot.reg.parent, LIVE_READ64);
      restored = true;
    }
  } else {
    markRead(slot.reg, slot.reg.parent, LIVE_READ64);
    if (to !== undefined) readBytes(env, frame, off, off + size, to);
  }
  if (restored) remember(env, env.state, { frame: frame.index, slot: slotIndex(off) }, []);
}

/** Part of a spilled scalar, or more than was spilled. @returns whether the register's state was restored. */
function fillPart(slot: StackSlot, off: number, size: number, spilled: number, target: RegState): boolean {
  if (size <= spilled && off % SLOT_BYTES === 0) {
    const { subregDef } = target;
    target.assign(slot.reg);
    target.subregDef = subregDef;
    if (slot.reg.width > size * 8) breakLink(target);
    return true;
  }
  const bytes = Array.from({ length: size }, (_, i) => slot.bytes[byteIndex(off + i)]);
  const allSpilled = bytes.every((byte) => byte === 'spill');
  if (allSpilled && slot.reg.value.bits.mask === 0n && slot.reg.value.bits.value === 0n) {
    target.setScalar(ZERO);
    return true;
  }
  if (bytes.every((byte) => byte === 'zero')) target.setScalar(ZERO);
  else target.setUnknown();
  return false;
}

/** Zero bytes give zero; anything else, written or not, some number (mark_reg_stack_read). */
function readBytes(env: VerifierEnv, frame: FrameState, start: number, end: number, to: number): void {
  const target = env.frame.reg(to);
  let zero = true;
  for (let off = start; off < end && zero; off++) zero = frame.slotAt(off).bytes[byteIndex(off)] === 'zero';
  if (zero) target.setScalar(ZERO);
  else target.setUnknown();
  target.live |= LIVE_WRITTEN;
}

/**
 * A helper or an access with variable offset touches the bytes `start` to `end` - 1; with `clobber` they may hold anything
 * afterwards (check_stack_range_initialized).
 */
export function touchForHelper(frame: FrameState, start: number, end: number, clobber: boolean): void {
  for (let off = start; off < end; off++) {
    const slot = frame.slotAt(off);
    const at = byteIndex(off);
    const byte = slot.bytes[at]!;
    if (clobber && (byte === 'zero' || byte === 'invalid')) slot.bytes[at] = 'misc';
    if (byte !== 'misc' && byte !== 'zero' && byte !== 'invalid' && clobber) {
      slot.reg.setUnknown();
      scrub(slot);
    }
    markRead(slot.reg, slot.reg.parent, LIVE_READ64);
  }
}
