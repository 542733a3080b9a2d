import { u64 } from '../base/u64';
import type { UnwindRow } from '../jit/types';
import type { Kernel } from '../kernel/types';
import type { Machine } from '../machine/types';
import { REG } from '../rv64/registers';
import type { CodeFunction, CodeIndex } from './code-index';

/** One frame, innermost first. */
export interface Frame {
  readonly kind: 'bpf' | 'helper' | 'kernel';
  readonly name: string;
  /** The instruction that this frame executes next: for callers the return address. */
  readonly pc: bigint;
  /** Registers as this frame sees them; those that a call does not preserve are only right in frame 0. */
  readonly registers: BigUint64Array;
  /** The caller's sp, before the call that made this frame. Undefined where the chain cannot be followed. */
  readonly cfa?: bigint;
  /** BPF code only. */
  readonly code?: CodeFunction;
  /** Bytes from the image's first byte; for callers of an instruction inside the call, so that it finds the call. */
  readonly lookup?: number;
  readonly row?: UnwindRow;
}

/** Frames beyond this many are not followed: no chain of sound code is so deep. */
const FRAME_LIMIT = 1024;

/**
 * The call stack from the machine's state alone: each frame's unwind row says where its caller's sp and registers are.
 * Right at every instruction, since the JIT made a row for each instruction of prologues and epilogues. The
 * kernel functions that run the program follow at the end.
 */
export function unwind(machine: Machine, kernel: Kernel, index: CodeIndex): Frame[] {
  const frames: Frame[] = [];
  let pc = machine.pc;
  let registers = machine.registers();
  let isCaller = false;
  while (frames.length < FRAME_LIMIT) {
    const code = index.at(isCaller ? pc - 1n : pc);
    const frame = code
      ? bpfFrame(code, pc, registers, isCaller)
      : kernelFrame(machine, kernel, pc, registers, isCaller);
    const caller = code ? callerOf(machine, frame) : callerOfKernel(machine, index, frame);
    frames.push(frame);
    if (!caller) break;
    ({ pc, registers } = caller);
    isCaller = true;
  }
  return frames;
}

function bpfFrame(code: CodeFunction, pc: bigint, registers: BigUint64Array, isCaller: boolean): Frame {
  const lookup = code.offsetOf(isCaller ? pc - 1n : pc);
  const row = code.unwindRow(lookup);
  const cfa = row && u64(registers[row.cfa.register]! + BigInt(row.cfa.offset));
  return {
    kind: 'bpf',
    name: code.fn.name,
    pc,
    registers,
    code,
    lookup,
    ...(row && { row }),
    ...(cfa !== undefined && { cfa }),
  };
}

function callerOf(machine: Machine, frame: Frame): { pc: bigint; registers: BigUint64Array } | undefined {
  const { row, cfa } = frame;
  if (!row || cfa === undefined) return undefined;
  const registers = frame.registers.slice();
  for (const [register, offset] of row.saved) {
    const bytes = machine.memory.tryRead(u64(cfa + BigInt(offset)), 8);
    if (!bytes) return undefined;
    registers[register] = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  }
  registers[REG.sp] = cfa;
  return { pc: registers[row.returnRegister]!, registers };
}

function kernelFrame(
  machine: Machine,
  kernel: Kernel,
  pc: bigint,
  registers: BigUint64Array,
  isCaller: boolean,
): Frame {
  const symbol = kernel.symbolAt(pc);
  const isTrap = machine.memory.regionAt(pc)?.trap === true;
  const name = (isTrap ? kernel.trapName(pc) : undefined) ?? symbol?.name ?? 'unknown code';
  // At a function's first instruction it has no frame of its own yet.
  const entered = isTrap && !isCaller && (symbol?.offset ?? 0) === 0;
  const cfa = registers[entered ? REG.sp : REG.fp]!;
  return { kind: isTrap && entered ? 'helper' : 'kernel', name, pc, registers, cfa };
}

/**
 * The BPF code that called into the kernel: a function that was just entered returns by ra, one that has called back has
 * saved ra and fp below its fp, as all C code of the kernel does (struct stackframe). Undefined at the end of the chain,
 * which is marked by zeros.
 */
function callerOfKernel(
  machine: Machine,
  index: CodeIndex,
  frame: Frame,
): { pc: bigint; registers: BigUint64Array } | undefined {
  const registers = frame.registers.slice();
  let pc = registers[REG.ra]!;
  if (frame.kind !== 'helper') {
    const fp = registers[REG.fp]!;
    const saved = machine.memory.tryRead(u64(fp - 16n), 16);
    if (!saved) return undefined;
    const view = new DataView(saved.buffer, saved.byteOffset);
    registers[REG.fp] = view.getBigUint64(0, true);
    registers[REG.sp] = fp;
    pc = view.getBigUint64(8, true);
  }
  const isCode = pc !== 0n && (index.at(pc - 1n) !== undefined || machine.memory.regionAt(pc)?.trap === true);
  return isCode ? { pc, registers } : undefined;
}
