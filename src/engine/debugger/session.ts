import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import type { KernelProgram, KernelSnapshot, TestRunInput } from '../kernel/types';
import type { MachineSnapshot } from '../machine/types';
import type { Arrival } from './arrivals';
import { breakpointStop } from './breakpoint-stop';
import { Breakpoints, resolvePlace } from './breakpoints';
import type { World } from './build';
import { ReturnCheck } from './checks';
import { CodeIndex } from './code-index';
import { EventLog } from './event-log';
import { CycleClock, CycleGoal } from './cycles';
import { Execution, type Halt, type Interest } from './execution';
import { History, HISTORY_LIMITS, type HistoryLimits } from './history';
import { testRunInput } from './inputs';
import type { Sources } from './listing';
import { PipelineLens } from './pipeline';
import { STALL_SENTENCES } from './pipeline-views';
import { faultText } from './sentences';
import { SessionLog } from './session-log';
import { SessionPast, type Asked } from './session-past';
import { SessionViews, type SessionResult, type SessionState } from './session-views';
import { CONTINUE, runToGoal, stepGoal, type Goal } from './stepping';
import { StopImages } from './stop-images';
import type {
  CountersView,
  Granularity,
  InputsView,
  LastWriteView,
  RunTarget,
  SessionStatus,
  SessionView,
  StepKind,
  StopKind,
  StopView,
  WriteTarget,
} from './views';
import type { Names } from './watch-sentences';

export interface SessionOptions {
  readonly id: string;
  readonly world: World;
  readonly inputs: InputsView;
  readonly breakpoints?: Breakpoints;
  readonly sources?: Sources;
  /** Instructions after which a run stops with `limit`; none unless told. */
  readonly limit?: number;
  /**
   * Whether the session can go back in time, which costs memory and a little speed, and how much history it keeps; it can, with
   * HISTORY_LIMITS, unless told.
   */
  readonly history?: boolean | HistoryLimits;
}

/**
 * One program being run and watched. It stands still until it is told to step or continue; then it goes on in slices, so
 * that its host can serve other requests, pause it or end it in between. What it looks like is told by `views`.
 */
export class Session {
  readonly id: string;
  readonly index: CodeIndex;
  readonly breakpoints: Breakpoints;
  readonly execution: Execution;
  readonly views: SessionViews;
  private readonly world: World;
  private readonly input: TestRunInput;
  private readonly limit: number;
  private readonly log = new EventLog();
  private readonly stops = new StopImages();
  private readonly returnCheck = new ReturnCheck();
  private readonly history: History | undefined;
  private readonly clock: CycleClock;
  /** The state before the first run. */
  private readonly loaded: { readonly machine: MachineSnapshot; readonly kernel: KernelSnapshot };
  private statusNow: SessionStatus = 'stopped';
  private reason: StopView | undefined;
  /** What a running session is on its way to, unless it is in the past. */
  private goal: Goal | undefined;
  private readonly past: SessionPast;
  private resultNow: SessionResult | undefined;
  /** True once nothing more can be executed: the program returned, or it faulted. */
  private finished = false;
  private interestNow:
    | { readonly goal: ReadonlySet<bigint>; readonly user: ReadonlySet<bigint>; readonly interest: Interest }
    | undefined;

  /** The session stands at the program's entry. @throws EngineError for inputs that the program type does not take */
  constructor(options: SessionOptions) {
    const { world } = options;
    this.id = options.id;
    this.world = world;
    this.input = testRunInput(options.inputs);
    this.limit = options.limit ?? Number.MAX_SAFE_INTEGER;
    this.index = new CodeIndex(world.kernel);
    const listener = new SessionLog({
      kernel: world.kernel,
      log: this.log,
      instructions: () => this.instructions,
      isNews: () => !(this.history?.replaying ?? false),
    });
    this.execution = new Execution(world.machine, world.kernel, this.index, listener);
    this.breakpoints = options.breakpoints ?? new Breakpoints();
    this.breakpoints.bind({ index: this.index, kernel: world.kernel });
    this.loaded = { machine: world.machine.snapshot(), kernel: world.kernel.snapshot() };
    const { history = true } = options;
    if (history !== false) {
      const limits = history === true ? HISTORY_LIMITS : history;
      this.history = new History(world.machine, world.kernel, this.execution, limits);
    }
    const lens = new PipelineLens(this.execution, this.history);
    this.clock = new CycleClock(world.machine, lens);
    this.past = new SessionPast(
      { execution: this.execution, history: this.history, clock: this.clock, lens, names: this.names },
      {
        stamp: () => ({ session: this.id, stop: this.stops.number }),
        programName: () => this.program.name,
        breakpoints: this.breakpoints,
        interest: () => this.interest(NOWHERE),
        depart: () => this.depart(),
        stop: ({ kind, text, breakpoints, by }) => this.stopAt(kind, text, breakpoints, by),
        judge: (halt) => this.judge(halt, CONTINUE),
      },
    );
    this.views = new SessionViews({
      id: this.id,
      world,
      index: this.index,
      execution: this.execution,
      inputs: options.inputs,
      sources: options.sources ?? {},
      log: this.log,
      stops: this.stops,
      clock: this.clock,
      lens,
      state: () => this.state,
    });
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
  get stopReason(): StopView | undefined {
    return this.reason;
  }
  /** False once the program has returned or cannot go on. */
  get canGoOn(): boolean {
    return !this.finished && this.reason?.kind !== 'limit';
  }
  /** Whether there is a past to step back into. */
  get canGoBack(): boolean {
    return this.history?.canGoBack ?? false;
  }

  private get names(): Names {
    return { kernel: this.world.kernel, index: this.index };
  }

  private get state(): SessionState {
    const { statusNow: status, reason, resultNow: result } = this;
    return { status, reason, result, canGoBack: status !== 'running' && this.canGoBack };
  }

  private enter(): void {
    const { kernel, machine, program } = this.world;
    kernel.beginRun(program, this.input);
    this.execution.begin(program);
    this.returnCheck.enter(machine);
    this.history?.begin();
    this.resultNow = undefined;
    this.finished = false;
    this.stops.forget();
    this.stopAt('entry', `Entered ${program.name}.`);
  }

  /** Starts over: maps, memory and counters as they were before the first instruction. */
  restart(): void {
    this.world.machine.restore(this.loaded.machine);
    this.world.kernel.restore(this.loaded.kernel);
    this.log.add({ kind: 'info', text: 'Restarted.', at: 0 });
    this.breakpoints.bind({ index: this.index, kernel: this.world.kernel });
    this.past.forget();
    this.enter();
  }

  /** @throws EngineError `debugger/ended` when nothing is left to execute, `debugger/step` */
  step(step: StepKind, granularity: Granularity): void {
    this.requireGoing();
    if (granularity === 'cycle' && step !== 'out') return this.stepCycle();
    this.resume(stepGoal(this.execution, step, granularity === 'cycle' ? 'native' : granularity));
  }

  /** To the next cycle, whether an instruction retires in it or not. A kernel function takes none, but is a step. */
  private stepCycle(): void {
    const { clock, execution } = this;
    const now = clock.needNow();
    const target = execution.inKernel ? now : now + 1;
    const goal = new CycleGoal(execution, clock, target, true);
    if (execution.inKernel || !goal.reached()) return this.resume(goal);
    const cause = clock.bubble(target);
    this.stopAt('step', `Cycle ${target}: nothing retires${cause ? `; ${STALL_SENTENCES[cause]}` : ''}.`);
  }

  /**
   * Runs until all that retires by a cycle is done, or goes back to then.
   * @throws EngineError `debugger/ended`, `debugger/step` without a timing profile, `debugger/target`
   */
  runToCycle(cycle: number): void {
    this.requireStanding();
    const { clock, execution } = this;
    const now = clock.needNow();
    if (!Number.isSafeInteger(cycle) || cycle < 0)
      throw new EngineError('debugger/target', `There is no cycle ${cycle}; give a whole number from 0 on.`);
    if (cycle > now) {
      this.requireGoing();
      const goal = new CycleGoal(execution, clock, cycle, false);
      return goal.reached() ? this.stopAt(goal.stopKind, goal.text) : this.resume(goal);
    }
    this.past.backToCycle(cycle);
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

  /**
   * Steps back to where a step forwards by the same unit would have stopped last.
   * @throws EngineError `debugger/history` at the first instant, `debugger/step`
   */
  stepBack(step: StepKind, granularity: Granularity): void {
    this.requireStanding();
    this.past.stepBack(step, granularity);
  }

  /** Goes back to the last breakpoint that was come to, or to the first instant. @throws EngineError `debugger/history` */
  reverseContinue(): void {
    this.requireStanding();
    this.past.reverseContinue();
  }

  /**
   * Goes to an instant of the run (Execution.time, as answers tell it).
   * @throws EngineError `debugger/history` for an instant that has not been seen
   */
  goTo(time: number): void {
    this.requireStanding();
    this.past.goTo(time);
  }

  /**
   * Who wrote a register or memory last? The session searches its past (run slices until it stands again) and comes back
   * to where it stands; pausing ends the search without an answer.
   * @throws EngineError `debugger/history`, `debugger/watch` for a target that there is not
   */
  lastWrite(target: WriteTarget): Asked<LastWriteView> {
    this.requireStanding();
    return this.past.lastWrite(target);
  }

  /** Sets out for the past. @returns puts back how it stood with the session */
  private depart(): () => void {
    const { finished, resultNow, reason, statusNow } = this;
    this.finished = false;
    this.resultNow = undefined;
    this.statusNow = 'running';
    this.reason = undefined;
    return () => {
      this.finished = finished;
      this.resultNow = resultNow;
      this.reason = reason;
      this.statusNow = statusNow;
    };
  }

  private requireStanding(): void {
    if (this.statusNow !== 'running') return;
    throw new EngineError('debugger/running', 'The program is running; pause it first.');
  }

  private requireGoing(): void {
    this.requireStanding();
    if (!this.finished) return;
    throw new EngineError(
      'debugger/ended',
      this.resultNow
        ? 'The program has returned; restart the session to run it again.'
        : 'The program cannot go on after this fault; restart the session to run it again.',
    );
  }

  private resume(goal: Goal): void {
    this.goal = goal;
    this.clock.forget();
    this.statusNow = 'running';
    this.reason = undefined;
  }

  /** Stops a running session where it is; one on its way back returns to where it was. */
  pause(): void {
    if (this.statusNow !== 'running') return;
    // A question that is given up has moved nothing.
    if (this.past.giveUp() === 'question') return;
    this.stopAt('pause', `Paused in ${this.views.location().symbol}.`);
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
        if (this.past.travelling) left -= this.past.goOn();
        else this.runLeg(left);
      } catch (error) {
        this.giveUp(error);
      }
      // Coming back costs as much as many instructions; the slice must stay short for the clock, too.
      left -= Math.max(this.instructions - before, 0) + HALT_COST;
    }
    return this.statusNow === 'running';
  }

  /** Runs until it stops by itself. For command lines and tests; a window uses runSlice(). */
  runToStop(): void {
    while (this.runSlice(SYNCHRONOUS_SLICE));
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
    try {
      const halt = this.execution.advance(1, EVERYTHING);
      this.history?.note();
      if (halt.kind === 'arrived') return halt.arrivals;
      if (halt.kind !== 'budget') this.judge(halt, CONTINUE);
    } catch (error) {
      this.giveUp(error);
    }
    return [];
  }

  private runLeg(budget: number): void {
    const goal = this.goal!;
    const { single, addresses, untilCycle } = goal.next();
    const allowed = Math.min(this.limit - this.instructions, this.history?.prepare() ?? Infinity);
    if (this.limit - this.instructions <= 0) return this.stopAtLimit();
    const interest =
      untilCycle === undefined ? this.interest(addresses) : { ...this.interest(addresses), untilCycle };
    const halt = this.execution.advance(single ? 1 : Math.min(budget, allowed), interest);
    this.history?.note();
    this.judge(halt, goal);
  }

  /** The goal's addresses and the user's breakpoints, as one set that stays the same while both do. */
  private interest(goal: ReadonlySet<bigint>): Interest {
    const user = this.breakpoints.addresses;
    let now = this.interestNow;
    if (!now || now.goal !== goal || now.user !== user) {
      const addresses = new Set([...goal, ...user]);
      const { watches } = this.breakpoints;
      const interest = { addresses, watches, wants: (arrival: Arrival) => this.breakpoints.wants(arrival) };
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
        const { arrivals, watched } = halt.kind === 'arrived' ? halt : NOTHING_CAME;
        const hits = this.breakpoints.hit(this.world.machine.pc, arrivals, watched);
        if (hits.length > 0) {
          const { kind, text, breakpoints, by } = breakpointStop(this.names, hits, arrivals, watched);
          return this.stopAt(kind, text, breakpoints, by);
        }
        if (goal.reached()) return this.stopAt(goal.stopKind, goal.text);
      }
    }
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

  /** Machine and kernel have their limits, too (memory, for instance): the run ends there. */
  private giveUp(error: unknown): void {
    if (!(error instanceof EngineError)) throw error;
    this.finished = true;
    this.stopAt('fault', error.message);
  }

  private stopAtLimit(): void {
    this.stopAt('limit', `The limit of ${this.limit} instructions is reached.`);
  }

  private stopAt(
    kind: StopKind,
    text: string,
    breakpoints: readonly number[] = [],
    by?: StopView['by'],
  ): void {
    this.goal = undefined;
    this.statusNow = this.finished && this.resultNow ? 'ended' : 'stopped';
    this.reason = { kind, text, breakpoints, ...(by && { by }) };
    this.stops.take(this.world.machine);
    if (kind === 'fault' || kind === 'unknown-helper' || kind === 'check') {
      this.log.add({ kind: 'error', text, at: this.instructions, pc: this.world.machine.pc });
    }
  }

  private get instructions(): number {
    return Number(this.world.machine.counters().instructions);
  }

  counters(): CountersView {
    return this.views.counters();
  }

  view(): SessionView {
    return this.views.session();
  }
}

const NOWHERE: ReadonlySet<bigint> = new Set();
const NOTHING_CAME = { arrivals: [], watched: [] } as const;
/** Instructions that one return to the session counts for in a slice. */
const HALT_COST = 200;
const SYNCHRONOUS_SLICE = 10_000_000;
/** The interest of a trace. */
const EVERYTHING: Interest = { addresses: new Set(), wants: () => true };
