import { EngineError } from '../base/errors';
import { u64 } from '../base/u64';
import { REG } from '../rv64/registers';
import { isCall } from './calls';
import type { CodeFunction } from './code-index';
import { sameLine } from './code-map';
import type { Execution, Replacement } from './execution';
import { unwind, type Frame } from './stack';
import type { StepKind, StopKind } from './views';

/** How a resumed session goes on until its next look at where it is. */
export interface Leg {
  /** One instruction (or one kernel function) at a time. */
  readonly single: boolean;
  /** Addresses to halt at, if not single. */
  readonly addresses: ReadonlySet<bigint>;
  /** A count of cycles to halt at, if not single. */
  readonly untilCycle?: bigint;
}

/** What a resumed session is on its way to. */
export interface Goal {
  readonly stopKind: StopKind;
  readonly text: string;
  /** How to go on from here. */
  next(): Leg;
  /** Whether the place that the machine has come to is the goal. */
  reached(): boolean;
}

const NOWHERE: ReadonlySet<bigint> = new Set();
const SINGLE: Leg = { single: true, addresses: NOWHERE };
const FREE: Leg = { single: false, addresses: NOWHERE };

/** Runs until something else stops it. */
export const CONTINUE: Goal = { stopKind: 'pause', text: '', next: () => FREE, reached: () => false };

/** Run to cursor: stops at any of the addresses, in whatever frame. */
export function runToGoal(execution: Execution, addresses: readonly bigint[], label: string): Goal {
  const leg: Leg = { single: false, addresses: new Set(addresses) };
  return {
    stopKind: 'run-to',
    text: `Reached ${label}.`,
    next: () => leg,
    reached: () => leg.addresses.has(execution.machine.pc),
  };
}

/**
 * One step, with the meaning that users of gdb and VS Code expect:
 *
 * - *into* stops at the first place reached, *over* runs what is called to its end (told apart from recursion by the
 *   frame address), *out* runs until the caller goes on. A helper runs as a whole, but a callback that it makes can be
 *   stepped into.
 * - A BPF instruction ends where another begins, in whatever frame. A line ends where a statement of another line begins
 *   in the same frame; a frame that was entered is stopped at behind its prologue, one that was returned to behind the
 *   call.
 * - A tail call that is taken replaces the frame: *into* and *over* go on in the program that replaced it; *out* returns
 *   to the caller of the frame that was replaced.
 *
 * @throws EngineError `debugger/step` when there is nothing to step by
 */
export function stepGoal(execution: Execution, step: StepKind, unit: Unit): Goal {
  if (step === 'out') return new OutGoal(execution, unit);
  if (unit === 'line') return new LineGoal(execution, step);
  return new InstructionGoal(execution, step, unit);
}

const GRANULARITY_TEXT = {
  line: 'source line',
  bpf: 'BPF instruction',
  native: 'native instruction',
} as const;
/** What a step through code goes by; cycles go by the clock (cycles.ts). */
export type Unit = keyof typeof GRANULARITY_TEXT;

/** Where the machine stands, as far as it is in BPF code. */
interface Position {
  readonly code: CodeFunction;
  /** Bytes from the image's first byte. */
  readonly offset: number;
  readonly cfa: bigint | undefined;
}

abstract class StepGoal implements Goal {
  readonly stopKind = 'step';
  readonly text: string;
  /** A call that is being run to its end: where it returns to. */
  private skipped: { readonly leg: Leg; readonly pc: bigint; readonly sp: bigint } | undefined;

  constructor(
    protected readonly execution: Execution,
    step: StepKind,
    unit: Unit,
  ) {
    this.text = `Step ${step} by ${GRANULARITY_TEXT[unit]}.`;
  }

  next(): Leg {
    return this.skipped ? this.skipped.leg : this.plan();
  }

  reached(): boolean {
    const { machine } = this.execution;
    if (this.skipped) {
      if (machine.pc !== this.skipped.pc || machine.getRegister(REG.sp) !== this.skipped.sp) return false;
      this.skipped = undefined;
    }
    // In the kernel there is nothing to stop at: the next leg does its work.
    return !this.execution.inKernel && this.isGoal(this.position());
  }

  protected abstract plan(): Leg;
  protected abstract isGoal(position: Position | undefined): boolean;

  protected position(): Position | undefined {
    const { machine, index } = this.execution;
    const code = index.at(machine.pc);
    if (!code) return undefined;
    const offset = code.offsetOf(machine.pc);
    const row = code.unwindRow(offset);
    const cfa = row && u64(machine.getRegister(row.cfa.register) + BigInt(row.cfa.offset));
    return { code, offset, cfa };
  }

  /** Plans to run the call at the present instruction, or the kernel function at its entry, to its end; SINGLE if it is none. */
  protected overCall(): Leg {
    const { machine } = this.execution;
    const { pc } = machine;
    const sp = machine.getRegister(REG.sp);
    if (this.execution.inKernel) return this.skip(machine.getRegister(REG.ra), sp);
    const position = this.position();
    const native = position?.code.map.nativeAt(position.offset);
    if (!native || !isCall(native.insn)) return SINGLE;
    return this.skip(pc + BigInt(native.size), sp);
  }

  protected skip(pc: bigint, sp: bigint): Leg {
    const leg: Leg = { single: false, addresses: new Set([pc]) };
    this.skipped = { leg, pc, sp };
    return leg;
  }
}

/** Steps by native or BPF instruction: a single instruction at a time until one begins. */
class InstructionGoal extends StepGoal {
  /** Stepping off an exit: the epilogue that it jumps to is no new instruction. */
  private readonly leaving: Position | undefined;

  constructor(
    execution: Execution,
    private readonly step: 'into' | 'over',
    private readonly unit: 'native' | 'bpf',
  ) {
    super(execution, step, unit);
    const position = this.position();
    const slot = position?.code.map.slotAt(position.offset) ?? -1;
    if (position?.code.map.isExit(slot)) this.leaving = position;
  }

  protected override plan(): Leg {
    return this.step === 'over' ? this.overCall() : SINGLE;
  }

  protected override isGoal(position: Position | undefined): boolean {
    if (!position || this.unit === 'native') return true;
    const { code, offset, cfa } = position;
    if (!code.map.isSlotStart(offset)) return false;
    const inEpilogue = offset >= code.fn.epilogueOffset;
    return !(inEpilogue && this.leaving?.code === code && this.leaving.cfa === cfa);
  }
}

/** Steps by source line, at full speed from one statement to the next. */
class LineGoal extends StepGoal {
  private readonly start: Frame;
  /** Offsets in the function at which statements of other lines begin. */
  private readonly otherLines: ReadonlySet<number>;
  private readonly replacement: Replacement | undefined;
  private readonly run: Leg;
  /** What the frame returns to: BPF code, or kernel code that had called back. */
  private readonly returnAddress: bigint | undefined;
  private left = false;

  constructor(
    execution: Execution,
    private readonly step: 'into' | 'over',
  ) {
    super(execution, step, 'line');
    const frames = unwind(execution.machine, execution.kernel, execution.index);
    const at = frames.findIndex((frame) => frame.code !== undefined);
    const start = frames[at];
    if (!start?.code) {
      throw new EngineError(
        'debugger/step',
        'The machine stands outside BPF code; step by native instruction.',
      );
    }
    if (start.code.map.statements.length === 0) {
      throw new EngineError(
        'debugger/step',
        `${start.code.fn.name} has no line information (compile with clang -g); step by BPF instruction.`,
      );
    }
    this.start = start;
    this.replacement = start.cfa === undefined ? undefined : execution.replacementAt(start.cfa);
    this.returnAddress = frames[at + 1]?.pc;
    const current = start.code.map.lineAtOffset(start.lookup ?? 0);
    const others = start.code.map.statements.filter(({ line }) => !current || !sameLine(line, current));
    this.otherLines = new Set(others.map(({ offset }) => offset));
    this.run = { single: false, addresses: this.watched() };
  }

  /** Every place where the step can end, or where the frame can be left. */
  private watched(): Set<bigint> {
    const { code } = this.start;
    const addresses = new Set<bigint>();
    for (const offset of this.otherLines) addresses.add(code!.fn.base + BigInt(offset));
    if (this.returnAddress !== undefined) addresses.add(this.returnAddress);
    for (const other of this.execution.index.functions) {
      // What a tail call enters, and for *into* what a call enters.
      if (other.fn.index === 0 || this.step === 'into') addresses.add(bodyStart(other));
    }
    return addresses;
  }

  protected override plan(): Leg {
    return this.left ? SINGLE : this.run;
  }

  override reached(): boolean {
    const { machine } = this.execution;
    if (!this.left && machine.pc === this.returnAddress && machine.getRegister(REG.sp) === this.start.cfa) {
      this.left = true;
    }
    return super.reached();
  }

  protected override isGoal(position: Position | undefined): boolean {
    if (!position) return true;
    const { code, offset, cfa } = position;
    if (this.left) return code.map.isSlotStart(offset);
    if (cfa === undefined || this.start.cfa === undefined) return true;
    const entered = offset === code.fn.prologueLen;
    if (cfa < this.start.cfa) return entered && this.step === 'into' && code.map.statements.length > 0;
    const replaced = this.execution.replacementAt(cfa) !== this.replacement;
    return replaced ? entered : this.otherLines.has(offset);
  }
}

/** Runs until the caller goes on. */
class OutGoal extends StepGoal {
  private readonly run: Leg;
  private readonly caller: Frame | undefined;
  private left = false;

  constructor(
    execution: Execution,
    private readonly unit: Unit,
  ) {
    super(execution, 'out', unit);
    const frames = unwind(execution.machine, execution.kernel, execution.index);
    // A callback returns into the helper that made it; the next BPF code is the caller of the helper.
    this.caller = frames.slice(1).find((frame) => frame.code !== undefined);
    this.run = { single: false, addresses: new Set(this.caller ? [this.caller.pc] : []) };
  }

  protected override plan(): Leg {
    return this.left ? SINGLE : this.run;
  }

  protected override isGoal(position: Position | undefined): boolean {
    if (!position) return false;
    const { machine } = this.execution;
    const { caller } = this;
    if (caller && machine.pc === caller.pc && machine.getRegister(REG.sp) === caller.registers[REG.sp]) {
      this.left = true;
    }
    return this.left && (this.unit === 'native' || position.code.map.isSlotStart(position.offset));
  }
}

/** Address of a function's first instruction behind the prologue. */
const bodyStart = (code: CodeFunction): bigint => code.fn.base + BigInt(code.fn.prologueLen);
