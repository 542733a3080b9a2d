import { EngineError } from '../../base/errors';
import type { Profile } from '../profile';
import { conditionalBranch } from '../branch';
import { emitSignExtend } from '../extend';
import { emitImm32, emitImmBig } from '../load-immediate';
import { PieceRecorder } from '../pieces';
import { RV } from '../registers';
import type { FrameLayout, Piece, UnwindRow } from '../types';
import { UnwindRecorder } from '../unwind';
import { loadArguments, passStackArguments, storeArguments } from './arguments';
import { TrampolineContext, type CallSite } from './context';
import { trampolineFrameLayout, type TrampolineFrame } from './frame';
import { enterFrame, leaveFrame } from './frame-code';
import { storeResult } from './invoke';
import { TRAMP_FLAG, type TrampolineModel } from './model';
import { clearSessions, hasSessions, invokeAll, startExitRuns } from './session';

/** Stands for the image object's address while the trampoline is measured: no constant takes more instructions. */
const LONGEST_CONSTANT = 0x7fff7ff7ff7ff7ffn;
/** Bytes of the two entry nops that a traced function's patched entry takes. */
const PATCHED_ENTRY_BYTES = 8;

/** A finished trampoline. Byte offsets are from {@link address}. */
export interface Trampoline {
  readonly address: bigint;
  readonly image: Uint8Array;
  /** Bytes that the sizing pass asked for; the code may be shorter. */
  readonly allocSize: number;
  readonly frameOffsets: TrampolineFrame;
  readonly frame: FrameLayout;
  readonly unwind: readonly UnwindRow[];
  readonly pieces: readonly Piece[];
  readonly calls: readonly CallSite[];
  /** Where text poke skips to the end when the trampoline retires while the original runs; -1 = not in this kernel or case. */
  readonly ipAfterCall: number;
  readonly ipEpilogue: number;
  /** For each program call the nop that becomes a jump to `end` when the program is detached (newer kernels). */
  readonly skips: readonly { readonly nop: number; readonly end: number }[];
}

/**
 * Makes a trampoline (`arch_prepare_bpf_trampoline`, spec 8): entered from the patched entry of a function or, for struct_ops,
 * called directly, it runs programs before and after the original, or instead of it.
 * @throws EngineError `jit/trampoline` for models and flags that the kernel refuses, `jit/range`
 */
export function compileTrampoline(profile: Profile, model: TrampolineModel): Trampoline {
  checkFlags(model);
  const sizing = new TrampolineContext(profile, model);
  const byWorstCase = sizing.facts.trampoline.sizedByWorstCase;
  const standIn = sizing.faults['trampoline-sized-short'] ? 0n : LONGEST_CONSTANT;
  emitTrampoline(sizing, byWorstCase ? standIn : model.imAddress);
  const allocSize = 2 * sizing.e.ninsns;

  const t = new TrampolineContext(profile, model);
  const code = new Uint16Array(sizing.e.ninsns + OVERRUN);
  t.e.attach(code);
  t.hasImage = true;
  t.e.recorder = new PieceRecorder();
  t.unwind = new UnwindRecorder(model.structOps || t.has(TRAMP_FLAG.SKIP_FRAME) ? RV.ra : RV.t0);
  emitTrampoline(t, model.imAddress);

  const length = 2 * t.e.ninsns;
  return {
    address: model.imageAddress,
    image: new Uint8Array(code.buffer, 0, length),
    allocSize,
    frameOffsets: t.frame,
    frame: trampolineFrameLayout(model, t.frame),
    unwind: t.unwind.rows(),
    pieces: t.e.recorder.pieces(length),
    calls: t.calls,
    ipAfterCall: t.ipAfterCall,
    ipEpilogue: t.ipEpilogue,
    skips: t.skips,
  };
}

/** Halfwords by which the code may become longer than measured: only with the fault that measures with too short constants. */
const OVERRUN = 64;

function checkFlags(model: TrampolineModel): void {
  const refused = TRAMP_FLAG.ORIG_STACK | TRAMP_FLAG.SHARE_IPMODIFY;
  if ((model.flags & refused) === 0) return;
  throw new EngineError(
    'jit/trampoline',
    `The trampoline of ${model.name} asks for flags 0x${(model.flags & refused).toString(16)} (ORIG_STACK, SHARE_IPMODIFY), which riscv does not support.`,
    { function: model.name, flags: model.flags },
  );
}

/** The code in order; step numbers are those of spec 8.3. @param im the image object's address, or its stand-in */
function emitTrampoline(t: TrampolineContext, im: bigint): void {
  const { e, model, frame } = t;
  const callsOriginal = t.has(TRAMP_FLAG.CALL_ORIG);

  enterFrame(t); // 1
  t.tcc?.entered(t); // 2
  e.rule('trampoline/save-s1'); // 3
  e.sd(RV.fp, -frame.sregOff, RV.s1);
  t.unwind?.save(e.ninsns, RV.s1, -(model.structOps ? 0 : 16) - frame.sregOff);
  if (t.has(TRAMP_FLAG.IP_ARG)) {
    e.rule('trampoline/function-ip'); // 4
    emitImmBig(e, RV.t1, model.funcAddress);
    e.sd(RV.fp, -frame.ipOff, RV.t1);
  }
  e.rule('trampoline/slot-count'); // 5
  if (t.facts.trampoline.slotCountByLoadImmediate) emitImm32(e, RV.t1, frame.argSlots);
  else e.li(RV.t1, frame.argSlots);
  e.sd(RV.fp, -frame.nregsOff, RV.t1);
  storeArguments(t); // 6
  if (hasSessions(t)) clearSessions(t);

  if (callsOriginal) {
    e.rule('trampoline/enter'); // 7
    emitImmBig(e, RV.a0, im);
    t.call(model.trampEnter, 'tramp-enter', 'trampoline/enter');
  }
  invokeAll(t, model.fentry, t.has(TRAMP_FLAG.RET_FENTRY_RET), false); // 8
  const skipsOriginal = invokeFmodRet(t); // 9
  if (callsOriginal) callOriginal(t); // 10, 11
  for (const at of skipsOriginal) {
    e.patch(at, conditionalBranch('jne', RV.t1, RV.zero, 2 * (e.ninsns - at))); // 12
  }
  if (hasSessions(t)) startExitRuns(t);
  invokeAll(t, model.fexit, false, true); // 13
  if (callsOriginal) {
    if (t.facts.trampoline.nopsAfterOriginal) t.ipEpilogue = 2 * e.ninsns;
    e.rule('trampoline/exit'); // 14
    emitImmBig(e, RV.a0, im);
    t.call(model.trampExit, 'tramp-exit', 'trampoline/exit');
  } else {
    t.tcc?.withoutOriginal(t);
  }
  if (t.has(TRAMP_FLAG.RESTORE_REGS)) loadArguments(t); // 15
  if (frame.savesResult) loadResult(t); // 16
  e.rule('trampoline/restore'); // 17
  e.ld(RV.s1, -frame.sregOff, RV.fp);
  t.unwind?.restore(e.ninsns, RV.s1);
  t.tcc?.leaving(t);
  leaveFrame(t, t.has(TRAMP_FLAG.SKIP_FRAME)); // 18
}

/** fmod_ret programs: the first that returns something else than 0 decides. @returns places of the branches to fill in */
function invokeFmodRet(t: TrampolineContext): number[] {
  const { e, frame, model } = t;
  if (model.fmodRet.length === 0) return [];
  e.rule('trampoline/clear-result');
  e.sd(RV.fp, -frame.retvalOff, RV.zero);
  return model.fmodRet.map((program) => {
    invokeAll(t, [program], true, false);
    e.rule('trampoline/skip-original');
    e.ld(RV.t1, -frame.retvalOff, RV.fp);
    const at = e.ninsns;
    e.nop();
    return at;
  });
}

function callOriginal(t: TrampolineContext): void {
  const { e, model } = t;
  loadArguments(t);
  passStackArguments(t);
  t.tcc?.beforeOriginal(t);
  const pastEntry = t.facts.trampoline.originalAlwaysPastEntry || t.has(TRAMP_FLAG.SKIP_FRAME);
  const skip = pastEntry && !t.faults['original-enters-trampoline'] ? PATCHED_ENTRY_BYTES : 0;
  t.call(model.funcAddress + BigInt(skip), 'original', 'trampoline/call-original');
  t.tcc?.afterOriginal(t);
  storeResult(t);
  if (t.facts.trampoline.nopsAfterOriginal) {
    t.ipAfterCall = 2 * e.ninsns;
    e.rule('trampoline/retire-nops');
    e.nop();
    e.nop();
  }
}

/** The result of the original or of the last program that gave one. */
function loadResult(t: TrampolineContext): void {
  const { e, frame, model } = t;
  e.rule('trampoline/load-result');
  const extends_ = t.facts.trampoline.extendsStructOpsReturn;
  if (!extends_) {
    e.ld(RV.a0, -frame.retvalOff, RV.fp);
    e.ld(RV.a5, -(frame.retvalOff - 8), RV.fp);
    return;
  }
  e.ld(RV.a5, -(frame.retvalOff - 8), RV.fp);
  if (!model.structOps || t.faults['struct-ops-return-truncated']) {
    e.ld(RV.a0, -frame.retvalOff, RV.fp);
  } else if (!emitSignExtend(e, RV.a0, RV.a5, model.result.size, model.result.signed)) {
    throw new EngineError(
      'jit/trampoline',
      `${model.name} returns ${model.result.size} bytes; a struct_ops trampoline returns 1, 2, 4 or 8.`,
      { function: model.name, size: model.result.size },
    );
  }
}
