import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_PSEUDO,
  BPF_SRC,
  CALL,
  type BpfInsn,
} from '../../bpf/insn';
import type { VerifierEnv } from './env';
import type { HistoryEntry, LinkedPlace, StackAccess } from './history';
import { definedRegister, insnClass, insnMode, insnOp, isAtomic } from './liveness';
import { LIVE_READ } from './reg';
import { FP, type VerifierState } from './state';

/** r1 to r5 */
const ARGUMENTS = [1, 2, 3, 4, 5];

/** Notes a step that cannot be found again by counting down, or adds to the note of this instruction (push_insn_history). */
export function remember(
  env: VerifierEnv,
  state: VerifierState,
  access: StackAccess | undefined,
  linked: readonly LinkedPlace[],
): void {
  if (env.currentEntry) {
    env.currentEntry.access ??= access;
    if (linked.length > 0) env.currentEntry.linked = linked;
    return;
  }
  const entry: HistoryEntry = { insn: env.insn, prev: env.prevInsn, access, linked };
  state.history.push(entry);
  env.currentEntry = entry;
}

/** Which values a walk backwards still looks for, by frame (struct backtrack_state). */
class Wanted {
  private readonly regs: Set<number>[] = [];
  private readonly slots: Set<number>[] = [];

  constructor(public frame: number) {}

  regsOf(frame: number): Set<number> {
    return (this.regs[frame] ??= new Set());
  }
  slotsOf(frame: number): Set<number> {
    return (this.slots[frame] ??= new Set());
  }
  has(reg: number): boolean {
    return this.regsOf(this.frame).has(reg);
  }
  want(reg: number): void {
    this.regsOf(this.frame).add(reg);
  }
  drop(reg: number): void {
    this.regsOf(this.frame).delete(reg);
  }
  get empty(): boolean {
    return (
      this.regs.every((set) => !set || set.size === 0) && this.slots.every((set) => !set || set.size === 0)
    );
  }
}

/**
 * The exact value of register `number` decided something, so every state that led to it must be compared by value, not by
 * type (mark_chain_precision): walks back to where the value came from and marks it there.
 */
export function markPrecise(env: VerifierEnv, number: number): void {
  const wanted = new Wanted(env.state.frames.length - 1);
  if (env.frame.reg(number).isScalar) wanted.want(number);
  walkBack(env, wanted);
}

/** The same for a number that was spilled to the stack: slot `index` of the function at depth `frame`. */
export function markSlotPrecise(env: VerifierEnv, frame: number, index: number): void {
  const wanted = new Wanted(env.state.frames.length - 1);
  wanted.slotsOf(frame).add(index);
  walkBack(env, wanted);
}

/** Marks in the current path all that a state equal to it needs precisely (propagate_precision). */
export function propagatePrecision(env: VerifierEnv, old: VerifierState, readOnly: boolean): void {
  const wanted = new Wanted(env.state.frames.length - 1);
  old.frames.forEach((frame, depth) => {
    frame.regs.forEach((reg, number) => {
      if (number < FP && reg.isScalar && reg.precise && (!readOnly || (reg.live & LIVE_READ) !== 0)) {
        wanted.regsOf(depth).add(number);
      }
    });
    frame.stack.forEach((slot, index) => {
      const { reg } = slot;
      if (slot.isScalarSpill && reg.precise && (!readOnly || (reg.live & LIVE_READ) !== 0))
        wanted.slotsOf(depth).add(index);
    });
  });
  walkBack(env, wanted);
}

function walkBack(env: VerifierEnv, wanted: Wanted): void {
  if (wanted.empty) return;
  let state: VerifierState | undefined = env.state;
  let first = state.firstInsn;
  let last = env.insn;
  let subsequent = -1;
  let skip = true;
  while (state) {
    const { history } = state;
    let end = history.length;
    let at = last;
    if (last < 0) return argumentsOfGlobal(state, wanted);
    for (;;) {
      if (skip) skip = false;
      else if (
        !stepBack(
          env,
          at,
          subsequent,
          end > 0 && history[end - 1]!.insn === at ? history[end - 1] : undefined,
          wanted,
        )
      ) {
        return markAllPrecise(env.state);
      }
      if (wanted.empty) return;
      subsequent = at;
      if (at === first && (end === 0 || (end === 1 && history[0]!.insn === at))) break;
      if (end > 0 && history[end - 1]!.insn === at) at = history[--end]!.prev;
      else at--;
      if (at < 0) return markAllPrecise(env.state);
    }
    state = state.parent;
    if (!state) break;
    markIn(state, wanted);
    if (wanted.empty) return;
    subsequent = first;
    last = state.lastInsn;
    first = state.firstInsn;
  }
  markAllPrecise(env.state);
}

/** Before the first instruction only the arguments of a function that was checked on its own may be asked for. */
function argumentsOfGlobal(state: VerifierState, wanted: Wanted): void {
  for (const number of wanted.regsOf(0)) {
    const reg = state.frames[0]?.regs[number];
    if (reg?.isScalar === true) reg.precise = true;
  }
}

function markIn(state: VerifierState, wanted: Wanted): void {
  for (let depth = wanted.frame; depth >= 0; depth--) {
    const frame = state.frames[depth];
    const regs = wanted.regsOf(depth);
    for (const number of regs) {
      const reg = frame?.regs[number];
      if (reg === undefined || !reg.isScalar || reg.precise) regs.delete(number);
      else reg.precise = true;
    }
    const slots = wanted.slotsOf(depth);
    for (const index of slots) {
      const slot = frame?.stack[index];
      if (slot === undefined || !slot.isScalarSpill || slot.reg.precise) slots.delete(index);
      else slot.reg.precise = true;
    }
  }
}

/** What cannot be followed makes every scalar of the checkpoints behind precise (mark_all_scalars_precise). */
function markAllPrecise(from: VerifierState): void {
  for (let state = from.parent; state; state = state.parent) {
    for (const frame of state.frames) {
      frame.regs.forEach((reg, number) => {
        if (number < FP && reg.isScalar) reg.precise = true;
      });
      for (const slot of frame.stack) if (slot.isScalarSpill) slot.reg.precise = true;
    }
  }
}

/** Forgets precision, of a state that has just become the continuation of a checkpoint (mark_all_scalars_imprecise). */
export function forgetPrecision(state: VerifierState): void {
  for (const value of state.values()) if (value.isScalar) value.precise = false;
}

/** If one of the scalars that a comparison narrowed together is wanted, all are. */
function wantLinked(entry: HistoryEntry | undefined, wanted: Wanted): void {
  if (!entry || entry.linked.length === 0) return;
  const setOf = (place: LinkedPlace): Set<number> =>
    place.isSlot ? wanted.slotsOf(place.frame) : wanted.regsOf(place.frame);
  if (!entry.linked.some((place) => setOf(place).has(place.at))) return;
  for (const place of entry.linked) setOf(place).add(place.at);
}

/**
 * Undoes one instruction: what is wanted after it is replaced by what it came from (backtrack_insn).
 * @returns false when the instruction cannot be followed.
 */
function stepBack(
  env: VerifierEnv,
  index: number,
  subsequent: number,
  entry: HistoryEntry | undefined,
  wanted: Wanted,
): boolean {
  const insn = env.insnAt(index);
  if (insn.code === 0) return true;
  wantLinked(entry, wanted);
  const followed = undo(env, insn, index, subsequent, entry, wanted);
  wantLinked(entry, wanted);
  return followed;
}

function undo(
  env: VerifierEnv,
  insn: BpfInsn,
  index: number,
  subsequent: number,
  entry: HistoryEntry | undefined,
  wanted: Wanted,
): boolean {
  switch (insnClass(insn.code)) {
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64:
      undoAlu(insn, wanted);
      return true;
    case BPF_CLASS.LDX:
      return undoLoad(insn.dst, entry, wanted);
    case BPF_CLASS.ST:
    case BPF_CLASS.STX:
      if (isAcquire(insn)) return undoLoad(insn.dst, entry, wanted);
      if (env.facts.fetchesTrackedBack && isAtomic(insn)) {
        const loaded = definedRegister(insn);
        if (loaded !== undefined) return undoLoad(loaded, entry, wanted);
      }
      return undoStore(insn, entry, wanted);
    case BPF_CLASS.LD:
      if (!wanted.has(insn.dst)) return true;
      wanted.drop(insn.dst);
      return insnMode(insn.code) === BPF_MODE.IMM;
    default:
      return undoJump(env, insn, index, subsequent, wanted);
  }
}

function undoAlu(insn: BpfInsn, wanted: Wanted): void {
  if (!wanted.has(insn.dst)) return;
  const op = insnOp(insn.code);
  if (op === BPF_ALU_OP.END || op === BPF_ALU_OP.NEG) return;
  const fromRegister = (insn.code & BPF_SRC.X) !== 0;
  if (op === BPF_ALU_OP.MOV) wanted.drop(insn.dst);
  if (fromRegister && insn.src !== FP) wanted.want(insn.src);
}

const isAcquire = (insn: BpfInsn): boolean =>
  insnMode(insn.code) === BPF_MODE.ATOMIC && insn.imm === BPF_ATOMIC_OP.LOAD_ACQ;

/** Only a fill from the stack hands the wish on; other memory keeps no exact values. */
function undoLoad(reg: number, entry: HistoryEntry | undefined, wanted: Wanted): boolean {
  if (!wanted.has(reg)) return true;
  wanted.drop(reg);
  if (entry?.access) wanted.slotsOf(entry.access.frame).add(entry.access.slot);
  return true;
}

function undoStore(insn: BpfInsn, entry: HistoryEntry | undefined, wanted: Wanted): boolean {
  // a scalar as address: a difference of pointers that was used as one again
  if (wanted.has(insn.dst)) return false;
  if (!entry?.access) return true;
  const slots = wanted.slotsOf(entry.access.frame);
  if (!slots.delete(entry.access.slot)) return true;
  if (insnClass(insn.code) === BPF_CLASS.STX) wanted.want(insn.src);
  return true;
}

const isPseudoCall = (insn: BpfInsn | undefined): boolean =>
  insn?.code === CALL && insn.src === BPF_PSEUDO.CALL;

function undoJump(
  env: VerifierEnv,
  insn: BpfInsn,
  index: number,
  subsequent: number,
  wanted: Wanted,
): boolean {
  const op = insnOp(insn.code);
  if (isPseudoCall(insn)) return leaveCallee(wanted, true);
  if (op === BPF_JMP_OP.CALL && insnClass(insn.code) === BPF_CLASS.JMP) {
    // coming from inside the callback, not from the instruction behind the call
    if (env.auxAt(index).callsCallback && index !== subsequent - 1) return leaveCallee(wanted, false);
    wanted.drop(0);
    return !ARGUMENTS.some((reg) => wanted.has(reg));
  }
  if (op === BPF_JMP_OP.EXIT) {
    if (subsequent >= 0 && env.auxAt(subsequent).callsCallback) for (const reg of ARGUMENTS) wanted.drop(reg);
    const fromFunction = subsequent >= 1 && isPseudoCall(env.insns[subsequent - 1]) && wanted.has(0);
    wanted.drop(0);
    wanted.frame++;
    if (fromFunction) wanted.want(0);
    return true;
  }
  if (op === BPF_JMP_OP.JA || op === BPF_JMP_OP.JCOND) return true;
  if ((insn.code & BPF_SRC.X) !== 0 && (wanted.has(insn.dst) || wanted.has(insn.src))) {
    wanted.want(insn.dst);
    wanted.want(insn.src);
  }
  return true;
}

/** Walks from a callee's first instruction to the call: arguments of a plain call are the caller's registers. */
function leaveCallee(wanted: Wanted, handArguments: boolean): boolean {
  const regs = wanted.regsOf(wanted.frame);
  const caller = wanted.frame - 1;
  if (caller < 0) return false;
  for (const reg of ARGUMENTS) {
    if (regs.delete(reg) && handArguments) wanted.regsOf(caller).add(reg);
  }
  // anything else would have been found inside the callee
  if (regs.size > 0 || wanted.slotsOf(wanted.frame).size > 0) return false;
  wanted.frame = caller;
  return true;
}
