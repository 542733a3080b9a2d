import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_SRC,
  type BpfInsn,
} from '../../bpf/insn';
import { accessSize, insnClass, insnMode, insnOp } from './liveness';
import { FP, MAX_STACK, REGISTERS, SLOT_BYTES } from './state';

/**
 * What the data flow knows of a value's relation to the stack: none; it points into the stack of the function at some call
 * depth, at one of a few offsets from its frame pointer (none listed: anywhere); it may point into one of several stacks
 * (bit f for depth f). A value that the flow has not reached is undefined (struct arg_track).
 */
export type Origin =
  | { readonly kind: 'none' }
  | { readonly kind: 'frame'; readonly frame: number; readonly offsets: readonly number[] }
  | { readonly kind: 'frames'; readonly mask: number };

/** Origins of the registers, and of what the function spilled: index n for the 8 bytes at -8 * (n + 1). */
export interface Flow {
  readonly regs: readonly (Origin | undefined)[];
  readonly slots: readonly (Origin | undefined)[];
}

/** More offsets than this are taken for any offset. */
const MAX_OFFSETS = 4;
const SLOTS = MAX_STACK / SLOT_BYTES;
const CALLER_SAVED = 6;

export const NO_FRAME: Origin = { kind: 'none' };

const inFrame = (frame: number, offsets: readonly number[]): Origin => ({ kind: 'frame', frame, offsets });

/** At the start of a function at the given depth, with origins of r1 to r5. */
export function entryFlow(depth: number, args: readonly (Origin | undefined)[]): Flow {
  const regs = Array.from({ length: REGISTERS }, (_, reg) => {
    if (reg === FP) return inFrame(depth, [0]);
    return reg >= 1 && reg <= 5 ? (args[reg] ?? NO_FRAME) : NO_FRAME;
  });
  return { regs, slots: Array<Origin>(SLOTS).fill(NO_FRAME) };
}

function sameOrigin(a: Origin | undefined, b: Origin | undefined): boolean {
  if (a === b) return true;
  if (a?.kind === 'frame' && b?.kind === 'frame')
    return (
      a.frame === b.frame &&
      a.offsets.length === b.offsets.length &&
      a.offsets.every((off, i) => off === b.offsets[i])
    );
  if (a?.kind === 'frames' && b?.kind === 'frames') return a.mask === b.mask;
  return a?.kind === 'none' && b?.kind === 'none';
}

function joinOffsets(frame: number, a: readonly number[], b: readonly number[]): Origin {
  const all = [...new Set([...a, ...b])].sort((x, y) => x - y);
  return inFrame(frame, all.length > MAX_OFFSETS ? [] : all);
}

const frameBits = (origin: Origin): number =>
  origin.kind === 'frame' ? 1 << origin.frame : origin.kind === 'frames' ? origin.mask : 0;

/** Either of the two (__arg_track_join). */
function join(a: Origin | undefined, b: Origin | undefined): Origin | undefined {
  if (!b) return a;
  if (!a) return b;
  if (a.kind === 'frame' && b.kind === 'frame' && a.frame === b.frame) {
    if (a.offsets.length === 0 || b.offsets.length === 0) return inFrame(a.frame, []);
    return joinOffsets(a.frame, a.offsets, b.offsets);
  }
  if (a.kind === 'none' && b.kind === 'none') return a;
  if (a.kind === 'frame' && b.kind === 'none') return maybe(a.frame, a.offsets, a);
  if (b.kind === 'frame' && a.kind === 'none') return maybe(b.frame, b.offsets, b);
  return { kind: 'frames', mask: frameBits(a) | frameBits(b) };
}

/** A second offset, where nothing lies, keeps a store through a pointer that may be something else from counting as certain. */
const maybe = (frame: number, offsets: readonly number[], same: Origin): Origin =>
  offsets.length === 1 ? joinOffsets(frame, offsets, [0]) : same;

function joinLists(
  into: readonly (Origin | undefined)[],
  from: readonly (Origin | undefined)[],
): readonly (Origin | undefined)[] {
  if (into === from) return into;
  let result: (Origin | undefined)[] | undefined;
  for (let i = 0; i < into.length; i++) {
    const joined = join(into[i], from[i]);
    if (sameOrigin(joined, into[i])) continue;
    result ??= into.slice();
    result[i] = joined;
  }
  return result ?? into;
}

/** What holds where two ways meet; `into` itself if nothing changes. */
export function joinFlows(into: Flow | undefined, from: Flow): Flow {
  if (!into) return from;
  const regs = joinLists(into.regs, from.regs);
  const slots = joinLists(into.slots, from.slots);
  return regs === into.regs && slots === into.slots ? into : { regs, slots };
}

/** A pointer moved by a constant. Offsets that 16 bits do not hold are not followed. */
export function moveOrigin(origin: Origin, by: number): Origin {
  if (origin.kind !== 'frame') return origin;
  const offsets = origin.offsets.map((off) => off + by);
  return inFrame(origin.frame, offsets.some((off) => off < -0x7fff || off > 0x7fff) ? [] : offsets);
}

const somewhere = (origin: Origin): Origin => (origin.kind === 'frame' ? inFrame(origin.frame, []) : origin);

/** Arithmetic of two registers (arg_track_alu64). */
function combine(dst: Origin, src: Origin): Origin {
  if (dst.kind === 'frame' && (src.kind === 'none' || (src.kind === 'frame' && src.frame === dst.frame)))
    return somewhere(dst);
  if (dst.kind === 'none') return src.kind === 'frames' ? { kind: 'frames', mask: src.mask } : somewhere(src);
  return { kind: 'frames', mask: frameBits(dst) | frameBits(src) };
}

/** Slot of the 8 bytes at `off`; -1 for bytes that are not one slot. */
const slotOf = (off: number): number =>
  off >= 0 || off < -MAX_STACK || off % SLOT_BYTES !== 0 ? -1 : -off / SLOT_BYTES - 1;

/** Changes origins as one instruction does (arg_track_xfer). */
class Transfer {
  private readonly regs: (Origin | undefined)[];
  private slots: readonly (Origin | undefined)[];

  constructor(
    private readonly flow: Flow,
    private readonly depth: number,
    /** What the function at a lower depth had spilled when it made its call. */
    private readonly spilledBy: (frame: number) => Flow['slots'] | undefined,
  ) {
    this.regs = flow.regs.slice();
    this.slots = flow.slots;
  }

  private reg(number: number): Origin {
    return this.regs[number] ?? NO_FRAME;
  }

  run(insn: BpfInsn): Flow {
    switch (insnClass(insn.code)) {
      case BPF_CLASS.ALU64:
        this.regs[insn.dst] = this.alu(insn);
        break;
      case BPF_CLASS.ALU:
        this.regs[insn.dst] = NO_FRAME;
        break;
      case BPF_CLASS.LDX:
        this.regs[insn.dst] = this.load(insn);
        break;
      case BPF_CLASS.LD:
        if (insnMode(insn.code) !== BPF_MODE.IMM) return this.flow;
        this.regs[insn.dst] = NO_FRAME;
        break;
      case BPF_CLASS.STX:
        this.store(insn);
        break;
      case BPF_CLASS.ST:
        if (insnMode(insn.code) === BPF_MODE.MEM && this.isLocal(insn.dst)) this.clear(insn);
        break;
      case BPF_CLASS.JMP:
        if (insnOp(insn.code) !== BPF_JMP_OP.CALL) return this.flow;
        for (let reg = 0; reg < CALLER_SAVED; reg++) this.regs[reg] = NO_FRAME;
        break;
      default:
        return this.flow;
    }
    return { regs: this.regs, slots: this.slots };
  }

  private alu(insn: BpfInsn): Origin {
    const dst = this.reg(insn.dst);
    const op = insnOp(insn.code);
    if ((insn.code & BPF_SRC.X) !== 0) {
      if (op !== BPF_ALU_OP.MOV) return combine(dst, this.reg(insn.src));
      return insn.off === 0 ? this.reg(insn.src) : NO_FRAME;
    }
    switch (op) {
      case BPF_ALU_OP.MOV:
        return NO_FRAME;
      case BPF_ALU_OP.ADD:
        return moveOrigin(dst, insn.imm);
      case BPF_ALU_OP.SUB:
        return moveOrigin(dst, -insn.imm);
      default:
        return somewhere(dst);
    }
  }

  private isLocal(reg: number): boolean {
    const origin = this.reg(reg);
    return origin.kind === 'frame' && origin.frame === this.depth;
  }

  private load(insn: BpfInsn): Origin {
    const src = this.reg(insn.src);
    if (src.kind === 'none' || insnMode(insn.code) !== BPF_MODE.MEM || accessSize(insn.code) !== SLOT_BYTES)
      return NO_FRAME;
    if (src.kind === 'frames')
      return (src.mask & (1 << this.depth)) !== 0 ? anyUpTo(this.depth) : { kind: 'frames', mask: src.mask };
    const slots = src.frame === this.depth ? this.slots : this.spilledBy(src.frame);
    const { offsets } = moveOrigin(src, insn.off) as { offsets: readonly number[] };
    if (!slots || offsets.length === 0 || offsets.some((off) => slotOf(off) < 0)) return anyUpTo(src.frame);
    if (insn.src === FP) return slots[slotOf(offsets[0]!)] ?? NO_FRAME;
    return offsets.reduce<Origin>((all, off) => join(all, slots[slotOf(off)]) ?? all, NO_FRAME);
  }

  private store(insn: BpfInsn): void {
    const local = this.isLocal(insn.dst);
    if (insnMode(insn.code) === BPF_MODE.MEM) {
      if (local) this.spill(insn);
      return;
    }
    if (insnMode(insn.code) !== BPF_MODE.ATOMIC) return;
    if (local && insn.imm !== BPF_ATOMIC_OP.LOAD_ACQ) this.clear(insn);
    if (insn.imm === BPF_ATOMIC_OP.CMPXCHG) this.regs[0] = NO_FRAME;
    else if (insn.imm === BPF_ATOMIC_OP.LOAD_ACQ) this.regs[insn.dst] = NO_FRAME;
    else if ((insn.imm & BPF_ATOMIC_OP.FETCH) !== 0) this.regs[insn.src] = NO_FRAME;
  }

  private offsetsOf(insn: BpfInsn): readonly number[] {
    const at = moveOrigin(this.reg(insn.dst), insn.off);
    return at.kind === 'frame' ? at.offsets : [];
  }

  private spill(insn: BpfInsn): void {
    const value = accessSize(insn.code) === SLOT_BYTES ? this.reg(insn.src) : NO_FRAME;
    const offsets = this.offsetsOf(insn);
    const slots = this.slots.slice();
    if (offsets.length === 0) {
      for (let slot = 0; slot < SLOTS; slot++) slots[slot] = join(slots[slot], value);
    }
    for (const off of offsets) {
      const slot = slotOf(off);
      if (slot >= 0) slots[slot] = offsets.length === 1 ? value : join(slots[slot], value);
    }
    this.slots = slots;
  }

  private clear(insn: BpfInsn): void {
    const size = accessSize(insn.code);
    const offsets = this.offsetsOf(insn);
    this.slots = this.slots.map((origin, slot) => {
      const start = -(slot + 1) * SLOT_BYTES;
      const touched = offsets.some((off) => start < off + size && start + SLOT_BYTES > off);
      return touched || offsets.length === 0 ? NO_FRAME : origin;
    });
  }
}

const anyUpTo = (frame: number): Origin => ({ kind: 'frames', mask: (1 << (frame + 1)) - 1 });

/** Origins after the instruction, which belongs to a function at the given depth. */
export const transfer = (
  insn: BpfInsn,
  flow: Flow,
  depth: number,
  spilledBy: (frame: number) => Flow['slots'] | undefined,
): Flow => new Transfer(flow, depth, spilledBy).run(insn);
