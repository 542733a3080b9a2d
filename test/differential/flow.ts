import { BPF_ALU_OP, BPF_CLASS, BPF_MODE, BPF_SIZE, BPF_SRC, EXIT } from '../../src/engine/bpf/insn';
import { BRANCH_OPS } from '../../src/engine/bpf/table';
import { arithmetic } from './arithmetic';
import { call, tailCall } from './calls';
import type { Label } from './function-builder';
import type { FunctionWriter } from './function-writer';
import { memory } from './memory';
import { FRAME_REGISTER } from './register-states';

/** Where statements stand. */
interface Depth {
  readonly branches: number;
  readonly loops: number;
}

const LOOPS = 2;
const BRANCHES = 3;
/** Slots of code that a branch jumps over: beyond ±4 KiB of native code. */
const FAR_SLOTS = 800;

/** Writes `count` statements. */
export function statements(w: FunctionWriter, count: number, depth: Depth = { branches: 0, loops: 0 }): void {
  for (let i = 0; i < count; i++) statement(w, depth);
}

function statement(w: FunctionWriter, depth: Depth): void {
  const kind = w.random.below(24);
  if (kind < 10) return arithmetic(w);
  if (kind < 16) return memory(w);
  if (kind < 19 && depth.branches < BRANCHES) return conditional(w, depth);
  if (kind < 20 && depth.loops < LOOPS) return loop(w, depth);
  if (kind < 21) return jumpOver(w);
  if (kind < 23) return depth.loops === 0 || w.chance(4) ? call(w) : arithmetic(w);
  if (w.program.tailCallIndices.length > 0 && depth.loops === 0) return tailCall(w);
  return arithmetic(w);
}

/** Jumps to `label` if some comparison of some registers holds. */
function branch(w: FunctionWriter, label: Label): void {
  const wide = w.chance(2);
  const least = wide ? 'clean' : 'dirty';
  const cls = wide ? BPF_CLASS.JMP : BPF_CLASS.JMP32;
  const { bits } = w.random.pick(BRANCH_OPS);
  const dst = w.number(least);
  if (w.chance(2)) w.code.jump(cls | bits | BPF_SRC.K, dst, 0, w.immediate(), label);
  else w.code.jump(cls | bits | BPF_SRC.X, dst, w.number(least), 0, label);
}

/** if, with or without else; a branch may leave the function. */
function conditional(w: FunctionWriter, depth: Depth): void {
  const { code, registers, random } = w;
  const inner = { ...depth, branches: depth.branches + 1 };
  const otherwise = code.label();
  branch(w, otherwise);
  const before = registers.copy();
  statements(w, random.between(1, 4), inner);
  if (w.chance(6)) {
    leave(w);
    code.place(otherwise);
    registers.become(before);
    return;
  }
  if (w.chance(2)) {
    code.place(otherwise);
    registers.mergeWith(before);
    return;
  }
  const end = code.label();
  if (w.chance(4)) code.gotol(end);
  else code.goto(end);
  code.place(otherwise);
  const after = registers.copy();
  registers.become(before);
  statements(w, random.between(1, 4), inner);
  code.place(end);
  registers.mergeWith(after);
}

/** A loop of a few rounds, counted on the stack. */
function loop(w: FunctionWriter, depth: Depth): void {
  const { code, registers } = w;
  const counter = -8 * (depth.loops + 1);
  code.emit(BPF_CLASS.ST | BPF_MODE.MEM | BPF_SIZE.DW, FRAME_REGISTER, 0, counter, 0);
  const head = code.label();
  code.place(head);
  const atHead = registers.copy();
  statements(w, w.random.between(1, 4), { ...depth, loops: depth.loops + 1 });
  const register = w.target();
  code.emit(BPF_CLASS.LDX | BPF_MODE.MEM | BPF_SIZE.DW, register, FRAME_REGISTER, counter);
  w.add(register, 1);
  code.emit(BPF_CLASS.STX | BPF_MODE.MEM | BPF_SIZE.DW, FRAME_REGISTER, register, counter);
  registers.set(register, 'clean');
  // Control comes back to the head: what was relied on there must hold again.
  for (let r = 0; r < 10; r++) {
    if (atHead.get(r) !== 'none' && registers.get(r) === 'none') w.constant(r);
    if (atHead.get(r) === 'clean' && registers.get(r) === 'dirty') w.clean(r);
  }
  const lessThan = BRANCH_OPS.find(({ op }) => op === 'lt')!.bits;
  code.jump(BPF_CLASS.JMP | lessThan | BPF_SRC.K, register, 0, w.random.between(1, 4), head);
}

/** A jump, or a branch that may be taken, over other code: now and then so much that a branch does not reach. */
function jumpOver(w: FunctionWriter): void {
  const { code, registers } = w;
  const end = code.label();
  const kind = w.random.below(4);
  const before = registers.copy();
  if (kind === 0) code.goto(end);
  else if (kind === 1) code.gotol(end);
  else branch(w, end);
  const atJump = registers.copy();
  if (w.chance(24)) filler(w, FAR_SLOTS / 2 + w.random.below(FAR_SLOTS));
  else statements(w, w.random.below(3), { branches: BRANCHES, loops: LOOPS });
  code.place(end);
  if (kind < 2) registers.become(before);
  registers.mergeWith(atJump);
}

/** Long code that changes one register. */
export function filler(w: FunctionWriter, slots: number): void {
  const register = w.number();
  for (let left = slots; left > 0; left -= 2) {
    w.code.loadConstant(register, 0x9234_5678_9abc_def1n ^ BigInt(left));
  }
}

/** A function may end anywhere: r0 is its result. */
export function leave(w: FunctionWriter): void {
  const { registers } = w;
  if (registers.get(0) === 'none') w.constant(0);
  if (registers.get(0) === 'dirty') w.clean(0);
  w.code.emit(EXIT);
}

/** All that the function knows goes into its result, so that any wrong register shows. */
export function fold(w: FunctionWriter): void {
  if (w.registers.get(0) === 'none') w.constant(0);
  if (w.registers.get(0) === 'dirty') w.clean(0);
  for (let register = 1; register < 10; register++) {
    if (w.registers.get(register) === 'none') continue;
    if (w.registers.get(register) === 'dirty') w.clean(register);
    w.code.emit(BPF_CLASS.ALU64 | BPF_ALU_OP.MUL | BPF_SRC.K, 0, 0, 0, 0x01000193);
    w.code.emit(BPF_CLASS.ALU64 | BPF_ALU_OP.XOR | BPF_SRC.X, 0, register);
  }
}
