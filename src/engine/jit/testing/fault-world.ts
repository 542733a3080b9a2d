import { assemble } from '../../bpf/assemble';
import { BPF_PSEUDO, CALL, TAIL_CALL, type BpfInsn } from '../../bpf/insn';
import { createMachine } from '../../machine/machine';
import type { Machine } from '../../machine/types';
import { parseProfile, type Profile } from '../profile';
import { decode } from '../../rv64/decode';
import type { FaultCase, ProgramCase, Seen, SeenTrampoline, TrampolineCase } from '../faults/case';
import { RV } from '../registers';
import { compileProgram } from '../subprograms';
import { compileTrampoline } from '../trampoline/trampoline';
import type { JitFunction, JitInput } from '../types';

/** A small kernel around the fault cases: memory, a prog array, helpers that leave poison, a caller to return to. */

const CODE = 0xffffffff78000000n;
const CODE_BYTES = 0x20000;
const MEMORY = 0xffffffd600000000n;
const PROG_ARRAY = 0xffffffd600010000n;
const PROGS = 0xffffffd600020000n;
const TASK = 0xffffffd600030000n;
const STACK = 0xffffffc600000000n;
const STACK_BYTES = 0x10000;
const KERNEL = 0xffffffff80100000n;
const KERNEL_BYTES = 0x1000000;
const CALL_BASE = 0xffffffff80180000n;
const RETURN = 0xffffffff80200000n;
const ARENA = 0xffffff9000000000n;
const LIMIT = 20_000;

const HELPER_TAIL_CALL = 12;
const INLINED_HELPERS = new Set([8]);
/** What lies behind thread_info.cpu, and an older value of s1. */
const NEIGHBOUR = 0x5eed5eed;
const OLD_S1 = 0x0dd5_1000n;
/** Negative, as an int and as 64 bits. */
const POISON = 0xdeadbeefdeadbeefn;
const CALLER_SAVED = [
  RV.t0,
  RV.t1,
  RV.t2,
  RV.t3,
  29,
  30,
  31,
  ...Array.from({ length: 8 }, (_, i) => RV.a0 + i),
];

function profileOf({ profile, fault }: FaultCase, faulty: boolean): Profile {
  return { ...parseProfile(profile), cfi: profile.cfi === true, faults: faulty ? [fault] : [] };
}

function newMachine(): Machine {
  const machine = createMachine();
  const map = (
    name: string,
    base: bigint,
    size: number,
    r: boolean,
    w: boolean,
    x: boolean,
    trap = false,
  ): void => machine.memory.map({ name, base, size, permissions: { r, w, x }, trap });
  map('code', CODE, CODE_BYTES, true, false, true);
  map('memory', MEMORY, 64, true, true, false);
  map('prog array', PROG_ARRAY, 0x1000, true, false, false);
  map('progs', PROGS, 0x1000, true, false, false);
  map('task', TASK, 0x100, true, false, false);
  map('stack', STACK, STACK_BYTES, true, true, false);
  map('kernel', KERNEL, KERNEL_BYTES, false, false, false, true);
  return machine;
}

/** Entry state: poison everywhere, sp in the middle of the stack so that a wrong epilogue has room. */
function enter(machine: Machine, pc: bigint): bigint {
  for (let register = 1; register < 32; register++) machine.setRegister(register, POISON);
  const sp = STACK + BigInt(STACK_BYTES / 2);
  machine.setRegister(RV.sp, sp);
  machine.setRegister(RV.ra, RETURN);
  machine.setRegister(RV.tp, TASK);
  machine.pc = pc;
  return sp;
}

/** Rewrites what the verifier would: helper ids, tail calls, the prog array's address. */
function behindVerifier(text: string): { insns: BpfInsn[]; starts: number[] } {
  const { insns, maps } = assemble(text);
  const starts = new Set([0]);
  const rewritten = insns.map((insn, i): BpfInsn => {
    if (maps.some((map) => map.insn === i))
      return { ...insn, src: 0, imm: Number(BigInt.asIntN(32, PROG_ARRAY)) };
    if (maps.some((map) => map.insn === i - 1)) return { ...insn, imm: Number(PROG_ARRAY >> 32n) | 0 };
    if (insn.code === 0x18 && insn.src === BPF_PSEUDO.FUNC) starts.add(i + 1 + insn.imm);
    if (insn.code !== CALL) return insn;
    if (insn.src === BPF_PSEUDO.CALL) starts.add(i + 1 + insn.imm);
    if (insn.src !== 0 || INLINED_HELPERS.has(insn.imm)) return insn;
    return insn.imm === HELPER_TAIL_CALL
      ? { ...insn, code: TAIL_CALL, imm: 0 }
      : { ...insn, imm: insn.imm * 16 };
  });
  return { insns: rewritten, starts: [...starts].sort((a, b) => a - b) };
}

function compileCase(fault: ProgramCase, profile: Profile): JitFunction[][] {
  let next = CODE;
  return fault.programs.map((text, p) => {
    const { insns, starts } = behindVerifier(text);
    const input: JitInput = {
      name: `program ${p}`,
      insns,
      subprogs: starts.map((start) => ({
        name: `p${p}.${start}`,
        start,
        stackDepth: 0,
        tailCallReachable: true,
      })),
      verifierZext: false,
      callBase: CALL_BASE,
      addresses: { perCpuOffset: KERNEL },
      kfuncs: fault.kfuncs?.map((kfunc) => ({ ...kfunc, argSigned: kfunc.argSizes.map(() => true) })),
      arena: fault.arena ? { kernVmStart: ARENA, userVmStart: 0x7f1200000000n } : undefined,
      cfiHash: { main: 0x83bd9c7a, subprog: 0x1d59f2c5 },
    };
    const place = (_: number, size: number): bigint => {
      const base = next;
      next += BigInt(Math.ceil((size + 64) / 64) * 64);
      return base;
    };
    return [...compileProgram(profile, input, { place }).functions];
  });
}

/** Compiles and runs a program case. */
export function runProgramCase(fault: ProgramCase, faulty: boolean): Seen {
  const profile = profileOf(fault, faulty);
  const programs = compileCase(fault, profile);
  const machine = newMachine();
  const { memory } = machine;
  const { layout } = profile;
  for (const { base, image } of programs.flat()) memory.write(base, image);
  memory.writeU32(PROG_ARRAY + BigInt(layout.bpfArrayMaxEntries), programs.length);
  programs.forEach(([main], i) => {
    const prog = PROGS + BigInt(0x100 * i);
    memory.writeU64(PROG_ARRAY + BigInt(layout.bpfArrayPtrs + 8 * i), prog);
    memory.writeU64(prog + BigInt(layout.bpfProgBpfFunc), main!.bpfFunc);
  });
  memory.writeU32(TASK + BigInt(layout.threadInfoCpu), 1);
  memory.writeU32(TASK + BigInt(layout.threadInfoCpu + 4), NEIGHBOUR);
  machine.fenceI();

  const entry = programs[0]![0]!;
  const sp = enter(machine, entry.bpfFunc);
  machine.setRegister(RV.a0, MEMORY);
  let firstArgument: bigint | undefined;
  let end: Seen['end'] = 'runs on';
  for (;;) {
    const stop = machine.run(LIMIT);
    if (stop.reason === 'trap' && stop.pc === RETURN) {
      end = 'returns';
      break;
    }
    if (stop.reason === 'trap') {
      firstArgument ??= machine.getRegister(RV.a0);
      callHelper(machine, 0n);
      continue;
    }
    if (stop.reason === 'fault') {
      const handler = programs.flat().flatMap((fn) => fn.extable.map((e) => ({ fn, e })))
        .find(({ fn, e }) => fn.base + BigInt(e.insnOffset) === stop.pc); // prettier-ignore
      if (handler) {
        machine.setRegister(handler.e.register, 0n);
        machine.pc = handler.fn.base + BigInt(handler.e.resumeOffset);
        continue;
      }
      end = 'faults';
    }
    break;
  }
  return {
    end,
    r0: machine.getRegister(RV.a5),
    a0: machine.getRegister(RV.a0),
    memory: memory.readU64(MEMORY),
    firstArgument: firstArgument ?? 0n,
    spRestored:
      end === 'returns' && machine.getRegister(RV.sp) === sp && machine.getRegister(RV.fp) === POISON,
    ordered: countOrdered(entry),
    handlers: entry.extable.length,
  };
}

function callHelper(machine: Machine, result: bigint): void {
  for (const register of CALLER_SAVED) machine.setRegister(register, POISON);
  machine.setRegister(RV.a0, result);
  machine.pc = machine.getRegister(RV.ra);
}

function countOrdered({ image, finalLen }: JitFunction): number {
  const view = new DataView(image.buffer, image.byteOffset, finalLen);
  let count = 0;
  for (let at = 0; at + 2 <= finalLen;) {
    const insn = decode(at + 4 <= finalLen ? view.getUint32(at, true) : view.getUint16(at, true));
    if (insn?.aq && insn.rl) count++;
    at += insn?.size ?? 2;
  }
  return count;
}

/** Makes a trampoline case's trampoline and runs it around a program that returns what the case says. */
export function runTrampolineCase(fault: TrampolineCase, faulty: boolean): SeenTrampoline {
  const { model } = fault;
  const trampoline = compileTrampoline(profileOf(fault, faulty), model);
  const machine = newMachine();
  machine.memory.write(trampoline.address, trampoline.image);
  machine.fenceI();
  enter(machine, trampoline.address);
  machine.setRegister(RV.t0, RETURN);
  machine.setRegister(RV.s1, OLD_S1);
  let startTime = 0n;
  const original = trampoline.calls.find((call) => call.kind === 'original')?.target;
  for (let calls = 0; calls < 20; calls++) {
    const program = [...model.fentry, ...model.fexit][0]!;
    machine.setBreakpoint(program.bpfFunc);
    const stop = machine.run(LIMIT);
    if (stop.reason !== 'trap' && stop.reason !== 'breakpoint') break;
    if (stop.pc === RETURN) break;
    if (stop.pc === program.exit) startTime = machine.getRegister(RV.a0 + 1);
    if (stop.pc === program.enter) {
      callHelper(machine, fault.skips ? 0n : 1n);
    } else if (stop.pc === program.bpfFunc) {
      callHelper(machine, BigInt.asUintN(64, BigInt.asIntN(32, fault.programResult)));
      machine.setRegister(RV.a5, fault.programResult);
    } else {
      callHelper(machine, 0n);
    }
  }
  return {
    overrun: Math.max(0, trampoline.image.length - trampoline.allocSize),
    originalAt: original === undefined ? 0 : Number(original - model.funcAddress),
    a0: machine.getRegister(RV.a0),
    startTimeOfSkipped: startTime,
  };
}
