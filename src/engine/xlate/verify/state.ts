import { EngineError } from '../../base/errors';
import { RegState } from './reg';
import type { HistoryEntry } from './history';

/** Bytes of a stack slot, as BPF_REG_SIZE. */
export const SLOT_BYTES = 8;
/** Bytes of BPF stack that one function may use (MAX_BPF_STACK). */
export const MAX_STACK = 512;
/** Registers r0 to r9 take part in liveness and comparison; r10 is the read-only frame pointer. */
export const FP = 10;
export const REGISTERS = 11;

/** What one byte of the stack holds (enum bpf_stack_slot_type). */
export type SlotByte =
  /** never written */
  | 'invalid'
  /** part of a spilled register */
  | 'spill'
  /** some data */
  | 'misc'
  | 'zero'
  /** part of an iterator */
  | 'iterator';

/** Eight bytes of stack; `bytes[0]` is the one with the highest address, as the kernel counts them. */
export class StackSlot {
  readonly reg: RegState;
  readonly bytes: SlotByte[];

  constructor(reg = new RegState(), bytes: SlotByte[] = Array<SlotByte>(SLOT_BYTES).fill('invalid')) {
    this.reg = reg;
    this.bytes = bytes;
  }

  clone(): StackSlot {
    return new StackSlot(this.reg.clone(), this.bytes.slice());
  }

  /** A register was spilled here, at least its low part (is_spilled_reg). */
  get isSpill(): boolean {
    return this.bytes[SLOT_BYTES - 1] === 'spill';
  }
  get isIterator(): boolean {
    return this.bytes[SLOT_BYTES - 1] === 'iterator';
  }
  get isScalarSpill(): boolean {
    return this.isSpill && this.reg.isScalar;
  }
}

/** Bounds of what a callback may return. */
export interface ReturnRange {
  readonly min: bigint;
  readonly max: bigint;
}

/** One active function (struct bpf_func_state). */
export class FrameState {
  readonly regs: RegState[];
  readonly stack: StackSlot[];
  inCallback = false;
  inAsyncCallback = false;
  callbackRange: ReturnRange = { min: 0n, max: 0n };
  /** How often the current callback-calling helper has run its callback on this path. */
  callbackDepth = 0;
  asyncEntry = 0;

  constructor(
    /** Index of the calling instruction, or {@link MAIN_CALL} for an outermost function. */
    readonly callsite: number,
    /** Depth, 0 for the outermost. */
    readonly index: number,
    /** Which function of the program this is. */
    readonly func: number,
    regs?: RegState[],
    stack: StackSlot[] = [],
  ) {
    this.stack = stack;
    this.regs = regs ?? Array.from({ length: REGISTERS }, () => new RegState());
    if (regs) return;
    const fp = this.reg(FP);
    fp.setPointer('stack');
    fp.frame = index;
  }

  reg(number: number): RegState {
    const reg = this.regs[number];
    if (!reg)
      throw new EngineError('xlate/register', `There is no register r${number}.`, { register: number });
    return reg;
  }

  clone(): FrameState {
    const copy = new FrameState(
      this.callsite,
      this.index,
      this.func,
      this.regs.map((reg) => reg.clone()),
      this.stack.map((slot) => slot.clone()),
    );
    copy.inCallback = this.inCallback;
    copy.inAsyncCallback = this.inAsyncCallback;
    copy.callbackRange = this.callbackRange;
    copy.callbackDepth = this.callbackDepth;
    copy.asyncEntry = this.asyncEntry;
    return copy;
  }

  /** The slot that byte `off` (negative, from r10) lies in; the stack grows as needed. */
  slotAt(off: number): StackSlot {
    const index = slotIndex(off);
    while (this.stack.length <= index) this.stack.push(new StackSlot());
    return this.stack[index]!;
  }
}

/** `callsite` of an outermost function. */
export const MAIN_CALL = -1;

/** Slot number of the byte at `off` (negative) bytes from the frame pointer: 0 for -8…-1. */
export const slotIndex = (off: number): number => Math.floor((-off - 1) / SLOT_BYTES);
/** Index in {@link StackSlot.bytes} of the byte at `off`. */
export const byteIndex = (off: number): number => (-off - 1) % SLOT_BYTES;

/** An acquired resource that must be released before the end. */
export interface Reference {
  readonly id: number;
  readonly insn: number;
}

/** One point of one path: all active functions (struct bpf_verifier_state). */
export class VerifierState {
  frames: FrameState[];
  parent: VerifierState | undefined = undefined;
  /** Paths from here that are still to be followed. */
  branches = 1;
  /** Where the state was taken, for checkpoints. */
  insn = 0;
  firstInsn = 0;
  lastInsn = -1;
  /** Steps since {@link firstInsn} that cannot be derived by counting down. */
  history: HistoryEntry[] = [];
  refs: Reference[] = [];
  /** Length of the chain of parents. */
  depth = 0;
  /** Times that may_goto was followed on this path. */
  mayGotoDepth = 0;
  callbackUnrollDepth = 0;
  /** The outermost loop entry that a path from here led back to while it was being followed. */
  loopEntry: VerifierState | undefined = undefined;
  /** A lock is held: its id, or 0. */
  lock = 0;

  constructor(frames: FrameState[]) {
    this.frames = frames;
  }

  get frame(): FrameState {
    return this.frames[this.frames.length - 1]!;
  }

  /** A copy that can go another way; the history is copied, parents are shared. */
  clone(): VerifierState {
    const copy = new VerifierState(this.frames.map((frame) => frame.clone()));
    copy.parent = this.parent;
    copy.branches = this.branches;
    copy.insn = this.insn;
    copy.firstInsn = this.firstInsn;
    copy.lastInsn = this.lastInsn;
    copy.history = this.history.slice();
    copy.refs = this.refs.slice();
    copy.depth = this.depth;
    copy.mayGotoDepth = this.mayGotoDepth;
    copy.callbackUnrollDepth = this.callbackUnrollDepth;
    copy.loopEntry = this.loopEntry;
    copy.lock = this.lock;
    return copy;
  }

  /** Every register and spilled register of every frame. */
  *values(): Generator<RegState> {
    for (const frame of this.frames) {
      yield* frame.regs;
      for (const slot of frame.stack) if (slot.isSpill) yield slot.reg;
    }
  }
}
