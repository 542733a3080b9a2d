import { EngineError } from '../base/errors';
import { printInsn } from '../bpf/print';
import { validateProgram } from '../bpf/validate';
import { BPF_PSEUDO, LD_IMM64 } from '../bpf/insn';
import { XLATE_FACTS } from '../profile/xlate-facts';
import { inlineBpfLoops } from './bpf-loop';
import { type CallContext } from './calls';
import { Code } from './code';
import { convertContextAccesses } from './context-access';
import { contextRules } from './contexts';
import { hardWireBranches, removeDeadCode, removeNops } from './dead-code';
import { removeFastcallSpills } from './fastcall';
import { fixInstructions } from './fixups';
import { noteOf, resolveConstants } from './resolve';
import { checkStackDepth } from './stack-depth';
import { findFunctions, type FunctionRange } from './subprogs';
import type { XlatedProgram, XlateInput, XlatePort } from './types';
import { HELPER } from './verify/helper-protos';
import { MAX_STACK } from './verify/state';
import type { VerifierEnv } from './verify/env';
import { walkProgram } from './verify/walk';
import { FLAG_RANDOM_HIGH_HALF, insertZeroExtensions } from './zero-extension';

/**
 * Turns a program as the user hands it to the kernel into the instructions that the kernel's verifier would hand to the JIT
 * (spec section 9, bpf_check). What the verifier learns on the way decides some rewrites, so the program's paths are walked
 * as the kernel walks them; what it would surely refuse is refused.
 * @throws EngineError `bpf/…` for code that is no program, `xlate/…` for what the verifier refuses or Hartbeat does not
 * support; both name the instruction.
 */
export function xlate(input: XlateInput, port: XlatePort): XlatedProgram {
  const facts = XLATE_FACTS[input.profile.kernel];
  validateProgram(input.insns, { functions: input.functions.map((fn) => fn.start) });
  const ranges = findFunctions(input);
  refuseMixing(input, ranges);
  contextRules(input.progType);
  const kfuncs = kfuncNames(input);
  const { insns, constants } = resolveConstants(input.insns, input.relocations, ranges, port);
  const env = walkProgram(
    {
      insns,
      functions: ranges,
      constants,
      kfuncs,
      progType: input.progType,
      attachType: input.attachType,
      flags: input.flags,
      facts,
      port,
    },
    input.losesZextAtJoins === true,
  );
  const code = makeCode(env, ranges);
  code.slots.forEach((slot, i) => {
    const constant = constants.get(i);
    if (constant) slot.constant = constant;
    if (slot.insn !== insns[i]) slot.origin = { insn: i, rule: 'dead-branch' };
  });

  removeFastcallSpills(code, env.functionFacts);
  checkStackDepth({
    code,
    ranges,
    facts,
    isAsync: (index) => env.functionFacts[index]?.isAsyncCallback === true,
    tailCallInCallbackRefused: input.supportsSubprogTailCalls,
  });
  inlineBpfLoops(code);
  hardWireBranches(code);
  removeDeadCode(code);
  removeNops(code, facts.mayGotoNopRemoved);
  const context: CallContext = {
    facts,
    port,
    progType: input.progType,
    attachType: input.attachType,
    flags: input.flags,
    writesPacket: env.writesPacket,
    knowsTimestampType: env.knowsTimestampType,
    arrayValueOffset: input.profile.layout.bpfArrayPtrs,
    htabKeyOffset: input.profile.layout.htabElemKey,
    auxAddress: input.auxAddress,
    kfuncs,
    pokes: 0,
  };
  convertContextAccesses(code, context);
  fixInstructions(code, context);
  if (
    facts.tailCallReservesStack &&
    !input.supportsSubprogTailCalls &&
    ranges.some((range) => range.hasTailCall)
  ) {
    code.functions[0]!.stackDepth = MAX_STACK;
  }
  insertZeroExtensions(
    code,
    facts.axRegister,
    (input.flags & FLAG_RANDOM_HIGH_HALF) !== 0 ? poison() : undefined,
  );
  return finished(input, code);
}

function refuseMixing(input: XlateInput, ranges: readonly FunctionRange[]): void {
  if (input.supportsSubprogTailCalls || ranges.length < 2) return;
  const at = input.insns.findIndex(
    (insn) => insn.code === 0x85 && insn.src === 0 && insn.imm === HELPER.TAIL_CALL,
  );
  if (at < 0) return;
  const { kernel, tcc } = input.profile;
  const { mixingRefusal } = XLATE_FACTS[kernel];
  const text = printInsn(input.insns, at);
  throw new EngineError(
    'xlate/mixing',
    `Instruction ${at} (${text}): ${mixingRefusal}. The JIT of this profile (scheme ${tcc}) loses the tail call count in calls between BPF functions; choose another scheme.`,
    { insn: at, text },
  );
}

/** Names of the called kernel functions by slot. */
function kfuncNames(input: XlateInput): ReadonlyMap<number, string> {
  return new Map(input.relocations.flatMap((r) => (r.kind === 'kfunc' ? [[r.insn, r.name] as const] : [])));
}

function makeCode(env: VerifierEnv, ranges: readonly FunctionRange[]): Code {
  return new Code(
    env.insns,
    env.aux,
    ranges.map((range, i) => ({
      name: range.name,
      start: range.start,
      isCallback: range.isCallback,
      stackDepth: env.functionFacts[i]!.stackDepth,
      tailCallReachable: false,
    })),
  );
}

/** The finished code; in programs of one function the pseudo kinds of ld_imm64 are cleared before the JIT (spec 9.1 row 11). */
function finished(input: XlateInput, code: Code): XlatedProgram {
  const single = code.functions.length === 1;
  const notes = new Map<number, string>();
  const insns = code.slots.map(({ insn, constant }, i) => {
    if (insn.code !== LD_IMM64 || insn.src === 0) return insn;
    const note = constant && noteOf(constant, code.functions);
    if (note !== undefined) notes.set(i, note);
    return single && insn.src !== BPF_PSEUDO.FUNC ? { ...insn, src: 0 } : insn;
  });
  return {
    name: input.name,
    insns,
    origin: code.slots.map((slot) => slot.origin),
    functions: code.functions.map((fn, i) => ({
      name: fn.name,
      start: fn.start,
      stackDepth: fn.stackDepth,
      tailCallReachable: fn.tailCallReachable,
      kind: i === 0 ? 'main' : fn.isCallback ? 'callback' : 'subprog',
    })),
    verifierZext: true,
    notes,
  };
}

/** Numbers for BPF_F_TEST_RND_HI32, the same in every run (xorshift with a fixed seed). */
function poison(): () => number {
  let x = 0x9e3779b9;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x | 0;
  };
}
