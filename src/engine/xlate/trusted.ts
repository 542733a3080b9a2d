import { EngineError } from '../base/errors';
import {
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_MODE,
  BPF_PSEUDO,
  BPF_SIZE,
  CALL,
  LD_IMM64,
  type BpfInsn,
} from '../bpf/insn';
import { validateProgram } from '../bpf/validate';
import { XLATE_FACTS } from '../profile/xlate-facts';
import type { CallContext } from './calls';
import { Code, type Patch } from './code';
import { zext } from './emit';
import { fixInstructions } from './fixups';
import { noteOf, resolveConstants } from './resolve';
import { findFunctions, type FunctionRange } from './subprogs';
import type { XlatedProgram, XlateInput, XlatePort } from './types';
import { InsnFacts } from './verify/env';
import { MAX_STACK } from './verify/state';

/** R10 */
const FRAME_POINTER = 10;

/**
 * The rewrites alone, for code that is taken at its word: nothing is walked or refused but what is no program at all, so
 * accesses, loops and uninitialised registers are the author's business. There is no context to convert; R1 and R2 mean what
 * the caller puts there. As for the kernel's own test programs (test_bpf), `verifier_zext` is 0 and the JIT extends every
 * 32-bit result; every function that names R10 gets the whole BPF stack.
 * @throws EngineError `bpf/…` for code that is no program, `xlate/…` for what is not supported
 */
export function xlateTrusted(input: XlateInput, port: XlatePort): XlatedProgram {
  validateProgram(input.insns, { functions: input.functions.map((fn) => fn.start) });
  const ranges = findFunctions(input);
  refuseKfuncs(input.insns);
  const { insns, constants } = resolveConstants(input.insns, input.relocations, ranges, port);
  const facts = insns.map(() => new InsnFacts());
  const reachable = ranges.some((range) => range.hasTailCall);
  const code = new Code(insns, facts, functionsOf(insns, ranges, reachable));
  for (const [slot, constant] of constants) code.at(slot).constant = constant;
  fixInstructions(code, callContext(input, port));
  extendCompareAndExchange(code);

  const notes = new Map<number, string>();
  const finished = code.slots.map(({ insn, constant }, i) => {
    const note = insn.code === LD_IMM64 && insn.src !== 0 && constant && noteOf(constant, code.functions);
    if (note) notes.set(i, note);
    const cleared = insn.code === LD_IMM64 && insn.src !== BPF_PSEUDO.FUNC && code.functions.length === 1;
    return cleared ? { ...insn, src: 0 } : insn;
  });
  return {
    name: input.name,
    insns: finished,
    origin: code.slots.map((slot) => slot.origin),
    functions: code.functions.map(({ name, start, stackDepth, tailCallReachable, isCallback }, i) => ({
      name,
      start,
      stackDepth,
      tailCallReachable,
      kind: i === 0 ? 'main' : isCallback ? 'callback' : 'subprog',
    })),
    verifierZext: false,
    notes,
  };
}

function functionsOf(
  insns: readonly BpfInsn[],
  ranges: readonly FunctionRange[],
  tailCallReachable: boolean,
) {
  return ranges.map(({ name, start, end, isCallback }) => {
    const usesStack = insns
      .slice(start, end)
      .some((insn) => insn.dst === FRAME_POINTER || insn.src === FRAME_POINTER);
    return { name, start, isCallback, stackDepth: usesStack ? MAX_STACK : 0, tailCallReachable };
  });
}

function callContext(input: XlateInput, port: XlatePort): CallContext {
  return {
    facts: XLATE_FACTS[input.profile.kernel],
    port,
    progType: input.progType,
    attachType: input.attachType,
    flags: input.flags,
    writesPacket: false,
    knowsTimestampType: false,
    arrayValueOffset: input.profile.layout.bpfArrayPtrs,
    htabKeyOffset: input.profile.layout.htabElemKey,
    auxAddress: input.auxAddress,
    kfuncs: new Map(),
    pokes: 0,
  };
}

/** The one 32-bit result that the JIT leaves to the verifier: R0 of a compare-and-exchange (spec 6.10). */
function extendCompareAndExchange(code: Code): void {
  const patches = new Map<number, Patch>();
  code.slots.forEach(({ insn }, i) => {
    if (insn.code !== (BPF_CLASS.STX | BPF_MODE.ATOMIC | BPF_SIZE.W) || insn.imm !== BPF_ATOMIC_OP.CMPXCHG)
      return;
    patches.set(i, { insns: [insn, zext(0)], rule: 'zero-extension' });
  });
  code.apply(patches);
}

function refuseKfuncs(insns: readonly BpfInsn[]): void {
  const at = insns.findIndex((insn) => insn.code === CALL && insn.src === BPF_PSEUDO.KFUNC_CALL);
  if (at < 0) return;
  throw new EngineError(
    'xlate/kfunc',
    `Instruction ${at} calls a kernel function (kfunc) that nothing names.`,
    {
      insn: at,
    },
  );
}
