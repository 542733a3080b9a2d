import { enc } from '../rv64/encode';
import type { Emitter } from './emit';
import { RV } from './registers';

/**
 * Emitters that are one instruction with Zba or Zbb and a short sequence of base instructions without (spec 6.1,
 * `emit_sextb` … `emit_sh3add` in bpf_jit.h). `rd` and `rs` are RV register numbers.
 */

/** Sign-extends the low byte. */
export function emitSextb(e: Emitter, rd: number, rs: number): void {
  if (e.zbb) {
    e.emit(enc.sext_b(rd, rs));
  } else {
    e.slli(rd, rs, 56);
    e.srai(rd, rd, 56);
  }
}

/** Sign-extends the low half. */
export function emitSexth(e: Emitter, rd: number, rs: number): void {
  if (e.zbb) {
    e.emit(enc.sext_h(rd, rs));
  } else {
    e.slli(rd, rs, 48);
    e.srai(rd, rd, 48);
  }
}

/** Sign-extends the low word. */
export function emitSextw(e: Emitter, rd: number, rs: number): void {
  e.addiw(rd, rs, 0);
}

/** Zero-extends the low half. */
export function emitZexth(e: Emitter, rd: number, rs: number): void {
  if (e.zbb) {
    e.emit(enc.zext_h(rd, rs));
  } else {
    e.slli(rd, rs, 48);
    e.srli(rd, rd, 48);
  }
}

/** Zero-extends the low word. */
export function emitZextw(e: Emitter, rd: number, rs: number): void {
  if (e.zba) {
    e.emit(enc.add_uw(rd, rs, RV.zero));
  } else {
    e.slli(rd, rs, 32);
    e.srli(rd, rd, 32);
  }
}

/** rd = rs1 * 8 + rs2 */
export function emitSh3add(e: Emitter, rd: number, rs1: number, rs2: number): void {
  if (e.zba) {
    e.emit(enc.sh3add(rd, rs1, rs2));
  } else {
    e.slli(rd, rs1, 3);
    e.add(rd, rd, rs2);
  }
}

/** A value as a function argument or result of `size` bytes must hold it, per the RISC-V calling convention. */
export function emitSignExtend(e: Emitter, rd: number, rs: number, size: number, signed: boolean): boolean {
  if (!signed && (size === 1 || size === 2)) {
    if (rd !== rs) e.mv(rd, rs);
    return true;
  }
  switch (size) {
    case 1:
      emitSextb(e, rd, rs);
      return true;
    case 2:
      emitSexth(e, rd, rs);
      return true;
    case 4:
      emitSextw(e, rd, rs);
      return true;
    case 8:
      if (rd !== rs) e.mv(rd, rs);
      return true;
    default:
      return false;
  }
}
