import { BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_PSEUDO, type BpfInsn } from '../../bpf/insn';
import { imm64 } from '../../bpf/bytes';
import { PROG } from '../context';
import { walkAlu } from './alu';
import { walkAtomic } from './atomic';
import { walkBranch } from './branch';
import { clobberCallerSaved, walkHelperCall } from './call';
import { checkControlFlow } from './cfg';
import { pruneConstantBranches } from './const-branches';
import { constantRegisters } from './const-registers';
import { VerifierEnv, type VerifyInput } from './env';
import { markFastcallPatterns } from './fastcall-patterns';
import { returnToCaller, setGlobalArgument, walkFunctionCall } from './function-call';
import { walkKfuncCall } from './kfunc-call';
import { findLiveRegisters } from './live-registers';
import { LiveSlots } from './live-slots';
import { accessSize, insnClass, insnMode, insnOp, readRegister, writeRegister } from './liveness';
import { accessMemory, describe, notePointer } from './memory';
import { finishPath, pushPath } from './paths';
import { markPrecise, remember } from './precision';
import { completeLoops, findPreviousEntry, isVisited, widen } from './prune';
import { known } from './scalar';
import { FrameState, MAIN_CALL, VerifierState } from './state';

/** Opcode of may_goto: JMP | JCOND. */
const MAY_GOTO = BPF_CLASS.JMP | BPF_JMP_OP.JCOND;

/**
 * Walks all paths of the program with what is known of every register and stack slot (do_check): finds which instructions
 * are reached, which 32-bit results need zero extension, which pointers and maps instructions use and how deep stacks are.
 * It is no security check, but what it cannot make sense of is refused as a kernel would.
 * @throws EngineError `xlate/…` naming the instruction; `xlate/complexity` after as many steps as a kernel takes.
 */
export function walkProgram(input: VerifyInput, losesZextAtJoins = false): VerifierEnv {
  const env = new VerifierEnv(input);
  env.losesZextAtJoins = losesZextAtJoins;
  checkControlFlow(env);
  const { facts } = env;
  const constants = facts.constantBranchesPruned || facts.staticLiveness ? constantRegisters(env) : [];
  if (facts.constantBranchesPruned) pruneConstantBranches(env, constants);
  if (facts.fastcallHelpers.length > 0) markFastcallPatterns(env);
  if (facts.staticLiveness) {
    findLiveRegisters(env);
    env.liveSlots = new LiveSlots(env, constants);
  }
  const main = new FrameState(MAIN_CALL, 0, 0);
  main.reg(1).setPointer('ctx');
  walkFrom(env, main);
  walkGlobalFunctions(env);
  return env;
}

/** All paths that begin with the given outermost function (do_check_common). */
function walkFrom(env: VerifierEnv, frame: FrameState): void {
  const { start } = env.input.functions[frame.func]!;
  env.state = new VerifierState([frame]);
  env.state.firstInsn = start;
  env.insn = start;
  env.prevInsn = -1;
  do {
    walkPath(env);
    finishPath(env.state);
  } while (nextPath(env));
  completeLoops(env);
  env.explored.clear();
}

/** Global functions that something calls are walked on their own, with nothing known of their arguments (do_check_subprogs). */
function walkGlobalFunctions(env: VerifierEnv): void {
  const walked = new Set<number>();
  for (let again = true; again;) {
    again = false;
    env.functionFacts.forEach(({ globalArgs }, index) => {
      if (!globalArgs || walked.has(index)) return;
      walked.add(index);
      again = true;
      const frame = new FrameState(MAIN_CALL, 0, index);
      globalArgs.forEach((arg, i) => setGlobalArgument(env, frame.reg(i + 1), arg));
      walkFrom(env, frame);
    });
  }
}

function nextPath(env: VerifierEnv): boolean {
  const next = env.pending.pop();
  if (!next) return false;
  env.state = next.state;
  env.insn = next.insn;
  env.prevInsn = next.prev;
  return true;
}

/** Follows one path to its end: an exit, or a state that was seen before. */
function walkPath(env: VerifierEnv): void {
  for (;;) {
    const at = env.insn;
    const insn = env.insnAt(at);
    env.currentEntry = undefined;
    if (++env.processed > env.facts.complexityLimit) {
      env.refuse(
        'complexity',
        `the program has too many paths; the kernel gives up after ${env.facts.complexityLimit} steps`,
      );
    }
    env.state.lastInsn = env.prevInsn;
    const aux = env.auxAt(at);
    if (aux.prunePoint && isVisited(env)) return;
    if (aux.jumpPoint) remember(env, env.state, undefined, []);
    aux.seen = true;
    const next = step(env, insn);
    if (next === undefined) return;
    env.prevInsn = at;
    env.insn = next;
  }
}

/** One instruction. @returns the slot of the next one on this path; undefined at its end */
function step(env: VerifierEnv, insn: BpfInsn): number | undefined {
  switch (insnClass(insn.code)) {
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64:
      walkAlu(env, insn);
      return env.insn + 1;
    case BPF_CLASS.LDX:
      return walkLoad(env, insn);
    case BPF_CLASS.ST:
    case BPF_CLASS.STX:
      return walkStore(env, insn);
    case BPF_CLASS.LD:
      return insnMode(insn.code) === BPF_MODE.IMM ? walkConstant(env, insn) : walkPacketLoad(env, insn);
    default:
      return walkJump(env, insn);
  }
}

function walkLoad(env: VerifierEnv, insn: BpfInsn): number {
  const pointer = readRegister(env, insn.src).type;
  writeRegister(env, insn.dst);
  const signed = insnMode(insn.code) === BPF_MODE.MEMSX;
  accessMemory(env, {
    base: insn.src,
    off: insn.off,
    size: accessSize(insn.code),
    write: false,
    value: insn.dst,
    signed,
  });
  notePointer(env, pointer);
  return env.insn + 1;
}

function walkStore(env: VerifierEnv, insn: BpfInsn): number {
  if (insnMode(insn.code) === BPF_MODE.ATOMIC) {
    walkAtomic(env, insn);
    return env.insn + 1;
  }
  const fromRegister = insnClass(insn.code) === BPF_CLASS.STX;
  if (fromRegister) readRegister(env, insn.src);
  const pointer = readRegister(env, insn.dst).type;
  const value = fromRegister ? insn.src : undefined;
  accessMemory(env, {
    base: insn.dst,
    off: insn.off,
    size: accessSize(insn.code),
    write: true,
    value,
    signed: false,
  });
  notePointer(env, pointer);
  return env.insn + 1;
}

function walkConstant(env: VerifierEnv, insn: BpfInsn): number {
  const target = writeRegister(env, insn.dst);
  env.auxAt(env.insn + 1).seen = true;
  const constant = env.input.constants.get(env.insn);
  switch (constant?.kind) {
    case 'map':
      target.setPointer('map');
      target.map = constant.map;
      break;
    case 'map-value':
      target.setPointer('map-value');
      target.map = constant.map;
      target.off = constant.offset;
      break;
    case 'func':
      target.setPointer('func');
      target.func = constant.func;
      break;
    case 'ksym':
      target.setPointer('btf');
      break;
    default:
      target.setScalar(known(imm64(env.insns, env.insn)));
  }
  return env.insn + 2;
}

/** Program types that may use LD_ABS and LD_IND. */
const PACKET_LOADERS: readonly number[] = [PROG.SOCKET_FILTER, PROG.SCHED_CLS, PROG.SCHED_ACT];

/** LD_ABS and LD_IND: r6 is the context, r0 receives up to 32 bits, r1 to r5 are lost (check_ld_abs). */
function walkPacketLoad(env: VerifierEnv, insn: BpfInsn): number {
  if (!PACKET_LOADERS.includes(env.input.progType))
    env.refuse('context', 'this type of program cannot load from the packet like this');
  const context = readRegister(env, 6);
  if (env.state.refs.length > 0)
    env.refuse('reference', 'this load may end the program while something is still to be released');
  if (context.type !== 'ctx')
    env.refuse('context', `r6 must hold the context for this load, but it is ${describe(context)}`);
  if (insnMode(insn.code) === BPF_MODE.IND) readRegister(env, insn.src);
  clobberCallerSaved(env);
  env.frame.reg(0).setUnknown();
  return env.insn + 1;
}

function walkJump(env: VerifierEnv, insn: BpfInsn): number | undefined {
  env.jumps++;
  switch (insnOp(insn.code)) {
    case BPF_JMP_OP.CALL:
      return walkCall(env, insn);
    case BPF_JMP_OP.JA:
      return env.insn + 1 + (insnClass(insn.code) === BPF_CLASS.JMP ? insn.off : insn.imm);
    case BPF_JMP_OP.EXIT:
      return walkExit(env);
    case BPF_JMP_OP.JCOND:
      return walkMayGoto(env, insn);
    default:
      return walkBranch(env, insn);
  }
}

function walkCall(env: VerifierEnv, insn: BpfInsn): number {
  if (insn.src === BPF_PSEUDO.CALL) return walkFunctionCall(env, insn);
  if (insn.src === BPF_PSEUDO.KFUNC_CALL) walkKfuncCall(env);
  else walkHelperCall(env, insn);
  return env.insn + 1;
}

function walkExit(env: VerifierEnv): number | undefined {
  if (env.state.frames.length > 1) return returnToCaller(env);
  readRegister(env, 0);
  if (env.frame.inAsyncCallback) checkRange(env, 'a callback of a timer', 0n, 0n);
  else checkProgramResult(env);
  if (env.state.refs.length > 0) {
    const [first] = env.state.refs;
    env.refuse(
      'reference',
      `what instruction ${first!.insn} acquired is not released before the program ends`,
    );
  }
  return undefined;
}

/** Some types may return only certain numbers (check_return_code). */
function checkProgramResult(env: VerifierEnv): void {
  // a global function that was walked on its own
  if (env.frame.func !== 0) return;
  switch (env.input.progType) {
    case PROG.CGROUP_SKB:
      // BPF_CGROUP_INET_EGRESS = 1 also tells of congestion
      return checkRange(env, 'the program', 0n, env.input.attachType === 1 ? 3n : 1n);
    case PROG.TRACING:
      // BPF_TRACE_FENTRY = 24, BPF_TRACE_FEXIT = 25
      if (env.input.attachType === 24 || env.input.attachType === 25) checkRange(env, 'the program', 0n, 0n);
      return;
    default:
      return;
  }
}

function checkRange(env: VerifierEnv, who: string, min: bigint, max: bigint): void {
  const r0 = env.frame.reg(0);
  if (!r0.isScalar) env.refuse('return', `${who} returns a number, but r0 is ${describe(r0)}`);
  markPrecise(env, 0);
  if (r0.value.smin < min || r0.value.smax > max) {
    const allowed = min === max ? `only ${min}` : `${min} to ${max}`;
    env.refuse('return', `${who} may return ${allowed}, but r0 may be something else`);
  }
}

/** Both ways are possible; the one that does not jump is another round of the loop (check_cond_jmp_op for JCOND). */
function walkMayGoto(env: VerifierEnv, insn: BpfInsn): number {
  if (insn.code !== MAY_GOTO || !env.facts.mayGoto) {
    env.refuse('opcode', 'the kernel of this profile does not know may_goto');
  }
  const previous = env.state.parent && findPreviousEntry(env, env.state.parent, env.insn);
  const round = pushPath(env, env.insn + 1);
  round.mayGotoDepth++;
  if (previous) widen(previous, round);
  return env.insn + 1 + insn.off;
}
