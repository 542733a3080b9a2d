import { EngineError } from '../../src/engine/base/errors';
import { hex64 } from '../../src/engine/base/hex';
import { sext32, u64 } from '../../src/engine/base/u64';
import type { JitFunction } from '../../src/engine/jit/types';
import { createMachine } from '../../src/engine/machine/machine';
import type { Machine, MachineStop } from '../../src/engine/machine/types';
import type { Profile } from '../../src/engine/jit/profile';
import { JIT_FACTS } from '../../src/engine/profile/jit-facts';
import { ABI_NAMES, REG } from '../../src/engine/rv64/registers';
import type { Scenario } from './generator';
import { memoryOf, type Outcome } from './outcome';
import {
  ARENA,
  BUFFER,
  callImm,
  CODE,
  FAR_CALLS,
  helperArity,
  helperResult,
  KFUNC,
  kfuncArgument,
  NEAR_CALLS,
  PER_CPU,
  PROG_ARRAY,
  progAddress,
  RETURN,
  STACK,
  TASK,
  VALUES,
} from './world';

const LIMIT = 40_000_000;
/** Registers that a C function may leave with anything in them: t0–t6, a0–a7, ra apart. */
const CALLER_SAVED = [5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];
const CALLEE_SAVED = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
/** Bytes of the struct bpf_array with its slots, and of a struct bpf_prog. */
const STRUCT_BYTES = 0x400;

const poison = (register: number, round: number): bigint =>
  0xdead_0000_0000_0000n + BigInt(register * 0x10000 + round);

/** One machine for many scenarios: the code and the contents of memory change, the regions stay. */
export class MachineRunner {
  private readonly machine: Machine = createMachine();

  constructor() {
    const map = (name: string, base: bigint, size: number, rights: string, trap = false): void => {
      const has = (right: string): boolean => rights.includes(right);
      const permissions = { r: has('r'), w: has('w'), x: has('x') };
      this.machine.memory.map({ name, base, size, permissions, trap });
    };
    map('code', CODE.base, CODE.size, 'rx');
    map('near helpers', NEAR_CALLS.base, NEAR_CALLS.size, '', true);
    map('far helpers', FAR_CALLS.base, FAR_CALLS.size, '', true);
    map('return', RETURN, 4, '', true);
    map('stack', STACK.base, STACK.size, 'rw');
    map('buffer', BUFFER.base, BUFFER.size, 'rw');
    map('values', VALUES.base, VALUES.size, 'rw');
    map('per-cpu memory', PER_CPU.base + PER_CPU.offset, PER_CPU.size, 'rw');
    map('per-cpu offsets', PER_CPU.offsetArray, 64, 'r');
    map('arena', ARENA.kernelBase + BigInt(ARENA.pageOffset), ARENA.pageSize, 'rw');
    map('task', TASK, 64, 'r');
    map('prog array', PROG_ARRAY, STRUCT_BYTES, 'r');
    map('progs', progAddress(0), 8 * STRUCT_BYTES, 'r');
    this.machine.memory.writeU64(PER_CPU.offsetArray + BigInt(8 * PER_CPU.cpu), PER_CPU.offset);
  }

  /** Native instructions executed so far. */
  get executed(): bigint {
    return this.machine.counters().instructions;
  }

  /** Runs a scenario with these images. @throws EngineError `machine/differential` for a stop that no program may cause */
  run(scenario: Scenario, profile: Profile, images: readonly (readonly JitFunction[])[]): Outcome {
    const { machine } = this;
    this.prepare(scenario, profile, images);
    const functions = images.flat();
    for (let round = 0; ; round++) {
      const stop = machine.run(LIMIT);
      if (stop.reason === 'trap' && stop.pc === RETURN) break;
      if (stop.reason === 'trap') this.call(profile, stop.pc, round);
      else if (!this.fixUp(stop, functions)) throw unexpected(stop);
    }
    this.checkConvention();
    return {
      r0: machine.getRegister(REG.a5),
      memory: memoryOf(scenario.seed).map(({ base, bytes }) => machine.memory.read(base, bytes.length)),
    };
  }

  private prepare(scenario: Scenario, profile: Profile, images: readonly (readonly JitFunction[])[]): void {
    const { memory } = this.machine;
    const { layout } = profile;
    for (const { base, image } of images.flat()) memory.write(base, image);
    for (const { base, bytes } of memoryOf(scenario.seed)) memory.write(base, bytes);
    // Something else lies behind the number of the CPU.
    memory.writeU64(TASK + BigInt(layout.threadInfoCpu), BigInt(PER_CPU.cpu) | (0x5a5a_5a5an << 32n));
    memory.write(PROG_ARRAY, new Uint8Array(STRUCT_BYTES));
    memory.writeU32(PROG_ARRAY + BigInt(layout.bpfArrayMaxEntries), scenario.slots.length);
    scenario.slots.forEach((target, i) => {
      if (target === undefined) return;
      memory.writeU64(PROG_ARRAY + BigInt(layout.bpfArrayPtrs + 8 * i), progAddress(target));
      memory.writeU64(progAddress(target) + BigInt(layout.bpfProgBpfFunc), images[target]![0]!.bpfFunc);
    });
    this.machine.fenceI();
    for (let register = 1; register < 32; register++)
      this.machine.setRegister(register, poison(register, 0xffff));
    this.machine.setRegister(REG.ra, RETURN);
    this.machine.setRegister(REG.sp, STACK.base + BigInt(STACK.size));
    this.machine.setRegister(REG.tp, TASK);
    this.machine.setRegister(REG.a0, BUFFER.base);
    this.machine.pc = images[0]![0]!.bpfFunc;
  }

  /** A C function: computes, returns, and leaves nothing else in the registers that it may change. */
  private call(profile: Profile, pc: bigint, round: number): void {
    const { machine } = this;
    const imm = callImm(pc);
    const args = [0, 1, 2, 3, 4].map((i) => machine.getRegister(REG.a0 + i));
    if (imm === KFUNC.imm) checkExtension(profile, args);
    if (machine.getRegister(REG.sp) % 16n !== 0n) throw misplaced('sp is not a multiple of 16 at a call', pc);
    const result = helperResult(imm, args.slice(0, imm === KFUNC.imm ? args.length : helperArity(imm)));
    for (const register of CALLER_SAVED) machine.setRegister(register, poison(register, round));
    machine.setRegister(REG.a0, result);
    machine.pc = machine.getRegister(REG.ra);
  }

  /** The kernel's exception table: a faulting access clears its register and execution goes on behind it. */
  private fixUp(stop: MachineStop, functions: readonly JitFunction[]): boolean {
    if (stop.reason !== 'fault') return false;
    const { pc, cause } = stop;
    if (cause !== 'load-access-fault' && cause !== 'store-access-fault') return false;
    for (const { base, extable } of functions) {
      const entry = extable.find(({ insnOffset }) => base + BigInt(insnOffset) === pc);
      if (!entry) continue;
      this.machine.setRegister(entry.register, 0n);
      this.machine.pc = base + BigInt(entry.resumeOffset);
      return true;
    }
    return false;
  }

  /** What a C caller relies on: callee-saved registers, sp, and a0 as a sign-extended int. */
  private checkConvention(): void {
    const { machine } = this;
    for (const register of CALLEE_SAVED) {
      if (machine.getRegister(register) !== poison(register, 0xffff)) {
        throw misplaced(`${ABI_NAMES[register]} is not what the caller had`, machine.pc);
      }
    }
    if (machine.getRegister(REG.sp) !== STACK.base + BigInt(STACK.size))
      throw misplaced('sp is not restored', machine.pc);
    const a0 = machine.getRegister(REG.a0);
    if (a0 !== sext32(machine.getRegister(REG.a5))) {
      throw misplaced(`a0 is ${hex64(a0)}, not the low half of R0 sign-extended`, machine.pc);
    }
  }
}

/** Kernels that extend a kfunc's narrow arguments do so by their types; the others pass them as they are. */
function checkExtension(profile: Profile, args: readonly bigint[]): void {
  const rule = JIT_FACTS[profile.kernel].kfuncArgumentExtension;
  KFUNC.argSizes.forEach((size, i) => {
    if (rule === 'none' || size === 8) return;
    if (size !== 4 && (rule === 'int32-only' || !KFUNC.argSigned[i])) return;
    const wanted = size === 4 ? sext32(args[i]!) : u64(kfuncArgument(args[i]!, i));
    if (args[i] !== wanted) throw misplaced(`argument ${i} of the kernel function is ${hex64(args[i]!)}`, 0n);
  });
}

const misplaced = (what: string, pc: bigint): EngineError =>
  new EngineError('machine/differential', `At ${hex64(pc)}: ${what}.`, { pc });

const unexpected = (stop: MachineStop): EngineError =>
  new EngineError(
    'machine/differential',
    stop.reason === 'fault' ? stop.message : `The machine stopped at ${hex64(stop.pc)}: ${stop.reason}.`,
    { pc: stop.pc },
  );
