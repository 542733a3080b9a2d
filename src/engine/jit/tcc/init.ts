import { enc } from '../../rv64/encode';
import type { JitContext } from '../context';
import { MAX_TAIL_CALL_CNT, RV, TCC } from '../registers';

/** `addi a6, x0, 33`, never compressed: tail calls rely on its 4 bytes. */
export function initTcc(ctx: JitContext): void {
  ctx.e.rule('tcc/init');
  ctx.e.emit(
    enc.addi(TCC, RV.zero, ctx.faults['tail-call-limit-32'] ? MAX_TAIL_CALL_CNT - 1 : MAX_TAIL_CALL_CNT),
  );
}
