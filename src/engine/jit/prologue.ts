import type { JitContext } from './context';
import { bpfStackSize, checkFrameSize, frameSize, savedSlots } from './frame';
import { emitImmBig } from './load-immediate';
import { ARENA, RV } from './registers';

/**
 * Emits what stands before the first BPF instruction (`bpf_jit_build_prologue`, spec 2.1) and fixes the frame: its size
 * and, in schemes that have one, the counter's slot.
 */
export function buildPrologue(ctx: JitContext): void {
  const { e, unit, unwind } = ctx;
  const bpfStack = bpfStackSize(unit.stackDepth);
  if (bpfStack > 0) ctx.seen |= 1 << RV.s5;
  const slots = savedSlots(ctx);
  const size = frameSize(slots, bpfStack);
  checkFrameSize(unit.name, size);
  ctx.stackSize = size;

  if (unit.typeWord !== undefined) {
    e.rule('prologue/type-word');
    e.emit(unit.typeWord >>> 0);
  }
  e.rule('prologue/entry-nops');
  e.nop();
  e.nop();
  if (unit.index === 0) ctx.scheme.initMain(ctx);
  else ctx.scheme.initSubprog(ctx);

  e.rule('prologue/lower-sp');
  e.addi(RV.sp, RV.sp, -size);
  unwind?.cfa(e.ninsns, RV.sp, size);

  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    const below = 8 * (i + 1);
    if (slot.kind === 'tcc') {
      ctx.tccOffset = size - below;
      e.rule('tcc/store');
    } else {
      e.rule('prologue/save');
    }
    e.sd(RV.sp, size - below, slot.register);
    if (slot.kind !== 'tcc') unwind?.save(e.ninsns, slot.register, -below);
  }

  e.rule('prologue/set-fp');
  e.addi(RV.fp, RV.sp, size);
  unwind?.cfa(e.ninsns, RV.fp, 0);
  if (bpfStack > 0) {
    e.rule('prologue/set-bpf-fp');
    e.addi(RV.s5, RV.sp, bpfStack);
  }
  ctx.scheme.prologueDone(ctx);
  if (unit.surroundings.arena) {
    e.rule('prologue/arena-base');
    emitImmBig(e, ARENA, unit.surroundings.arena.kernVmStart);
  }
}
