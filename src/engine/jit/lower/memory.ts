import { BPF_CLASS, BPF_MODE, BPF_SIZE } from '../../bpf/insn';
import type { JitContext } from '../context';
import { isSimm12 } from '../emit';
import { emitImm32 } from '../load-immediate';
import { RV } from '../registers';
import { addHandler, emitArenaAddress, emitLoad, emitStore, emitStoreInsn, swallowsZext } from './access';
import { lowerAtomic } from './atomic';

/** Class LDX: rd = *(size *)(rs + off) (spec 6.7). */
export function lowerLoad(ctx: JitContext, i: number): number {
  const { code, facts } = ctx.unit;
  const opcode = code.opcode(i);
  const size = opcode & 0x18;
  const rd = ctx.register(code.dst(i));
  let base = ctx.register(code.src(i));
  let signed = false;
  let probes = true;
  switch (opcode & 0xe0) {
    case BPF_MODE.MEM:
      probes = false;
      break;
    case BPF_MODE.MEMSX:
      probes = false;
      signed = true;
      break;
    case BPF_MODE.PROBE_MEM:
      break;
    case BPF_MODE.PROBE_MEMSX:
      signed = true;
      break;
    case BPF_MODE.PROBE_MEM32:
      if (!facts.arena) throw noArena(ctx, i);
      base = emitArenaAddress(ctx, i, RV.t2, base);
      break;
    case BPF_MODE.PROBE_MEM32SX:
      throw ctx.error('jit/opcode', i, 'the RV64 JIT refuses sign-extending loads from an arena.');
    default:
      throw ctx.error('jit/opcode', i, 'unknown opcode; the RV64 JIT has no such load.');
  }
  if (signed && size === BPF_SIZE.DW) {
    throw ctx.error('jit/opcode', i, 'a 64-bit load has nothing to sign-extend.');
  }
  const at = emitLoad(ctx, rd, base, code.off(i), size, signed);
  if (probes) addHandler(ctx, at, rd);
  return swallowsZext(ctx, i, size) ? 1 : 0;
}

/** Class ST: *(size *)(rd + off) = imm. */
export function lowerStoreConstant(ctx: JitContext, i: number): number {
  const { e, unit } = ctx;
  const { code, facts } = unit;
  const opcode = code.opcode(i);
  const size = opcode & 0x18;
  let base = ctx.register(code.dst(i));
  ctx.register(code.src(i));
  switch (opcode & 0xe0) {
    case BPF_MODE.MEM:
      break;
    case BPF_MODE.PROBE_MEM32:
      if (!facts.arena) throw noArena(ctx, i);
      base = emitArenaAddress(ctx, i, RV.t3, base);
      break;
    case BPF_MODE.NOSPEC:
      if (opcode === (BPF_CLASS.ST | BPF_MODE.NOSPEC)) return 0; // a speculation barrier; RV64 has none
      throw ctx.error('jit/opcode', i, 'unknown opcode; the RV64 JIT has no such store.');
    default:
      throw ctx.error('jit/opcode', i, 'unknown opcode; the RV64 JIT has no such store.');
  }
  e.rule('immediate/load');
  emitImm32(e, RV.t1, code.imm(i));
  let off = code.off(i);
  if (!isSimm12(off)) {
    e.rule('memory/address');
    emitImm32(e, RV.t2, off);
    e.add(RV.t2, RV.t2, base);
    base = RV.t2;
    off = 0;
  }
  const at = emitStoreInsn(ctx, base, off, RV.t1, size);
  if ((opcode & 0xe0) === BPF_MODE.PROBE_MEM32) addHandler(ctx, at, RV.zero);
  return 0;
}

/** Class STX: *(size *)(rd + off) = rs, and the atomics. */
export function lowerStore(ctx: JitContext, i: number): number {
  const { code, facts } = ctx.unit;
  const opcode = code.opcode(i);
  let base = ctx.register(code.dst(i));
  const rs = ctx.register(code.src(i));
  switch (opcode & 0xe0) {
    case BPF_MODE.MEM:
      emitStore(ctx, base, code.off(i), rs, opcode & 0x18);
      return 0;
    case BPF_MODE.PROBE_MEM32:
      if (!facts.arena) throw noArena(ctx, i);
      base = emitArenaAddress(ctx, i, RV.t2, base);
      addHandler(ctx, emitStore(ctx, base, code.off(i), rs, opcode & 0x18), RV.zero);
      return 0;
    case BPF_MODE.ATOMIC:
      return lowerAtomic(ctx, i, base, rs, false);
    case BPF_MODE.PROBE_ATOMIC:
      if (!facts.arenaAtomics) throw noArena(ctx, i);
      return lowerAtomic(ctx, i, base, rs, true);
    default:
      throw ctx.error('jit/opcode', i, 'unknown opcode; the RV64 JIT has no such store.');
  }
}

const noArena = (ctx: JitContext, i: number) =>
  ctx.error(
    'jit/opcode',
    i,
    `unknown opcode: kernel ${ctx.unit.profile.kernel} has no such access to an arena.`,
  );
