import { emitImmBig } from '../load-immediate';
import { RV } from '../registers';
import type { TrampolineContext } from './context';
import { invokeProgram } from './invoke';
import type { TrampolineProgram } from './model';

/** Bit of the meta slot that tells the exit run of a session from its entry run. */
const META_IS_RETURN = 1n << 63n;
/** Where the meta slot says which cookie is the running session's, in slots below the context. */
const META_COOKIE_SHIFT = 8n;

/** Whether any program is a session, which runs before and after the original (fsession, spec 8.3). */
export const hasSessions = (t: TrampolineContext): boolean =>
  t.facts.trampoline.sessions && t.model.fentry.some((program) => program.session);

/** Cookies and result start as zero. */
export function clearSessions(t: TrampolineContext): void {
  const { e, frame } = t;
  e.rule('trampoline/clear-cookie');
  for (let k = 0; k < frame.cookies; k++) e.sd(RV.fp, -frame.cookieOff + 8 * k, RV.zero);
  e.rule('trampoline/clear-result');
  e.sd(RV.fp, -frame.retvalOff, RV.zero);
}

/** Writes the meta slot: slot count, and from here on the exit run. */
export function startExitRuns(t: TrampolineContext): void {
  storeMeta(t, BigInt(t.frame.argSlots) | META_IS_RETURN);
}

/** Runs a list of programs; before each session with a cookie the meta slot is told which cookie is its own. */
export function invokeAll(
  t: TrampolineContext,
  programs: readonly TrampolineProgram[],
  save: boolean,
  exitRun: boolean,
): void {
  let cookie = (t.frame.cookieOff - t.frame.argsOff) / 8;
  for (const program of programs) {
    if (t.facts.trampoline.sessions && program.session && program.sessionCookie) {
      const meta = BigInt(t.frame.argSlots) | (BigInt(cookie) << META_COOKIE_SHIFT);
      storeMeta(t, exitRun ? meta | META_IS_RETURN : meta);
      cookie--;
    }
    invokeProgram(t, program, save);
  }
}

function storeMeta(t: TrampolineContext, meta: bigint): void {
  const { e } = t;
  e.rule('trampoline/session-meta');
  emitImmBig(e, RV.t1, meta);
  e.sd(RV.fp, -t.frame.nregsOff, RV.t1);
}
