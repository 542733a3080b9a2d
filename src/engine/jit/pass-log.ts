import type { JitContext } from './context';
import { compileUnit, extraPass, type Compilation } from './passes';
import type { PassLog } from './types';

/** `dry-run` counts without prologue; `first-image` writes an image whose calls to other functions are still open. */
export type PassKind = 'dry-run' | 'round' | 'first-image' | 'final';

/** Told when a pass has ended, while its results still stand in the context. */
export type PassWatcher = (kind: PassKind, ctx: JitContext) => void;

/**
 * The pass log of a finished compilation. It is rarely asked for and long, so the passes are not recorded but run again
 * with the same addresses, which gives the same results.
 */
export function replayPasses({ unit, ctx, base }: Compilation): PassLog {
  const passes: PassLog['passes'][number][] = [];
  const watch: PassWatcher = (kind, { e, ends, prologueLen }) => {
    const prologue = kind === 'dry-run' ? 0 : prologueLen;
    const sizes = new Int32Array(ends.length);
    for (let i = 0; i < ends.length; i++) {
      sizes[i] = 2 * ((ends[i] ?? 0) - (i > 0 ? (ends[i - 1] ?? 0) : prologue));
    }
    passes.push({ kind, prologue: 2 * prologue, total: 2 * e.ninsns, sizes });
  };
  let allocatedAfter = 0;
  const allocate = () => {
    allocatedAfter = passes.length - 1;
    return base;
  };
  const again = compileUnit(unit, allocate, watch);
  if (ctx.calleeAddress) extraPass(again, ctx.calleeAddress, watch);
  return { passes, allocatedAfter };
}
