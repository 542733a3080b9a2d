import { BPF_PSEUDO, CALL, LD_IMM64, TAIL_CALL } from '../../src/engine/bpf/insn';
import { COUNTER_BYTES, type FunctionPlan, type FunctionWriter } from './function-writer';
import { BUFFER_REGISTER, FRAME_REGISTER, POINTER_REGISTER } from './register-states';
import { callImm, FAR_CALLS, helperArity, KFUNC, NEAR_CALLS, PROG_ARRAY } from './world';

/** A call of a helper, a kernel function, a helper that may be inlined, or another function of the program. */
export function call(w: FunctionWriter): void {
  const kind = w.random.below(8);
  if (kind < 3) return helper(w);
  if (kind < 4) return kfunc(w);
  if (kind < 5 && w.can.inlinedHelpers.length > 0) return inlined(w);
  if (kind < 6) return functionAddress(w);
  const callee = pickCallee(w);
  if (callee) bpfCall(w, callee);
  else helper(w);
}

/** Only functions that come later are called, so that calls end. */
function pickCallee(w: FunctionWriter): FunctionPlan | undefined {
  const callees = w.program.functions.filter(({ index }) => index > w.plan.index);
  return callees.length > 0 ? w.random.pick(callees) : undefined;
}

/** Gives r1 to r`count` numbers. */
function numbersInArguments(w: FunctionWriter, count: number): void {
  for (let register = 1; register <= count; register++) {
    if (w.registers.get(register) === 'clean' && w.chance(2)) continue;
    const from = w.registers.readable('clean').filter((r) => r !== register);
    if (from.length > 0 && w.chance(2)) w.copy(register, w.random.pick(from));
    else w.constant(register);
    w.registers.set(register, 'clean');
  }
}

function helper(w: FunctionWriter): void {
  const { base, size } = w.chance(2) ? NEAR_CALLS : FAR_CALLS;
  // Below the kernel function's address.
  const imm = callImm(base + BigInt(0x100 + 4 * w.random.below((size - 0x100) / 8)));
  numbersInArguments(w, helperArity(imm));
  w.code.emit(CALL, 0, 0, 0, imm);
  w.registers.clobber('clean');
}

function kfunc(w: FunctionWriter): void {
  numbersInArguments(w, KFUNC.argSizes.length);
  w.code.emit(CALL, 0, BPF_PSEUDO.KFUNC_CALL, 0, KFUNC.imm);
  w.registers.clobber('clean');
}

function inlined(w: FunctionWriter): void {
  w.code.emit(CALL, 0, 0, 0, w.random.pick(w.can.inlinedHelpers));
  w.registers.clobber('clean');
}

/** The address of a function as a number: what a callback is passed as. */
function functionAddress(w: FunctionWriter): void {
  const callee = pickCallee(w);
  if (!callee) return;
  const dst = w.target();
  w.code.reference(LD_IMM64, dst, BPF_PSEUDO.FUNC, callee.index);
  w.code.emit(0);
  w.registers.set(dst, 'clean');
}

/** r1 = the buffer, r2 and r3 numbers, r5 the address of 16 bytes where the callee wants one. */
function bpfCall(w: FunctionWriter, callee: FunctionPlan): void {
  numbersInArguments(w, 3);
  w.copy(1, BUFFER_REGISTER);
  if (callee.hasPointer) pointerArgument(w);
  w.code.reference(CALL, 0, BPF_PSEUDO.CALL, callee.index);
  w.registers.clobber('clean');
}

function pointerArgument(w: FunctionWriter): void {
  const stack = w.plan.stackDepth - COUNTER_BYTES - 16;
  if (stack >= 0 && w.chance(2)) {
    w.copy(5, FRAME_REGISTER);
    w.add(5, -w.plan.stackDepth + 8 * w.random.below(stack / 8 + 1));
  } else if (w.plan.hasPointer && w.chance(2)) {
    w.copy(5, POINTER_REGISTER);
  } else {
    w.copy(5, BUFFER_REGISTER);
    w.add(5, 8 * w.random.below(32));
  }
}

/** A tail call; what follows is executed if it is not taken. The index counts as 32 bits, whatever is above them. */
export function tailCall(w: FunctionWriter, index = w.random.pick(w.program.tailCallIndices)): void {
  w.copy(1, BUFFER_REGISTER);
  w.code.loadConstant(2, PROG_ARRAY);
  if (w.chance(3)) w.code.loadConstant(3, (BigInt(w.random.u32()) << 32n) | BigInt(index >>> 0));
  else w.move(3, index);
  w.code.emit(TAIL_CALL);
  w.registers.clobber('none');
}
