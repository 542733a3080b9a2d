import { conditionalBranch } from '../branch';
import { emitImmBig } from '../load-immediate';
import { RV } from '../registers';
import type { TrampolineContext } from './context';
import type { TrampolineProgram } from './model';

/**
 * Runs one program (`invoke_bpf_prog`): enter, unless it says no the program itself, exit.
 * @param save the program's result becomes the trampoline's
 */
export function invokeProgram(t: TrampolineContext, program: TrampolineProgram, save: boolean): void {
  const { e, frame } = t;
  const nop = e.ninsns;
  if (t.facts.trampoline.detachableCalls) {
    e.rule('trampoline/detach-nop');
    e.nop();
  }
  e.rule('trampoline/cookie');
  if (program.cookie !== 0n) {
    emitImmBig(e, RV.t1, program.cookie);
    e.sd(RV.fp, -frame.runCtxOff, RV.t1);
  } else {
    e.sd(RV.fp, -frame.runCtxOff, RV.zero);
  }

  e.rule('trampoline/prog-enter');
  emitImmBig(e, RV.a0, program.prog);
  e.addi(RV.a1, RV.fp, -frame.runCtxOff);
  t.call(program.enter, 'prog-enter', 'trampoline/prog-enter');
  // s1 keeps the start time, which exit wants back.
  if (!t.faults['enter-result-forgotten']) e.mv(RV.s1, RV.a0);

  e.rule('trampoline/skip');
  const skip = e.ninsns;
  e.nop();
  // The kernel once kept the result only behind the test, so that a skipped program's exit saw an older start time.
  if (t.faults['enter-result-forgotten']) e.mv(RV.s1, RV.a0);

  e.rule('trampoline/call-program');
  e.addi(RV.a0, RV.fp, -frame.argsOff);
  if (!program.jited) emitImmBig(e, RV.a1, program.insnsi ?? 0n);
  t.call(program.bpfFunc, 'program', 'trampoline/call-program');
  if (save) storeResult(t);

  e.patch(skip, conditionalBranch('jeq', RV.a0, RV.zero, 2 * (e.ninsns - skip)));
  e.rule('trampoline/prog-exit');
  emitImmBig(e, RV.a0, program.prog);
  e.mv(RV.a1, RV.s1);
  e.addi(RV.a2, RV.fp, -frame.runCtxOff);
  t.call(program.exit, 'prog-exit', 'trampoline/prog-exit');

  if (t.facts.trampoline.detachableCalls) t.skips.push({ nop: 2 * nop, end: 2 * e.ninsns });
}

/** Stores what came back in a0, and R0 in a5. */
export function storeResult(t: TrampolineContext): void {
  const { e, frame } = t;
  e.rule('trampoline/store-result');
  e.sd(RV.fp, -frame.retvalOff, RV.a0);
  e.sd(RV.fp, -(frame.retvalOff - 8), RV.a5);
}
