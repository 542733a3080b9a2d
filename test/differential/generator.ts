import { Random } from '../../src/engine/base/testing/random';
import {
  BPF_ALU_OP,
  BPF_CLASS,
  BPF_MODE,
  BPF_SIZE,
  CALL,
  TAIL_CALL,
  BPF_PSEUDO,
  type BpfInsn,
} from '../../src/engine/bpf/insn';
import { tailCall } from './calls';
import { filler, fold, leave, statements } from './flow';
import { FunctionBuilder } from './function-builder';
import {
  COUNTER_BYTES,
  FunctionWriter,
  type Capabilities,
  type FunctionPlan,
  type ProgramPlan,
} from './function-writer';
import { BUFFER_REGISTER, FRAME_REGISTER, POINTER_REGISTER, RegisterStates } from './register-states';

/** A generated program as it leaves the verifier: what the JIT takes. */
export interface GeneratedProgram {
  readonly insns: readonly BpfInsn[];
  readonly functions: readonly {
    readonly start: number;
    readonly stackDepth: number;
    readonly tailCallReachable: boolean;
  }[];
  readonly verifierZext: boolean;
}

/** Programs that may tail-call each other; the first is entered. */
export interface Scenario {
  readonly seed: number;
  readonly programs: readonly GeneratedProgram[];
  /** The prog array: indices of programs, or empty. */
  readonly slots: readonly (number | undefined)[];
}

/** A jump that a BPF offset holds goes over at most so many slots. */
const FARTHEST_SLOTS = 32_000;

/** Programs that begin with a branch over more than 1 MiB of code: one in so many, unless one is asked for. */
const FARTHEST_EVERY = 2500;

/**
 * The scenario of a seed: random, valid, ends by itself.
 * @param farthest the first program begins with a branch over more than 1 MiB of code, if that takes few enough slots
 */
export function generate(seed: number, can: Capabilities, farthest = false): Scenario {
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1));
  for (let i = 0; i < 8; i++) random.u32();
  const count = can.tailCalls && random.below(3) === 0 ? random.between(2, 4) : 1;
  const repeats = count > 1 && random.below(4) === 0;
  const slots: (number | undefined)[] = [repeats ? 0 : undefined, undefined];
  for (let i = 1; i < count; i++) slots.push(i);
  const programs = Array.from({ length: count }, (_, index) => {
    // Only later programs may follow, or the first itself until the budget is used up.
    const indices = [1, slots.length, -1, ...(index === 0 && repeats ? [0, 0, 0] : [])];
    for (let i = index + 1; i < count; i++) indices.push(i + 1, i + 1);
    const far = (farthest && index === 0) || random.below(FARTHEST_EVERY) === 0;
    const mayTail = count > 1 && (index < count - 1 || repeats);
    return program(random, can, index, mayTail ? indices : [], repeats, far);
  });
  return { seed, programs, slots };
}

function program(
  random: Random,
  can: Capabilities,
  index: number,
  tailCallIndices: readonly number[],
  repeats: boolean,
  far: boolean,
): GeneratedProgram {
  const tailCalls = tailCallIndices.length > 0 && random.below(4) !== 0;
  const mayMix = can.tailCallsInSubprogs || !tailCalls;
  const count = mayMix && random.below(2) === 0 ? random.between(2, index === 0 ? 4 : 2) : 1;
  const functions = Array.from({ length: count }, (_, i): FunctionPlan => ({
    index: i,
    stackDepth: COUNTER_BYTES + 8 * (random.below(12) === 0 ? random.below(50) : random.below(8)),
    hasPointer: i > 0 && random.below(2) === 0,
  }));
  const verifierZext = random.below(2) === 0;
  const plan: ProgramPlan = {
    functions,
    zeroExtends: verifierZext && count === 1,
    tailCallIndices: tailCalls ? tailCallIndices : [],
  };
  // A program that calls itself again does so from its main function alone: budgets of frames would multiply.
  const quiet: ProgramPlan = { ...plan, tailCallIndices: [] };
  const builders = functions.map((fn) => {
    const again = repeats && index === 0 && fn.index === 0 && tailCalls;
    const begins = far && fn.index === 0;
    return writeFunction(random, can, repeats && fn.index > 0 ? quiet : plan, fn, begins, again);
  });
  return link(builders, functions, verifierZext);
}

/**
 * @param far the function begins with a branch over very much code
 * @param again the function ends by tail-calling its own program, until the budget is used up
 */
function writeFunction(
  random: Random,
  can: Capabilities,
  program: ProgramPlan,
  plan: FunctionPlan,
  far: boolean,
  again: boolean,
): FunctionBuilder {
  const code = new FunctionBuilder();
  const registers = RegisterStates.atEntry(plan.hasPointer);
  const w = new FunctionWriter(random, code, registers, can, program, plan);
  w.copy(BUFFER_REGISTER, 1);
  if (plan.hasPointer) w.copy(POINTER_REGISTER, 5);
  if (plan.index > 0) for (const register of [2, 3]) registers.set(register, 'clean');
  for (let off = -plan.stackDepth; off < 0; off += 8) {
    code.emit(BPF_CLASS.ST | BPF_MODE.MEM | BPF_SIZE.DW, FRAME_REGISTER, 0, off, w.immediate());
  }
  if (far) farthestBranch(w);
  statements(w, random.between(3, plan.index === 0 ? 24 : 10));
  if (again) {
    // Every round leaves a trace, so that their number shows.
    w.code.emit(BPF_CLASS.STX | BPF_MODE.ATOMIC | BPF_SIZE.DW, BUFFER_REGISTER, w.number());
    tailCall(w, 0);
  }
  fold(w);
  leave(w);
  code.finish();
  return code;
}

/** A branch over more than 1 MiB of native code where byte swaps are long, and over half of that otherwise. */
function farthestBranch(w: FunctionWriter): void {
  const { code } = w;
  const end = code.label();
  const register = w.number();
  const jump = BPF_CLASS.JMP | 0x50;
  code.jump(jump, register, 0, w.immediate(), end);
  if (w.can.longByteSwaps) {
    for (let i = 0; i < FARTHEST_SLOTS / 2; i++) {
      code.emit(BPF_CLASS.ALU | BPF_ALU_OP.END | 8, register, 0, 0, 64);
    }
  } else {
    filler(w, FARTHEST_SLOTS);
  }
  code.place(end);
}

/** Joins the functions: relative distances of calls, and which of them can reach a tail call. */
function link(
  builders: readonly FunctionBuilder[],
  functions: readonly FunctionPlan[],
  verifierZext: boolean,
): GeneratedProgram {
  const starts: number[] = [];
  let length = 0;
  for (const { insns } of builders) {
    starts.push(length);
    length += insns.length;
  }
  const insns = builders.flatMap((builder) => builder.insns);
  builders.forEach(({ references }, i) => {
    for (const { slot, callee } of references) {
      const at = starts[i]! + slot;
      insns[at] = { ...insns[at]!, imm: starts[callee]! - at - 1 };
    }
  });
  const reachable = builders.map(({ insns: own }) => own.some(({ code }) => code === TAIL_CALL));
  // Callees come later, so going backwards sees each callee before its callers.
  for (let i = builders.length - 1; i >= 0; i--) {
    const { references, insns: own } = builders[i]!;
    const calls = references.filter(
      ({ slot }) => own[slot]!.code === CALL && own[slot]!.src === BPF_PSEUDO.CALL,
    );
    if (calls.some(({ callee }) => reachable[callee])) reachable[i] = true;
  }
  return {
    insns,
    functions: functions.map(({ stackDepth }, i) => ({
      start: starts[i]!,
      stackDepth,
      tailCallReachable: reachable[i]!,
    })),
    verifierZext,
  };
}
