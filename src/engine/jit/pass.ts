import type { JitContext } from './context';
import { buildEpilogue } from './epilogue';
import { lowerInsn } from './lower/insn';
import { buildPrologue } from './prologue';

/**
 * One pass over a function: prologue, body, epilogue.
 * @param body {@link buildBody}, or what stands in for it
 * @returns their size in halfwords
 */
export function runPass(ctx: JitContext, body: (ctx: JitContext) => void): number {
  const { e } = ctx;
  e.ninsns = 0;
  ctx.exitTarget = ctx.epilogueOffset;
  buildPrologue(ctx);
  ctx.prologueLen = e.ninsns;
  body(ctx);
  ctx.epilogueOffset = e.ninsns;
  if (e.recorder) e.recorder.insn = -1;
  buildEpilogue(ctx, 'return');
  return e.ninsns;
}

/** Translates the slots one by one (`build_body`). Of two slots translated together only the second one's offset is written. */
export function buildBody(ctx: JitContext): void {
  const { e, unit, offset, takesNext, writesOffsets } = ctx;
  const { length } = unit.code;
  const { recorder } = e;
  for (let i = 0; i < length; i++) {
    if (recorder !== null) recorder.insn = i;
    const start = e.ninsns;
    const taken = lowerInsn(ctx, i);
    ctx.setSize(i, e.ninsns - start);
    takesNext[i] = taken;
    i += taken;
    if (writesOffsets) offset[i] = e.ninsns;
  }
}
