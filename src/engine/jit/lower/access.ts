import { BPF_SIZE } from '../../bpf/insn';
import { enc } from '../../rv64/encode';
import type { JitContext } from '../context';
import { isSimm12 } from '../emit';
import { emitAddImm } from '../load-immediate';
import { ARENA, RV } from '../registers';
import { isExplicitZext } from './result-extension';

/** `to` = base + start of the arena; the program's pointer is a 32-bit offset into it. */
export function emitArenaAddress(ctx: JitContext, i: number, to: number, base: number): number {
  if (ctx.unit.surroundings.arena === undefined) {
    throw ctx.error('jit/arena', i, 'this accesses an arena, but the program has none.');
  }
  ctx.e.rule('memory/arena-address');
  ctx.e.add(to, base, ARENA);
  return to;
}

/** Loads from base + off. @returns the halfword position of the load itself */
export function emitLoad(
  ctx: JitContext,
  rd: number,
  base: number,
  off: number,
  size: number,
  signed: boolean,
): number {
  const { e } = ctx;
  if (!isSimm12(off)) {
    e.rule('memory/address');
    emitAddImm(e, RV.t1, base, off);
    base = RV.t1;
    off = 0;
  }
  e.rule('memory/load');
  const at = e.ninsns;
  switch (size) {
    case BPF_SIZE.B:
      e.emit(signed ? enc.lb(rd, base, off) : enc.lbu(rd, base, off));
      break;
    case BPF_SIZE.H:
      e.emit(signed ? enc.lh(rd, base, off) : enc.lhu(rd, base, off));
      break;
    case BPF_SIZE.W:
      e.emit(signed ? enc.lw(rd, base, off) : enc.lwu(rd, base, off));
      break;
    default:
      e.ld(rd, off, base);
  }
  return at;
}

/** Stores at base + off. @returns the halfword position of the store itself */
export function emitStore(ctx: JitContext, base: number, off: number, rs: number, size: number): number {
  const { e } = ctx;
  if (!isSimm12(off)) {
    e.rule('memory/address');
    emitAddImm(e, RV.t1, base, off);
    base = RV.t1;
    off = 0;
  }
  return emitStoreInsn(ctx, base, off, rs, size);
}

/** The store alone, of an offset that fits. @returns its halfword position */
export function emitStoreInsn(ctx: JitContext, base: number, off: number, rs: number, size: number): number {
  const { e } = ctx;
  e.rule('memory/store');
  const at = e.ninsns;
  switch (size) {
    case BPF_SIZE.B:
      e.emit(enc.sb(base, rs, off));
      break;
    case BPF_SIZE.H:
      e.emit(enc.sh(base, rs, off));
      break;
    case BPF_SIZE.W:
      e.sw(base, off, rs);
      break;
    default:
      e.sd(base, off, rs);
  }
  return at;
}

/**
 * Enters the access that begins at halfword `at` and was emitted last into the exception table (`add_exception_handler`).
 * @param register cleared after a fault, 0 = none
 */
export function addHandler(ctx: JitContext, at: number, register: number): void {
  ctx.extable.add(2 * at, 2 * ctx.e.ninsns, register);
}

/** A load narrower than 64 bits zero-extends by itself, so the verifier's extension of its result is skipped. */
export function swallowsZext(ctx: JitContext, i: number, size: number): boolean {
  const { code } = ctx.unit;
  return size !== BPF_SIZE.DW && i + 1 < code.length && isExplicitZext(code, i + 1);
}
