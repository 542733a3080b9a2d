import type { VerifierEnv } from './env';
import { LIVE_READ, RegState } from './reg';
import { sameScalar, scalarWithin } from './scalar';
import { FP, SLOT_BYTES, type FrameState, type StackSlot, type VerifierState } from './state';

/**
 * How closely an old state must cover a new one: only in what it turned out to need, in all ranges (inside a loop whose
 * needs are not known yet), or exactly.
 */
export type Exactness = 'as-needed' | 'ranges' | 'exact';

/** Ids have no meaning of their own, but links between values must be the same in both states (check_ids). */
class IdMap {
  private readonly pairs: [number, number][] = [];
  /** Stands for an id of its own for values without one. */
  private temporary = 1e9;

  match(old: number, now: number): boolean {
    if ((old === 0) !== (now === 0)) return false;
    if (old === 0) return true;
    for (const [a, b] of this.pairs) {
      if (a === old) return b === now;
      if (b === now) return false;
    }
    this.pairs.push([old, now]);
    return true;
  }

  /** Numbers without a link are taken as linked with nothing else (check_scalar_ids). */
  matchScalar(old: number, now: number, oldUnlinkedFits: boolean): boolean {
    if (old === 0 && oldUnlinkedFits) return true;
    return this.match(old || ++this.temporary, now || ++this.temporary);
  }
}

/** Whether everything that can follow `now` has been seen from `old` (states_equal). */
export function sameStates(
  env: VerifierEnv,
  old: VerifierState,
  now: VerifierState,
  how: Exactness,
): boolean {
  if (old.frames.length !== now.frames.length || old.lock !== now.lock) return false;
  const ids = new IdMap();
  if (old.refs.length !== now.refs.length || !old.refs.every((ref, i) => ids.match(ref.id, now.refs[i]!.id)))
    return false;
  return old.frames.every((frame, depth) => {
    const current = now.frames[depth]!;
    return frame.callsite === current.callsite && sameFrames(env, old, depth, frame, current, ids, how);
  });
}

function sameFrames(
  env: VerifierEnv,
  state: VerifierState,
  depth: number,
  old: FrameState,
  now: FrameState,
  ids: IdMap,
  how: Exactness,
): boolean {
  if (old.callbackDepth > now.callbackDepth) return false;
  const live = env.facts.staticLiveness
    ? env.auxAt(state.frames[depth + 1]?.callsite ?? state.insn).liveBefore
    : 0x3ff;
  for (let number = 0; number < FP; number++) {
    if (((live >> number) & 1) === 0) continue;
    if (!covers(env, old.reg(number), now.reg(number), ids, how)) return false;
  }
  return sameStacks(env, old, now, ids, how);
}

/** Whether what holds for the old value holds for the new one, too (regsafe). */
function covers(env: VerifierEnv, old: RegState, now: RegState, ids: IdMap, how: Exactness): boolean {
  if (how === 'exact') return identical(old, now, ids);
  const { staticLiveness } = env.facts;
  if (!staticLiveness && (old.live & LIVE_READ) === 0 && how === 'as-needed') return true;
  if (old.type === 'uninit') return staticLiveness || how === 'as-needed' || now.type === 'uninit';
  if (old.type !== now.type || old.orNull !== now.orNull || old.readOnly !== now.readOnly) return false;
  switch (old.type) {
    case 'scalar':
      if (!old.precise && how === 'as-needed') return true;
      if (old.delta !== now.delta && !(staticLiveness && old.id === 0)) return false;
      if (old.delta !== 'none' && old.off !== now.off) return false;
      return scalarWithin(old.value, now.value) && ids.matchScalar(linkOf(old), linkOf(now), staticLiveness);
    case 'map-key':
    case 'map-value':
    case 'mem':
      return (
        old.sameKind(now) &&
        scalarWithin(old.value, now.value) &&
        ids.match(old.id, now.id) &&
        ids.match(old.refId, now.refId)
      );
    case 'packet':
    case 'packet-meta':
      if (old.range < 0 || now.range < 0 ? old.range !== now.range : old.range > now.range) return false;
      return old.off === now.off && ids.match(old.id, now.id) && scalarWithin(old.value, now.value);
    case 'stack':
      return identical(old, now, ids) && old.frame === now.frame;
    default:
      return identical(old, now, ids);
  }
}

/** A number's link with the way it differs: copies and sums are linked in different ways. */
const linkOf = (reg: RegState): number => (reg.id === 0 ? 0 : reg.id * 4 + DELTA_CODE[reg.delta]);
const DELTA_CODE = { none: 0, add64: 1, add32: 2 } as const;

/** regs_exact */
function identical(old: RegState, now: RegState, ids: IdMap): boolean {
  return (
    old.sameKind(now) &&
    sameScalar(old.value, now.value) &&
    ids.match(linkOf(old), linkOf(now)) &&
    ids.match(old.refId, now.refId)
  );
}

const UNBOUND = ((): RegState => {
  const reg = new RegState();
  reg.setUnknown();
  reg.live = LIVE_READ;
  return reg;
})();

/** stacksafe */
function sameStacks(env: VerifierEnv, old: FrameState, now: FrameState, ids: IdMap, how: Exactness): boolean {
  for (let index = 0; index < old.stack.length; index++) {
    const before = old.stack[index]!;
    const after = now.stack[index];
    if (how === 'exact' || (how === 'ranges' && !env.facts.staticLiveness)) {
      if (!after || before.bytes.some((byte, i) => byte !== after.bytes[i])) return false;
    }
    if (!env.facts.staticLiveness && (before.reg.live & LIVE_READ) === 0 && how === 'as-needed') continue;
    if (!sameSlot(env, before, after, ids, how)) return false;
  }
  return true;
}

/** What the bytes from `from` on give when they are read as a number: a spilled scalar, or some number for unknown bytes. */
function asScalar(slot: StackSlot, from: number): RegState | undefined {
  if (slot.isScalarSpill && slot.bytes[from] === 'spill') return slot.reg;
  const unknown = slot.bytes.slice(from).every((byte) => byte === 'misc' || byte === 'invalid');
  return unknown ? UNBOUND : undefined;
}

const HALF = SLOT_BYTES / 2;

function sameSlot(
  env: VerifierEnv,
  old: StackSlot,
  now: StackSlot | undefined,
  ids: IdMap,
  how: Exactness,
): boolean {
  let lastCompared = false;
  for (let i = 0; i < SLOT_BYTES; i++) {
    const before = old.bytes[i]!;
    if (before === 'invalid' || before === 'misc') continue;
    if (!now) return false;
    // a spilled number may meet unknown bytes, as a whole or (on kernels that look so closely) by half
    if (i === 0 || (i === HALF && env.facts.halfSlotsCompared)) {
      const a = asScalar(old, i);
      const b = asScalar(now, i);
      if (a && b) {
        if (!covers(env, a, b, ids, how)) return false;
        if (i === 0) return true;
        lastCompared = true;
        break;
      }
    }
    if (before !== now.bytes[i]) return false;
  }
  if (lastCompared || !now) return true;
  if (old.isIterator) {
    // rounds are not compared: they would never agree
    return old.reg.iterator?.active === now.reg.iterator?.active && ids.match(old.reg.refId, now.reg.refId);
  }
  return old.isSpill ? covers(env, old.reg, now.reg, ids, how) : true;
}
