import { enc } from '../../rv64/encode';
import type { Emitter } from '../emit';
import { RV } from '../registers';

/**
 * Reverses the low `bits` bits of `rd` byte by byte and clears the rest (`emit_bswap`, spec 6.6).
 * @param bits 16, 32 or 64
 */
export function emitBswap(e: Emitter, rd: number, bits: number): void {
  if (e.zbb) {
    e.emit(enc.rev8(rd, rd));
    if (bits !== 64) e.srli(rd, rd, 64 - bits);
    return;
  }
  e.li(RV.t2, 0);
  for (let done = 8; done < bits; done += 8) {
    e.andi(RV.t1, rd, 0xff);
    e.add(RV.t2, RV.t2, RV.t1);
    e.slli(RV.t2, RV.t2, 8);
    e.srli(rd, rd, 8);
  }
  e.andi(RV.t1, rd, 0xff);
  e.add(RV.t2, RV.t2, RV.t1);
  e.mv(rd, RV.t2);
}
