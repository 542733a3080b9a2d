import { EngineError } from '../base/errors';
import { hex64, bytesToHex } from '../base/hex';
import type { KernelProgram, TestRunInput, TestRunOutput } from '../kernel/types';
import { isaText } from '../profile/parse';
import { REG } from '../rv64/registers';
import type { Arrival } from './arrivals';
import { Breakpoints, resolvePlace } from './breakpoints';
import type { World } from './build';
import { ReturnCheck, type CheckResult } from './checks';
import { CodeIndex } from './code-index';
import { EventLog } from './event-log';
import { Execution, type Halt, type Interest } from './execution';
import { frameLayoutView, type StackImage } from './frames';
import { testRunInput } from './inputs';
import { listing, type Sources } from './listing';
import { locationView } from './locations';
import { mapView } from './maps';
import { memoryView } from './memory';
import { registerViews, type RegisterFile } from './registers';
import { arrivalText, faultText, kernelEventText } from './sentences';
import { unwind, type Frame } from './stack';
import { stackFrameViews } from './stack-views';
import { CONTINUE, runToGoal, stepGoal, type Goal } from './stepping';
import { readTcc } from './tcc';
import type {
  BreakpointView,
  CountersView,
  FrameView,
  FunctionView,
  Granularity,
  InputsView,
  ListingView,
  LocationView,
  MapView,
  MemoryView,
  OutputView,
  RegistersView,
  RunTarget,
  SessionStatus,
  SessionView,
  StackFrameView,
  StackView,
  StepKind,
  StopKind,
  StopView,
} from './views';

export interface SessionOptions {
  readonly id: string;
  readonly world: World;
  readonly inputs: InputsView;
  readonly breakpoints?: Breakpoints;
  readonly sources?: Sources;
  /** Instructions after which a run stops with `limit`; none unless told. */
  readonly limit?: number;
}

/** What a program left behind when it returned. */
export interface SessionResult extends TestRunOutput {
  readonly checks: readonly CheckResult[];
}

/** A state that a session can come back to. */
interface SavedState {
  readonly machine: ReturnType<World['machine']['snapshot']>;
  readonly kernel: unknown;
}

/** Frames of the stack view: beyond these nobody reads on. */
const STACK_BYTES_KEPT = 64 * 1024;

/**
 * One program being run and watched. It stands still until resume(); a resumed session goes on in slices, so that its
 * host can serve other requests, pause it or end it in between.
 */
export class Session {
  readonly id: string;
  readonly index: CodeIndex;
  readonly breakpoints: Breakpoints;
  readonly execution: Execution;
  private readonly world: World;
  private readonly inputs: InputsView;
  private readonly input: TestRunInput;
  private readonly sources: Sources;
  private readonly limit: number;
  private readonly log = new EventLog();
  private readonly returnCheck = new ReturnCheck();
  private readonly loaded: SavedState;
  private stopNumber = 0;
  private statusNow: SessionStatus = 'stopped';
  private reason: StopView | undefined;
  private goal: Goal | undefined;
  private resultNow: SessionResult | undefined;
  /** True once nothing more can be executed: the program returned, or it faulted. */
  private finished = false;
  private registersNow: RegisterFile | undefined;
  private registersBefore: RegisterFile | undefined;
  private stackNow: StackImage | undefined;
  private stackBefore: StackImage | undefined;

  /** The session stands at the program's entry. @throws EngineError for inputs that the program type does not take */
  constructor(options: SessionOptions) {
    const { world } = options;
    this.id = options.id;
    this.world = world;
    this.inputs = options.inputs;
    this.input = testRunInput(options.inputs);
    this.sources = options.sources ?? {};
    this.limit = options.limit ?? Number.MAX_SAFE_INTEGER;
    this.index = new CodeIndex(world.kernel);
    this.execution = new Execution(world.machine, world.kernel, this.index, {
      arrival: (arrival) => this.logArrival(arrival),
      kernelEvent: (event, site) =>
        this.log.add({
          kind: event.kind === 'redirect' ? 'info' : event.kind,
          text: () => kernelEventText(event),
          at: Number(event.step),
          ...(site !== undefined && { pc: site }),
        }),
    });
    this.breakpoints = options.breakpoints ?? new Breakpoints();
    this.breakpoints.bind({ index: this.index, kernel: world.kernel });
    this.loaded = { machine: world.machine.snapshot(), kernel: world.kernel.snapshot() };
    this.enter();
  }

  get program(): KernelProgram {
    return this.world.program;
  }
  get status(): SessionStatus {
    return this.statusNow;
  }
  get result(): SessionResult | undefined {
    return this.resultNow;
  }
  /** Number of the stop that the session stands at. */
  get stop(): number {
    return this.stopNumber;
  }
  get stopReason(): StopView | undefined {
    return this.reason;
  }

  private enter(): void {
    const { kernel, machine, program } = this.world;
    kernel.beginRun(program, this.input);
    this.execution.begin(program);
    this.returnCheck.enter(machine);
    this.resultNow = undefined;
    this.finished = false;
    this.registersNow = undefined;
    this.stackNow = undefined;
    this.stopAt('entry', `Entered ${program.name}.`);
  }

  /** Starts over: maps, memory and counters as they were before the first instruction. */
  restart(): void {
    this.world.machine.restore(this.loaded.machine);
    this.world.kernel.restore(this.loaded.kernel);
    this.log.add({ kind: 'info', text: 'Restarted.', at: 0 });
    this.breakpoints.bind({ index: this.index, kernel: this.world.kernel });
    this.enter();
  }

  /** @throws EngineError `debugger/ended` when nothing is left to execute */
  step(step: StepKind, granularity: Granularity): void {
    this.requireGoing();
    this.resume(stepGoal(this.execution, step, granularity));
  }

  /** @throws EngineError `debugger/ended` */
  continue(): void {
    this.requireGoing();
    this.resume(CONTINUE);
  }

  /** @throws EngineError `debugger/ended`, `debugger/target` for a place that no code comes from */
  runTo(target: RunTarget): void {
    this.requireGoing();
    const place = resolvePlace({ index: this.index, kernel: this.world.kernel }, target);
    if (place.problem !== undefined) throw new EngineError('debugger/target', place.problem);
    this.resume(runToGoal(this.execution, place.addresses, place.label));
  }

  private requireGoing(): void {
    if (this.finished) {
      throw new EngineError(
        'debugger/ended',
        this.resultNow
          ? 'The program has returned; restart the session to run it again.'
          : 'The program cannot go on after this fault; restart the session to run it again.',
      );
    }
    if (this.statusNow === 'running') {
      throw new EngineError('debugger/running', 'The program is running; pause it first.');
    }
  }

  private resume(goal: Goal): void {
    this.goal = goal;
    this.statusNow = 'running';
    this.reason = undefined;
  }

  /** Stops a running session where it is. */
  pause(): void {
    if (this.statusNow !== 'running') return;
    this.stopAt('pause', `Paused in ${this.location().symbol}.`);
  }

  /**
   * Runs on for at most about `budget` instructions. Does nothing unless the session is running.
   * @returns true while it has not stopped
   */
  runSlice(budget: number): boolean {
    let left = budget;
    while (this.statusNow === 'running' && left > 0) {
      const before = this.instructions;
      try {
        this.runLeg(left);
      } catch (error) {
        // Machine and kernel have their limits, too (memory, for instance).
        if (!(error instanceof EngineError)) throw error;
        this.finished = true;
        this.stopAt('fault', error.message);
      }
      // Coming back costs as much as many instructions; the slice must stay short for the clock, too.
      left -= this.instructions - before + HALT_COST;
    }
    return this.statusNow === 'running';
  }

  /** Runs until it stops by itself. For command lines and tests; a window uses runSlice(). */
  runToStop(): void {
    while (this.runSlice(SYNCHRONOUS_SLICE));
  }

  /** False once the program has returned or cannot go on. */
  get canGoOn(): boolean {
    return !this.finished && this.reason?.kind !== 'limit';
  }

  /**
   * Executes one native instruction or one kernel function, without making a stop of it unless it is the last: for traces.
   * @returns what the machine came to
   */
  tick(): readonly Arrival[] {
    this.requireGoing();
    if (this.instructions >= this.limit) {
      this.stopAtLimit();
      return [];
    }
    const halt = this.execution.advance(1, EVERYTHING);
    if (halt.kind === 'arrived') return halt.arrivals;
    if (halt.kind !== 'budget') this.judge(halt, CONTINUE);
    return [];
  }

  private runLeg(budget: number): void {
    const goal = this.goal!;
    const { single, addresses } = goal.next();
    const allowed = this.limit - this.instructions;
    if (allowed <= 0) {
      this.stopAtLimit();
      return;
    }
    const halt = this.execution.advance(single ? 1 : Math.min(budget, allowed), this.interest(addresses));
    this.judge(halt, goal);
  }

  private interestNow:
    | { readonly goal: ReadonlySet<bigint>; readonly user: ReadonlySet<bigint>; readonly interest: Interest }
    | undefined;

  /** The goal's addresses and the user's breakpoints, as one set that stays the same while both do. */
  private interest(goal: ReadonlySet<bigint>): Interest {
    const user = this.breakpoints.addresses;
    let now = this.interestNow;
    if (!now || now.goal !== goal || now.user !== user) {
      const addresses = new Set([...goal, ...user]);
      const interest = { addresses, wants: (arrival: Arrival) => this.breakpoints.wants(arrival) };
      now = this.interestNow = { goal, user, interest };
    }
    return now.interest;
  }

  /** Whether a halt is a stop, and why. */
  private judge(halt: Halt, goal: Goal): void {
    switch (halt.kind) {
      case 'exit':
        return this.leave(halt.returnValue);
      case 'fault':
        this.finished = true;
        return this.stopAt('fault', faultText(halt.stop));
      case 'unknown':
        this.finished = true;
        return this.stopAt('unknown-helper', halt.message);
      case 'budget':
      case 'arrived': {
        const arrivals = halt.kind === 'arrived' ? halt.arrivals : [];
        const hits = this.breakpoints.hit(this.world.machine.pc, arrivals);
        if (hits.length > 0) return this.stopAtBreakpoint(hits, arrivals);
        if (goal.reached()) return this.stopAt(goal.stopKind, goal.text);
      }
    }
  }

  private stopAtLimit(): void {
    this.stopAt('limit', `The limit of ${this.limit} instructions is reached.`);
  }

  private stopAtBreakpoint(hits: readonly BreakpointView[], arrivals: readonly Arrival[]): void {
    const ids = hits.map((hit) => hit.id);
    const onEvent = hits.find((hit) => hit.spec.kind === 'event');
    const which = hits.map((hit) => `Breakpoint ${hit.id} (${hit.label})`).join(', ');
    const what = arrivals.map((arrival) => arrivalText(arrival, this.world.kernel)).join('; ');
    this.stopAt(
      onEvent ? 'event' : 'breakpoint',
      onEvent && what !== '' ? `${which}: ${what}.` : `${which}.`,
      ids,
    );
  }

  private leave(returnValue: bigint): void {
    const { kernel, machine, program } = this.world;
    const checks = this.returnCheck.leave(machine);
    this.resultNow = { ...kernel.finishRun(program, this.input), checks };
    this.finished = true;
    const failed = checks.find((check) => !check.ok);
    if (failed) return this.stopAt('check', failed.text);
    this.stopAt('exit', `${program.name} returned ${this.resultNow.retval} (R0 = ${hex64(returnValue)}).`);
  }

  private stopAt(kind: StopKind, text: string, breakpoints: readonly number[] = []): void {
    this.goal = undefined;
    this.statusNow = this.finished && this.resultNow ? 'ended' : 'stopped';
    this.stopNumber++;
    this.reason = { kind, text, breakpoints };
    const { machine } = this.world;
    this.registersBefore = this.registersNow;
    this.registersNow = { pc: machine.pc, x: machine.registers() };
    this.stackBefore = this.stackNow;
    this.stackNow = this.stackImage();
    if (kind === 'fault' || kind === 'unknown-helper' || kind === 'check') {
      this.log.add({ kind: 'error', text, at: this.instructions, pc: machine.pc });
    }
  }

  private stackImage(): StackImage | undefined {
    const base = this.world.machine.getRegister(REG.sp) & ~15n;
    const region = this.world.machine.memory.regionAt(base);
    if (!region) return undefined;
    const size = Math.min(Number(region.base + BigInt(region.size) - base), STACK_BYTES_KEPT);
    const bytes = this.world.machine.memory.tryRead(base, size);
    return bytes && { base, bytes };
  }

  private logArrival(arrival: Arrival): void {
    if (arrival.kind === 'helper-call' || arrival.kind === 'tail-call-attempted') return;
    this.log.add({
      kind: 'tail-call',
      text: () => arrivalText(arrival, this.world.kernel),
      at: this.instructions,
      pc: arrival.site.start,
    });
  }

  private get instructions(): number {
    return Number(this.world.machine.counters().instructions);
  }

  counters(): CountersView {
    const { instructions, loads, stores, cycles } = this.world.machine.counters();
    return {
      instructions: Number(instructions),
      loads: Number(loads),
      stores: Number(stores),
      cycles: cycles === null ? null : Number(cycles),
      tailCalls: this.execution.tailCalls,
      helperCalls: this.execution.helperCalls,
    };
  }

  view(): SessionView {
    const { profile, object, program, machine } = this.world;
    const stopped = this.statusNow === 'stopped';
    const frame = stopped ? this.frames().find((f) => f.code !== undefined) : undefined;
    const tcc = frame && readTcc(machine, frame);
    return {
      session: this.id,
      stop: this.stopNumber,
      status: this.statusNow,
      object: object.name,
      program: program.name,
      profile: { kernel: profile.kernel, tcc: profile.tcc, isa: isaText(profile.isa) },
      inputs: this.inputs,
      ...(this.reason && { reason: this.reason }),
      ...(stopped && { location: this.location() }),
      counters: this.counters(),
      ...(this.resultNow && { result: resultView(this.resultNow) }),
      ...(tcc && { tcc }),
    };
  }

  location(): LocationView {
    return this.locate(this.world.machine.pc);
  }

  private locate(pc: bigint): LocationView {
    return locationView(this.world.kernel, this.index, pc);
  }

  functions(): readonly FunctionView[] {
    return this.index.functions.map((code) => code.view());
  }

  /** @throws EngineError `debugger/function` */
  listing(key: string): ListingView {
    const code = this.index.get(key);
    return { session: this.id, function: code.view(), ...listing(this.world.kernel, code, this.sources) };
  }

  registers(): RegistersView {
    return {
      session: this.id,
      stop: this.stopNumber,
      registers: registerViews(this.registersNow!, this.registersBefore, this.frames()),
    };
  }

  /** The call stack as the unwinder finds it, innermost first. */
  frames(): readonly Frame[] {
    return this.finished && this.resultNow ? [] : unwind(this.world.machine, this.world.kernel, this.index);
  }

  stack(): StackView {
    const frames: readonly StackFrameView[] = stackFrameViews(
      this.frames(),
      this.world.kernel,
      this.index,
      (cfa) => this.execution.replacementAt(cfa),
    );
    return { session: this.id, stop: this.stopNumber, frames };
  }

  /** @throws EngineError `debugger/frame` for a frame that there is not, or that is no BPF function's */
  frame(number: number): FrameView {
    const frame = this.frames()[number];
    if (!frame) {
      throw new EngineError('debugger/frame', `The call stack has no frame ${number}.`, { frame: number });
    }
    const layout = frameLayoutView(this.world.machine.memory, frame, this.stackBefore);
    return { session: this.id, stop: this.stopNumber, frame: number, name: frame.name, ...layout };
  }

  maps(): readonly MapView[] {
    return this.world.kernel.maps.map((map) => mapView(this.world.kernel, map));
  }

  /** `length` bytes from `address`; unmapped bytes are shown as such. */
  memory(address: bigint, length: number): MemoryView {
    return {
      session: this.id,
      stop: this.stopNumber,
      ...memoryView(this.world.machine.memory, address, length),
    };
  }

  /** Lines of the console from number `from` on. */
  output(from: number): readonly OutputView[] {
    return this.log.since(from, (pc) => this.locate(pc));
  }

  /** Number of the console's next line. */
  get outputLength(): number {
    return this.log.length;
  }
}

/** The interest of a trace. */
const EVERYTHING: Interest = { addresses: new Set(), wants: () => true };
/** Instructions that one return to the session counts for in a slice. */
const HALT_COST = 200;
const SYNCHRONOUS_SLICE = 10_000_000;

function resultView(result: SessionResult): SessionView['result'] {
  return {
    retval: result.retval,
    ...(result.dataOut && { dataOut: bytesToHex(result.dataOut) }),
    ...(result.ctxOut && { ctxOut: bytesToHex(result.ctxOut) }),
  };
}
