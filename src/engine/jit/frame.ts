import { EngineError } from '../base/errors';
import type { JitContext } from './context';
import { ARENA, RV } from './registers';
import { SEEN_CALL } from './seen';
import type { FrameLayout, FrameSlot, SlotKind } from './types';

/** One 8-byte slot among the saved registers, in the order in which prologue and epilogues walk them. */
export interface SavedSlot {
  readonly register: number;
  /** The epilogues load it again. */
  readonly reloaded: boolean;
  readonly kind: SlotKind;
  readonly name: string;
  readonly why: string;
}

/** A slot for a register whose value belongs to the caller. */
export function savedRegister(register: number, why: string): SavedSlot {
  return {
    register,
    reloaded: true,
    kind: 'saved-register',
    name: `saved ${NAMES[register] ?? register}`,
    why,
  };
}

const NAMES: Readonly<Record<number, string>> = {
  [RV.ra]: 'ra',
  [RV.fp]: 'fp',
  [RV.s1]: 's1',
  [RV.s2]: 's2',
  [RV.s3]: 's3',
  [RV.s4]: 's4',
  [RV.s5]: 's5',
  [RV.s6]: 's6',
  [RV.s7]: 's7',
};

const SLOT_RA: SavedSlot = {
  ...savedRegister(RV.ra, 'The function makes calls, which change the return address.'),
  kind: 'ra',
};
const SLOT_FP: SavedSlot = {
  ...savedRegister(RV.fp, 'Every function keeps a frame pointer of its own.'),
  kind: 'fp',
};
const SLOT_ARENA: SavedSlot = {
  ...savedRegister(ARENA, 'Arena accesses keep the arena’s base in s7.'),
  kind: 'arena',
};
const BPF_SLOTS: readonly SavedSlot[] = [
  savedRegister(RV.s1, 'The program uses R6.'),
  savedRegister(RV.s2, 'The program uses R7.'),
  savedRegister(RV.s3, 'The program uses R8.'),
  savedRegister(RV.s4, 'The program uses R9.'),
  savedRegister(RV.s5, 'The program uses R10 or has a BPF stack.'),
];

/**
 * The saved registers from high to low addresses, by what was seen so far (spec 2.1; the order is that of
 * bpf_jit_build_prologue and __build_epilogue). Asked for in every pass and at every tail call, so the answer is kept as
 * long as nothing new is seen.
 */
export function savedSlots(ctx: JitContext): readonly SavedSlot[] {
  if (ctx.savedFor !== ctx.seen) {
    ctx.saved = collectSaved(ctx);
    ctx.savedFor = ctx.seen;
  }
  return ctx.saved;
}

function collectSaved(ctx: JitContext): readonly SavedSlot[] {
  const slots: SavedSlot[] = [];
  if (ctx.has(SEEN_CALL)) slots.push(SLOT_RA);
  slots.push(SLOT_FP);
  for (const slot of BPF_SLOTS) if (ctx.has(1 << slot.register)) slots.push(slot);
  const afterS5 = ctx.scheme.slotAfterS5(ctx);
  if (afterS5) slots.push(afterS5);
  if (ctx.unit.surroundings.arena) slots.push(SLOT_ARENA);
  const last = ctx.scheme.slotLast(ctx);
  if (last) slots.push(last);
  return slots;
}

/** Bytes of the BPF stack area: stack_depth rounded up to the stack alignment. */
export const bpfStackSize = (stackDepth: number): number => Math.ceil(stackDepth / 16) * 16;

/** Bytes of the whole frame for these saved registers and BPF stack. */
export const frameSize = (slots: readonly SavedSlot[], bpfStack: number): number =>
  Math.ceil((slots.length * 8) / 16) * 16 + bpfStack;

/** What sp and frame offsets reach in 12 bits. */
const MAX_FRAME = 2047;

/**
 * Refuses a frame that the 12-bit immediates of the code around it cannot hold. The verifier's limit of 512 bytes of BPF stack
 * keeps the kernel's JIT far from it, which does not look (spec 2.1).
 * @throws EngineError `jit/frame`
 */
export function checkFrameSize(name: string, bytes: number): void {
  if (bytes <= MAX_FRAME) return;
  throw new EngineError(
    'jit/frame',
    `The frame of ${name} takes ${bytes} bytes, more than the ${MAX_FRAME} that its code can reach; the verifier allows 512 bytes of BPF stack.`,
    { function: name, bytes },
  );
}

/** The frame layout record of a translated function. */
export function frameLayout(ctx: JitContext): FrameLayout {
  const saved = savedSlots(ctx);
  const size = ctx.stackSize;
  const bpfStack = bpfStackSize(ctx.unit.stackDepth);
  const slots: FrameSlot[] = saved.map((slot, i) => ({
    name: slot.name,
    kind: slot.kind,
    spOffset: size - 8 * (i + 1),
    fpOffset: -8 * (i + 1),
    size: 8,
    register: slot.register,
    why: slot.why,
  }));
  const savedBytes = saved.length * 8;
  if (size - savedBytes > bpfStack) {
    slots.push({
      name: 'padding',
      kind: 'padding',
      spOffset: bpfStack,
      fpOffset: bpfStack - size,
      size: size - savedBytes - bpfStack,
      why: 'The stack pointer stays a multiple of 16.',
    });
  }
  if (bpfStack > 0) {
    slots.push({
      name: 'BPF stack',
      kind: 'bpf-stack',
      spOffset: 0,
      fpOffset: -size,
      size: bpfStack,
      why: `R10 points to the upper end; the program uses ${ctx.unit.stackDepth} bytes, rounded up to a multiple of 16.`,
    });
  }
  return { size, bpfStackSize: bpfStack, slots };
}
