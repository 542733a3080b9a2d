import type { Random } from '../../src/engine/base/testing/random';
import { BPF_ALU_OP, BPF_CLASS, BPF_SRC } from '../../src/engine/bpf/insn';
import type { FunctionBuilder } from './function-builder';
import type { RegisterStates } from './register-states';

/** What the kernel and its JIT can do with a program, as far as the generator cares. */
export interface Capabilities {
  /** BPF number of AX, the register that the verifier's own rewrites use. */
  readonly axRegister: number;
  readonly acquireRelease: boolean;
  readonly arena: boolean;
  readonly arenaAtomics: boolean;
  /** Compare-and-exchange on arena memory. */
  readonly arenaCompareExchange: boolean;
  readonly perCpuMove: boolean;
  /** Ids of the helpers that the JIT inlines. */
  readonly inlinedHelpers: readonly number[];
  readonly tailCalls: boolean;
  /** Programs may have both tail calls and subprograms. */
  readonly tailCallsInSubprogs: boolean;
  /** A 64-bit byte swap takes more than 64 bytes of code. */
  readonly longByteSwaps: boolean;
}

/** A function as planned before any is written, so that others can call it. */
export interface FunctionPlan {
  readonly index: number;
  /** Bytes, a multiple of 8. */
  readonly stackDepth: number;
  /** r5 is the address of 16 bytes; kept in r7. */
  readonly hasPointer: boolean;
}

/** What all functions of a program share. */
export interface ProgramPlan {
  readonly functions: readonly FunctionPlan[];
  /** The program has one function and the verifier inserted the zero extensions that it needs. */
  readonly zeroExtends: boolean;
  /** Indices into the prog array that this program may try: beyond its end, empty, or of a program that may follow. */
  readonly tailCallIndices: readonly number[];
}

/** Stack slots that hold loop counters, at the upper end of each frame; bytes. */
export const COUNTER_BYTES = 16;

const MOV32 = BPF_CLASS.ALU | BPF_ALU_OP.MOV;
const MOV64 = BPF_CLASS.ALU64 | BPF_ALU_OP.MOV;

const IMMEDIATES = [
  0, 1, -1, 2, 7, 31, 32, 63, 255, 2047, 2048, -2048, -2049, 4095, 4096, 65535, 65536,
] as const;
const EDGES = [0x7fffffff, -0x80000000, 0x7ffff800, 0x7ffff7ff, -0x7ffff801, 0x12345678] as const;

/** Writes one function: its code so far, and what the registers hold at this place. */
export class FunctionWriter {
  constructor(
    readonly random: Random,
    readonly code: FunctionBuilder,
    readonly registers: RegisterStates,
    readonly can: Capabilities,
    readonly program: ProgramPlan,
    readonly plan: FunctionPlan,
  ) {}

  /** One in `n`. */
  chance(n: number): boolean {
    return this.random.below(n) === 0;
  }

  /** A register that holds a number, made if there is none. */
  number(least: 'dirty' | 'clean' = 'clean'): number {
    const readable = this.registers.readable(least);
    if (readable.length > 0) return this.random.pick(readable);
    const register = this.target();
    this.constant(register);
    return register;
  }

  /** A register that may be written. */
  target(): number {
    return this.registers.target(this.random);
  }

  /** A register that may be written and is none of these. */
  targetBeside(...taken: readonly number[]): number {
    for (;;) {
      const register = this.target();
      if (!taken.includes(register)) return register;
    }
  }

  /** A 32-bit immediate: often one at an edge. */
  immediate(): number {
    const kind = this.random.below(8);
    if (kind < 4) return this.random.pick(IMMEDIATES);
    if (kind < 6) return this.random.pick(EDGES);
    return this.random.u32() | 0;
  }

  constant64(): bigint {
    const value = (BigInt(this.random.u32()) << 32n) | BigInt(this.random.u32());
    switch (this.random.below(4)) {
      case 0:
        return BigInt.asUintN(64, BigInt(this.immediate()));
      case 1:
        return BigInt.asUintN(64, value << BigInt(this.random.below(60)));
      case 2:
        return BigInt.asUintN(64, (1n << BigInt(this.random.below(64))) + BigInt(this.random.between(-1, 1)));
      default:
        return value;
    }
  }

  /** Gives a register some number. */
  constant(register: number): void {
    if (this.chance(3)) this.code.loadConstant(register, this.constant64());
    else this.move(register, this.immediate());
    this.registers.set(register, 'clean');
  }

  /** register = imm, sign-extended. */
  move(register: number, imm: number): void {
    this.code.emit(MOV64, register, 0, 0, imm);
    this.registers.set(register, 'clean');
  }

  /** to = from, 64 bits; for pointers too, whose state is the caller's matter. */
  copy(to: number, from: number): void {
    this.code.emit(MOV64 | BPF_SRC.X, to, from);
  }

  /** register += imm, 64 bits. */
  add(register: number, imm: number): void {
    this.code.emit(BPF_CLASS.ALU64 | BPF_ALU_OP.ADD, register, 0, 0, imm);
  }

  /** The instruction just written defined the low half of a register: extended by the JIT, by the verifier, or by nobody. */
  defined32(register: number): void {
    if (this.program.zeroExtends ? this.chance(2) : this.chance(8)) this.extend(register);
    else this.registers.set(register, this.program.zeroExtends ? 'dirty' : 'clean');
  }

  /** The verifier's explicit zero extension; only right behind the instruction that defines the register. */
  extend(register: number): void {
    this.code.emit(MOV32 | BPF_SRC.X, register, register, 0, 1);
    this.registers.set(register, 'clean');
  }

  /** Makes a dirty register clean as a program would: a 32-bit copy, which gets its extension. */
  clean(register: number): void {
    this.code.emit(MOV32 | BPF_SRC.X, register, register);
    this.extend(register);
  }
}
