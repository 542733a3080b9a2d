import { expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import { aluResult, branchTaken, byteOrder, extended, immediate, moved } from '../bpf/alu';
import { imm64 } from '../bpf/bytes';
import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_SIZE,
  BPF_SRC,
  type BpfInsn,
} from '../bpf/insn';
import { printInsn } from '../bpf/print';
import { atomicOp, opOf } from '../bpf/table';
import { parseProfile } from '../jit/profile';
import { ldImm64 } from './emit';
import { GOLDEN, portOf } from './testing/recorded';
import { random64 } from './testing/random';
import { xlate } from './xlate';

/** Bytes of context and of stack that the random programs use. */
const CONTEXT = 64;
const STACK = 64;
const FP = 10;
/** What an upper half holds that nothing has cleared: the JIT leaves it to the verifier. */
const DIRT = 0xdead_beefn << 32n;

/** Runs a program of this test's shape. With `dirty` 32-bit results leave garbage above, unless the marked move clears it. */
function evaluate(insns: readonly BpfInsn[], context: bigint[], dirty: boolean): string {
  const regs = Array<bigint>(13).fill(dirty ? DIRT | 0x5555n : 0n);
  const memory = new DataView(new ArrayBuffer(CONTEXT + STACK));
  context.forEach((word, i) => memory.setBigUint64(8 * i, word, true));
  // context at address 0, stack behind it, r10 at its end
  regs[1] = 0n;
  regs[FP] = BigInt(CONTEXT + STACK);
  const put32 = (reg: number, value: bigint): void => {
    regs[reg] = BigInt.asUintN(32, value) | (dirty ? DIRT : 0n);
  };
  const load = (at: number, size: number): bigint => {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(memory.getUint8(at + i));
    return value;
  };
  const store = (at: number, size: number, value: bigint): void => {
    for (let i = 0; i < size; i++) memory.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
  };
  for (let pc = 0, steps = 0; steps < 10_000; steps++) {
    const insn = insns[pc]!;
    const op = opOf(insn.code)!;
    let next = pc + 1;
    const address = (base: number): number => Number(BigInt.asUintN(64, regs[base]! + BigInt(insn.off)));
    switch (op.kind) {
      case 'alu': {
        const operand = op.source === 'reg' ? regs[insn.src]! : immediate(insn.imm);
        const mask = op.width === 32 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
        const signed = (op.op === 'div' || op.op === 'mod') && insn.off === 1;
        const result =
          op.op === 'mov'
            ? moved(op.width, operand, insn.off)
            : aluResult(op.op, op.width, regs[insn.dst]! & mask, operand & mask, signed);
        const isZext = op.width === 32 && op.op === 'mov' && op.source === 'reg' && insn.imm === 1;
        if (op.width === 64 || isZext) regs[insn.dst] = BigInt.asUintN(op.width, result);
        else put32(insn.dst, result);
        break;
      }
      case 'end':
        if (insn.imm === 64) regs[insn.dst] = byteOrder(regs[insn.dst]!, 64, op.op !== 'le');
        else put32(insn.dst, byteOrder(regs[insn.dst]!, insn.imm, op.op !== 'le'));
        break;
      case 'ld_imm64':
        regs[insn.dst] = imm64(insns, pc);
        next = pc + 2;
        break;
      case 'ldx': {
        const value = extended(load(address(insn.src), op.size), op.size, op.signed);
        if (op.size === 8 || op.signed) regs[insn.dst] = value;
        else put32(insn.dst, value);
        break;
      }
      case 'st':
        store(address(insn.dst), op.size, immediate(insn.imm));
        break;
      case 'stx':
        store(address(insn.dst), op.size, regs[insn.src]!);
        break;
      case 'atomic': {
        const atomic = atomicOp(insn.imm)!;
        const at = address(insn.dst);
        const old = load(at, op.size);
        const operand = BigInt.asUintN(op.size * 8, regs[insn.src]!);
        if (atomic.op === 'xchg') store(at, op.size, operand);
        else if (atomic.op !== 'cmpxchg') store(at, op.size, aluResult(atomic.op as 'add', 64, old, operand));
        else if (old === BigInt.asUintN(op.size * 8, regs[0]!)) store(at, op.size, operand);
        const into = atomic.op === 'cmpxchg' ? 0 : atomic.fetch ? insn.src : undefined;
        if (into !== undefined && op.size === 8) regs[into] = old;
        else if (into !== undefined) put32(into, old);
        break;
      }
      case 'goto':
        next = pc + 1 + (op.long ? insn.imm : insn.off);
        break;
      case 'branch': {
        const mask = op.width === 32 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
        const operand = op.source === 'reg' ? regs[insn.src]! : immediate(insn.imm);
        if (branchTaken(op.op, op.width, regs[insn.dst]! & mask, operand & mask)) next = pc + 1 + insn.off;
        break;
      }
      case 'exit': {
        const words = Array.from({ length: CONTEXT / 8 }, (_, i) =>
          memory.getBigUint64(8 * i, true).toString(16),
        );
        return `r0 = ${regs[0]!.toString(16)}; ${words.join(' ')}`;
      }
      default:
        throw new Error(`not expected here: ${printInsn(insns, pc)}`);
    }
    pc = next;
  }
  return 'no end';
}

const ALU = [
  BPF_ALU_OP.ADD,
  BPF_ALU_OP.SUB,
  BPF_ALU_OP.MUL,
  BPF_ALU_OP.DIV,
  BPF_ALU_OP.OR,
  BPF_ALU_OP.AND,
  BPF_ALU_OP.LSH,
  BPF_ALU_OP.RSH,
  BPF_ALU_OP.MOD,
  BPF_ALU_OP.XOR,
  BPF_ALU_OP.MOV,
  BPF_ALU_OP.ARSH,
  BPF_ALU_OP.NEG,
];
const JUMPS = [
  BPF_JMP_OP.JEQ,
  BPF_JMP_OP.JGT,
  BPF_JMP_OP.JGE,
  BPF_JMP_OP.JSET,
  BPF_JMP_OP.JNE,
  BPF_JMP_OP.JSGT,
  BPF_JMP_OP.JSGE,
  BPF_JMP_OP.JLT,
  BPF_JMP_OP.JLE,
  BPF_JMP_OP.JSLT,
  BPF_JMP_OP.JSLE,
];
const IMMEDIATES = [0, 1, -1, 2, 7, 31, 32, 63, 255, 4096, 0x7fff_ffff, -0x8000_0000, -2];
const ATOMICS = [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, BPF_ATOMIC_OP.XCHG, BPF_ATOMIC_OP.CMPXCHG];
/** r0 to r5 and r7 to r9 hold numbers; r6 keeps the context. */
const NUMBERS = [0, 1, 2, 3, 4, 5, 7, 8, 9];

/** A program with arithmetic of both widths, forward branches, spills, fills and atomics that ends by storing all registers. */
function randomProgram(random: Random): BpfInsn[] {
  const insns: BpfInsn[] = [];
  const push = (code: number, dst: number, src: number, off: number, imm: number): void => {
    insns.push({ code, dst, src, off, imm });
  };
  push(BPF_CLASS.ALU64 | BPF_ALU_OP.MOV | BPF_SRC.X, 6, 1, 0, 0);
  for (let slot = 1; slot <= 3; slot++)
    push(BPF_CLASS.ST | BPF_MODE.MEM | BPF_SIZE.DW, FP, 0, -8 * slot, random.pick(IMMEDIATES));
  for (const reg of NUMBERS) {
    if (random.below(3) === 0) insns.push(...ldImm64(reg, random64(random)));
    else push(BPF_CLASS.LDX | BPF_MODE.MEM | BPF_SIZE.DW, reg, 6, 8 * random.below(4), 0);
  }
  const body = insns.length;
  const length = 12 + random.below(28);
  const number = (): number => random.pick(NUMBERS);
  const slot = (): number => -8 * (1 + random.below(3));
  while (insns.length < body + length) {
    const wide = random.below(2) === 0;
    switch (random.below(10)) {
      case 0:
      case 1: {
        const off = Math.min(1 + random.below(6), body + length - insns.length - 1);
        const group = wide ? BPF_CLASS.JMP : BPF_CLASS.JMP32;
        if (random.below(2))
          push(group | random.pick(JUMPS), number(), 0, Math.max(0, off), random.pick(IMMEDIATES));
        else push(group | random.pick(JUMPS) | BPF_SRC.X, number(), number(), Math.max(0, off), 0);
        break;
      }
      case 2: {
        const size = random.pick([BPF_SIZE.B, BPF_SIZE.H, BPF_SIZE.W, BPF_SIZE.DW]);
        push(BPF_CLASS.STX | BPF_MODE.MEM | size, FP, number(), slot(), 0);
        break;
      }
      case 3: {
        const size = random.pick([BPF_SIZE.B, BPF_SIZE.H, BPF_SIZE.W, BPF_SIZE.DW]);
        const signed = size !== BPF_SIZE.DW && random.below(3) === 0;
        push(BPF_CLASS.LDX | (signed ? BPF_MODE.MEMSX : BPF_MODE.MEM) | size, number(), FP, slot(), 0);
        break;
      }
      case 4:
        push(
          BPF_CLASS.STX | BPF_MODE.ATOMIC | (wide ? BPF_SIZE.DW : BPF_SIZE.W),
          FP,
          number(),
          slot(),
          random.pick(ATOMICS),
        );
        break;
      default:
        pushAlu(random, push, number);
    }
  }
  for (const [i, reg] of [0, 1, 2, 3, 4, 5, 7].entries())
    push(BPF_CLASS.STX | BPF_MODE.MEM | BPF_SIZE.DW, 6, reg, 8 * i, 0);
  push(BPF_CLASS.JMP | BPF_JMP_OP.EXIT, 0, 0, 0, 0);
  return insns;
}

function pushAlu(
  random: Random,
  push: (code: number, dst: number, src: number, off: number, imm: number) => void,
  number: () => number,
): void {
  const wide = random.below(2) === 0;
  const op = random.pick(ALU);
  const group = wide ? BPF_CLASS.ALU64 : BPF_CLASS.ALU;
  const divides = op === BPF_ALU_OP.DIV || op === BPF_ALU_OP.MOD;
  const shifts = op === BPF_ALU_OP.LSH || op === BPF_ALU_OP.RSH || op === BPF_ALU_OP.ARSH;
  if (random.below(12) === 0)
    return push(BPF_CLASS.ALU64 | BPF_ALU_OP.END, number(), 0, 0, random.pick([16, 32, 64]));
  if (op === BPF_ALU_OP.NEG) return push(group | op, number(), 0, 0, 0);
  const signed = divides && random.below(2) ? 1 : 0;
  if (random.below(2)) {
    const extension =
      op === BPF_ALU_OP.MOV && random.below(3) === 0 ? random.pick(wide ? [8, 16, 32] : [8, 16]) : 0;
    return push(group | op | BPF_SRC.X, number(), number(), op === BPF_ALU_OP.MOV ? extension : signed, 0);
  }
  const imm = shifts ? random.below(wide ? 64 : 32) : random.pick(IMMEDIATES);
  push(group | op, number(), 0, signed, divides && imm === 0 ? 3 : imm);
}

test.each(['6.12', '7.2'] as const)(
  'rewritten for kernel %s a program does what it says, with garbage in upper halves',
  (kernel) => {
    const random = new Random(0xc0ffee);
    const port = portOf(GOLDEN.facts[kernel]);
    let extensions = 0;
    for (let round = 0; round < 250; round++) {
      const insns = randomProgram(random);
      const profile = parseProfile({ kernel });
      const input = {
        name: 'random',
        insns,
        functions: [],
        relocations: [],
        progType: 31,
        attachType: 0,
        flags: 16,
        profile,
        supportsSubprogTailCalls: true,
      };
      const result = xlate(input, port);
      extensions += result.origin.filter(({ rule }) => rule === 'zero-extension').length;
      for (let run = 0; run < 4; run++) {
        const context = Array.from({ length: CONTEXT / 8 }, () => random64(random));
        const want = evaluate(insns, context, false);
        const got = evaluate(result.insns, context, true);
        if (got === want) continue;
        const listing = (code: readonly BpfInsn[]): string =>
          code.map((_, i) => `${i}: ${printInsn(code, i)}`).join('\n');
        expect.fail(`round ${round}: ${want}\nbut ${got}\n${listing(insns)}\n---\n${listing(result.insns)}`);
      }
    }
    expect(extensions).toBeGreaterThan(500);
  },
);
