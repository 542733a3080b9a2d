import { bytesToHex, hex64 } from '../../engine/base/hex';
import { u64 } from '../../engine/base/u64';
import type { Trampoline } from '../../engine/jit/trampoline/trampoline';
import { createMachine } from '../../engine/machine/machine';
import type { Machine } from '../../engine/machine/types';
import { decode, type DecodedInsn } from '../../engine/rv64/decode';
import { print } from '../../engine/rv64/print';
import { REG, registerName } from '../../engine/rv64/registers';
import { memoryAccess } from './memory-access';
import { insnOf, TraceCode, type JitedFunction } from './trace-code';
import { KnownBytes } from './trace-known-bytes';
import type { RegisterChanges, Trace, TraceStep } from './trace-record';

/** Steps a recorded trace on the machine, instruction by instruction. */
export class TraceReplay {
  private readonly machine: Machine = createMachine();
  private readonly memory = new KnownBytes(this.machine.memory);
  private readonly code: TraceCode;
  /** The recorded registers. */
  private readonly expected = new BigUint64Array(32);
  /** Instructions taken from the trace itself, for want of an image. */
  readonly foreign: number;

  constructor(
    private readonly trace: Trace,
    functions: readonly JitedFunction[],
    trampolines: readonly Trampoline[],
  ) {
    this.code = new TraceCode(this.machine.memory, functions, trampolines);
    this.foreign = this.code.place(trace);
    this.machine.fenceI();
  }

  /** @returns the first difference, or undefined if every step agrees */
  run(): string | undefined {
    const { machine, trace } = this;
    machine.pc = trace.entry;
    this.apply(trace.init);
    for (const [index, step] of trace.steps.entries()) {
      const difference = this.step(step);
      if (difference !== undefined) {
        const text = insnOf(step);
        const place = `step ${index} of ${trace.steps.length}, ${hex64(step.pc)}${text ? `  ${print(text, step.pc).text}` : ''}`;
        return [place, this.code.describe(step.pc), difference].join('\n');
      }
    }
    const { exit } = trace;
    if (!exit) return undefined;
    return (
      difference('pc after the last step', machine.pc, exit.pc) ??
      difference('a0 after the last step', machine.getRegister(REG.a0), exit.a0)
    );
  }

  private step(step: TraceStep): string | undefined {
    const { machine } = this;
    const wrong = difference('pc', machine.pc, step.pc) ?? this.compareBytes(step);
    if (wrong !== undefined) return wrong;
    const insn = insnOf(step);
    if (!insn) return `our table has no instruction ${bytesToHex(step.bytes)}`;

    const finish = this.prepareAccess(insn, step);
    const stop = machine.step();
    if (stop.reason !== 'limit') {
      return `the machine stopped: ${stop.reason === 'fault' ? stop.message : stop.reason}`;
    }
    finish();
    for (const [register, value] of step.changes) this.expected[register] = value;
    return this.compareRegisters() ?? this.leave(step);
  }

  private compareBytes({ pc, bytes }: TraceStep): string | undefined {
    const ours = this.machine.memory.tryRead(pc, bytes.length);
    if (ours && bytesToHex(ours) === bytesToHex(bytes)) return undefined;
    const word = ours ? ours.reduceRight((sum, byte) => sum * 256 + byte, 0) : undefined;
    const insn = word === undefined ? undefined : decode(word);
    const text = insn ? print(insn, pc).text : 'no instruction';
    return `instruction: ours ${ours ? bytesToHex(ours) : '(nothing)'}  ${text}, recorded ${bytesToHex(bytes)}`;
  }

  /**
   * Maps the memory that the instruction touches and, if it loads unknown bytes, puts what the record says was loaded there.
   * @returns what remains to be done after the instruction
   */
  private prepareAccess(insn: DecodedInsn, step: TraceStep): () => void {
    const access = memoryAccess(insn);
    if (!access) return () => undefined;
    const { size, loads, stores } = access;
    const address = u64(this.machine.getRegister(insn.rs1) + BigInt(insn.imm));
    this.memory.ensureMapped(address, size);
    // Without a destination nothing was recorded: what an AMO leaves in unknown memory stays unknown.
    let known = this.memory.knows(address, size) || !loads;
    if (loads && !known && insn.rd !== 0) {
      this.memory.supply(address, size, step.changes.get(insn.rd) ?? this.expected[insn.rd]!);
      known = true;
    }
    const inFrame = insn.rs1 === REG.sp || insn.rs1 === REG.fp;
    return () => {
      if (stores && known) this.memory.written(address, size, inFrame);
    };
  }

  private compareRegisters(): string | undefined {
    const ours = this.machine.registers();
    for (let register = 1; register < 32; register++) {
      const wrong = difference(registerName(register), ours[register]!, this.expected[register]!);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** The step went out of BPF code: the callee's results are the recorded ones. */
  private leave({ leaves }: TraceStep): string | undefined {
    if (!leaves) return undefined;
    const { machine } = this;
    const wrong = difference(`target of the call of ${leaves.symbol}`, machine.pc, leaves.target);
    if (wrong !== undefined) return wrong;
    this.memory.forgetAll(machine.getRegister(REG.sp));
    this.apply(leaves.changes);
    machine.pc = leaves.returnTo;
    return undefined;
  }

  private apply(changes: RegisterChanges): void {
    for (const [register, value] of changes) {
      this.machine.setRegister(register, value);
      if (register !== 0) this.expected[register] = value;
    }
  }
}

function difference(what: string, ours: bigint, recorded: bigint): string | undefined {
  return ours === recorded ? undefined : `${what}: ours ${hex64(ours)}, recorded ${hex64(recorded)}`;
}
