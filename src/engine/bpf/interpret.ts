import { EngineError, unreachable } from '../base/errors';
import { hex64 } from '../base/hex';
import { u32, u64 } from '../base/u64';
import { aluResult, branchTaken, byteOrder, extended, immediate, moved } from './alu';
import { imm64 } from './bytes';
import { HELPER_TAIL_CALL } from './helpers';
import { BPF_PSEUDO, type BpfInsn } from './insn';
import { printInsn } from './print';
import type { BpfCode, BpfFrame, BpfHost, HelperResult } from './interpret-host';
import { atomicOp, opOf, type BpfOp } from './table';

/** What a step did. */
export type StepResult =
  | { readonly kind: 'step' }
  /** Main returned. */
  | { readonly kind: 'exit'; readonly value: bigint };

/** How deep calls may nest: 8 in a program (MAX_CALL_FRAMES), in each of the 34 programs that 33 tail calls can stack up. */
const MAX_FRAMES = 8 * 34;
const STACK_BYTES = 512n;
const MAY_GOTO_LIMIT = 8 * 1024 * 1024;
const FUNCTION_BASE = 0xbf00_0000_0000_0000n;
const FP = 10;

/**
 * The reference interpreter: plain BPF semantics for programs that a verifier accepted, one instruction a step, so that it
 * can run beside the machine. It is written to be read; the machine is what is fast.
 *
 * 32-bit results are always zero-extended, as the instruction set says; a JIT may leave the upper half out where the verifier
 * found that nobody reads it. Registers r1 to r5 keep their values over a call, where a real machine holds anything:
 * `undefinedRegisters` names them.
 */
export class BpfInterpreter {
  /** r0 to r10, unsigned 64 bits. */
  readonly registers: bigint[] = new Array<bigint>(11).fill(0n);
  /** Slot of the next instruction in the innermost frame's code. */
  pc = 0;
  /** Instructions executed so far. */
  steps = 0;
  /** Bit n set: no instruction has defined rn since a call destroyed it. */
  undefinedRegisters = 0;
  private readonly stack: BpfFrame[] = [];
  private result: bigint | undefined;

  /** @param args r1 to r5 at the start; for a program r1 is the context */
  constructor(
    code: BpfCode,
    private readonly host: BpfHost,
    args: readonly bigint[] = [],
    start = 0,
  ) {
    this.push(code, start, 0, args);
  }

  /** The active functions, main first. */
  get frames(): readonly BpfFrame[] {
    return this.stack;
  }

  /** The instruction that the next step executes; undefined at the end. */
  get current(): BpfInsn | undefined {
    return this.result === undefined ? this.frame.code.insns[this.pc] : undefined;
  }

  private get frame(): BpfFrame {
    const frame = this.stack[this.stack.length - 1];
    if (!frame)
      throw new EngineError('bpf/interpret', 'The program has ended; start it again to run it once more.');
    return frame;
  }

  /**
   * Steps until main returns and gives r0.
   * @throws EngineError `bpf/limit` after `limit` instructions, and what {@link step} throws.
   */
  run(limit = 10_000_000): bigint {
    for (let i = 0; i < limit; i++) {
      const result = this.step();
      if (result.kind === 'exit') return result.value;
    }
    throw new EngineError('bpf/limit', `The program has not ended after ${limit} instructions.`, {
      insn: this.pc,
    });
  }

  /**
   * Executes one instruction.
   * @throws EngineError `bpf/fault` for an access outside of memory, `bpf/interpret` for what the host does not offer.
   */
  step(): StepResult {
    if (this.result !== undefined) return { kind: 'exit', value: this.result };
    const insn = this.current;
    const op = insn && opOf(insn.code);
    if (!insn || !op) this.refuse(insn ? 'is no instruction' : 'lies outside of the program');
    this.steps++;
    this.execute(op, insn);
    return this.result === undefined ? { kind: 'step' } : { kind: 'exit', value: this.result };
  }

  private execute(op: BpfOp, insn: BpfInsn): void {
    const next = this.pc + 1;
    switch (op.kind) {
      case 'alu':
        this.alu(op, insn);
        break;
      case 'end':
        this.set(insn.dst, byteOrder(this.reg(insn.dst), insn.imm, op.op !== 'le'));
        break;
      case 'ld_imm64':
        this.set(insn.dst, this.load64(insn));
        this.pc = next + 1;
        return;
      case 'ld_abs':
      case 'ld_ind':
        return this.refuse('reads the packet in the old way, which only code before the verifier has');
      case 'ldx': {
        const address = this.reg(insn.src) + BigInt(insn.off);
        this.set(insn.dst, extended(this.load(address, op), op.size, op.signed));
        break;
      }
      case 'st':
        this.store(insn, op, immediate(insn.imm));
        break;
      case 'stx':
        this.store(insn, op, this.reg(insn.src));
        break;
      case 'atomic':
        this.atomic(op, insn);
        break;
      case 'nospec':
        break;
      case 'goto':
        this.pc = next + (op.long ? insn.imm : insn.off);
        return;
      case 'may_goto':
        this.pc = next + (this.frame.mayGoto-- > 0 ? 0 : insn.off);
        return;
      case 'branch': {
        const right = op.source === 'reg' ? this.reg(insn.src) : immediate(insn.imm);
        this.pc = next + (branchTaken(op.op, op.width, this.reg(insn.dst), right) ? insn.off : 0);
        return;
      }
      case 'call':
        return this.call(insn, next);
      case 'tail_call':
        return this.tailCall(next);
      case 'exit':
        return this.exit();
      default:
        return unreachable(op);
    }
    this.pc = next;
  }

  private alu(op: BpfOp & { kind: 'alu' }, insn: BpfInsn): void {
    const b = op.source === 'reg' ? this.reg(insn.src) : immediate(insn.imm);
    if (op.op !== 'mov' || op.source === 'imm') {
      this.set(insn.dst, aluResult(op.op, op.width, this.reg(insn.dst), b, insn.off === 1));
    } else if (op.width === 64 && insn.off === -1) {
      this.set(insn.dst, b + this.offered(this.host.perCpuOffset, 'per-cpu memory'));
    } else if (op.width === 64 && insn.off === 1) {
      this.set(insn.dst, this.castAddress(b, insn.imm === 0x10000));
    } else {
      this.set(insn.dst, moved(op.width, b, insn.off));
    }
  }

  /** addr_space_cast: to a user address of the arena (a null pointer stays one), or to the 32 bits that the program computes with. */
  private castAddress(value: bigint, toUser: boolean): bigint {
    const low = u32(value);
    if (!toUser || low === 0n) return low;
    return (this.offered(this.host.arena, 'an arena').userBase & ~0xffff_ffffn) | low;
  }

  private load64(insn: BpfInsn): bigint {
    if (insn.src === 0) return imm64(this.frame.code.insns, this.pc);
    if (insn.src === BPF_PSEUDO.FUNC) {
      const slot = this.pc + 1 + insn.imm;
      return this.host.functionAddress?.(slot) ?? FUNCTION_BASE + BigInt(slot);
    }
    return this.offered(this.host.pseudo, 'maps')(this.pc, insn, this.frame.code.insns[this.pc + 1]);
  }

  /** Probing loads of what is not there give 0, as ex_handler_bpf clears the register. */
  private load(address: bigint, op: BpfOp & { kind: 'ldx' }): bigint {
    const at = this.effective(address, op.probe);
    const value = this.host.memory.load(at, op.size);
    if (value === undefined && op.probe === undefined) this.fault('load', at, op.size);
    return value ?? 0n;
  }

  private store(insn: BpfInsn, op: BpfOp & { kind: 'st' | 'stx' }, value: bigint): void {
    const at = this.effective(this.reg(insn.dst) + BigInt(insn.off), op.probe);
    const done = this.host.memory.store(at, op.size, BigInt.asUintN(op.size * 8, value));
    if (!done && op.probe === undefined) this.fault('store', at, op.size);
  }

  private effective(address: bigint, probe: string | undefined): bigint {
    if (probe !== 'probe_mem32' && probe !== 'probe_mem32sx' && probe !== 'probe_atomic') return u64(address);
    return u64(this.offered(this.host.arena, 'an arena').kernelBase + u32(address));
  }

  private atomic(op: BpfOp & { kind: 'atomic' }, insn: BpfInsn): void {
    const atomic = atomicOp(insn.imm);
    if (!atomic) this.refuse('is no atomic operation');
    const { memory } = this.host;
    const base = atomic.op === 'load_acquire' ? insn.src : insn.dst;
    const at = this.effective(this.reg(base) + BigInt(insn.off), op.probe);
    const put = (value: bigint): void => {
      const done = memory.store(at, op.size, BigInt.asUintN(op.size * 8, value));
      if (!done && op.probe === undefined) this.fault('store', at, op.size);
    };
    if (atomic.op === 'store_release') return put(this.reg(insn.src));
    const old = memory.load(at, op.size);
    if (old === undefined) {
      // A fault in probing code: what would have received the old value is cleared and execution goes on.
      if (op.probe === undefined) this.fault('load', at, op.size);
      if (atomic.op === 'load_acquire') this.set(insn.dst, 0n);
      else if (atomic.op === 'cmpxchg') this.set(0, 0n);
      else if (atomic.fetch) this.set(insn.src, 0n);
      return;
    }
    const src = BigInt.asUintN(op.size * 8, this.reg(insn.src));
    switch (atomic.op) {
      case 'load_acquire':
        return this.set(insn.dst, old);
      case 'cmpxchg':
        if (old === BigInt.asUintN(op.size * 8, this.reg(0))) put(src);
        return this.set(0, old);
      case 'xchg':
        put(src);
        break;
      case 'add':
      case 'or':
      case 'and':
      case 'xor':
        put(aluResult(atomic.op, op.size === 8 ? 64 : 32, old, src));
        break;
      default:
        unreachable(atomic.op);
    }
    if (atomic.fetch) this.set(insn.src, old);
  }

  private call(insn: BpfInsn, next: number): void {
    const args = this.registers.slice(1, 6);
    if (insn.src === BPF_PSEUDO.CALL) {
      this.push(this.frame.code, next + insn.imm, next, args);
    } else if (insn.src === BPF_PSEUDO.KFUNC_CALL) {
      this.proceed(this.offered(this.host.kfunc, 'kernel functions')(insn.imm, args, insn), next);
    } else if (insn.imm === HELPER_TAIL_CALL) {
      this.tailCall(next);
    } else {
      this.proceed(this.offered(this.host.helper, 'helpers')(insn.imm, args, insn), next);
    }
  }

  /** Ends a helper call with its result, or runs the callback that it wants first. */
  private proceed(result: HelperResult, next: number): void {
    if (typeof result !== 'bigint') {
      const slot = this.host.functionSlot?.(result.callback) ?? Number(result.callback - FUNCTION_BASE);
      if (!Number.isInteger(slot) || slot < 0 || slot >= this.frame.code.insns.length) {
        this.refuse(`passes ${hex64(result.callback)} as a callback, which is no function of the program`);
      }
      this.push(this.frame.code, slot, next, result.args, result.then);
      return;
    }
    this.registers[0] = u64(result);
    this.undefinedRegisters = (this.undefinedRegisters | 0b111110) & ~1;
    this.pc = next;
  }

  /** A tail call that is taken replaces the innermost frame; one that is not falls through. */
  private tailCall(next: number): void {
    const [ctx = 0n, map = 0n, index = 0n] = this.registers.slice(1, 4);
    const code = this.offered(this.host.tailCall, 'tail calls')(ctx, map, u32(index));
    if (!code) {
      this.undefinedRegisters |= 0b111110;
      this.pc = next;
      return;
    }
    const frame = this.frame;
    this.stack.pop();
    this.push(code, 0, frame.returnTo, [ctx], frame.then, frame);
  }

  private push(
    code: BpfCode,
    start: number,
    returnTo: number,
    args: readonly bigint[],
    then?: BpfFrame['then'],
    caller: Pick<BpfFrame, 'saved' | 'savedUndefined'> = {
      saved: this.registers.slice(6, 11),
      savedUndefined: this.undefinedRegisters,
    },
  ): void {
    const depth = this.stack.length;
    if (depth >= MAX_FRAMES) this.refuse(`nests more than ${MAX_FRAMES} calls`);
    const { saved, savedUndefined } = caller;
    this.stack.push({ code, start, returnTo, saved, savedUndefined, then, mayGoto: MAY_GOTO_LIMIT });
    this.undefinedRegisters |= 0b1111000001;
    for (let i = 0; i < 5; i++) {
      this.registers[1 + i] = u64(args[i] ?? 0n);
      this.undefinedRegisters =
        i < args.length ? this.undefinedRegisters & ~(2 << i) : this.undefinedRegisters | (2 << i);
    }
    const top = (this.host.stackTop ?? 0n) - STACK_BYTES * BigInt(depth);
    this.registers[FP] = u64(this.host.framePointer?.(depth, start, code) ?? top);
    this.pc = start;
  }

  private exit(): void {
    const frame = this.frame;
    const value = this.reg(0);
    this.stack.pop();
    if (this.stack.length === 0) {
      this.result = value;
      return;
    }
    frame.saved.forEach((old, i) => (this.registers[6 + i] = old));
    this.undefinedRegisters = (frame.savedUndefined | 0b111110) & ~1;
    if (frame.then) this.proceed(frame.then(value), frame.returnTo);
    else this.pc = frame.returnTo;
  }

  private reg(n: number): bigint {
    return this.registers[n] ?? 0n;
  }

  private set(n: number, value: bigint): void {
    this.registers[n] = u64(value);
    this.undefinedRegisters &= ~(1 << n);
  }

  private offered<T>(what: T | undefined, name: string): T {
    if (what === undefined) this.refuse(`needs ${name}, which this run does not offer`);
    return what;
  }

  private fault(kind: 'load' | 'store', address: bigint, size: number): never {
    throw new EngineError(
      'bpf/fault',
      `${this.where()}: ${kind} of ${size} bytes at ${hex64(address)}, where no memory is.`,
      {
        insn: this.pc,
        address,
        size,
      },
    );
  }

  private refuse(why: string): never {
    throw new EngineError('bpf/interpret', `${this.where()} ${why}.`, { insn: this.pc });
  }

  private where(): string {
    const code = this.stack[this.stack.length - 1]?.code;
    return code ? `${code.name}, instruction ${this.pc} (${printInsn(code.insns, this.pc)})` : 'The program';
  }
}
