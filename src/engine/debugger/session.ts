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
import { UserInterest } from './user-interest';
import { PipelineLens } from './pipeline';
import { STALL_SENTENCES } from './pipeline-views';
import { faultText } from './sentences';
import { SessionLog } from './session-log';
import { SessionPast, type Asked } from './session-past';
import { Standing } from './standing';
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

/** What a session is made of. */
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
  private readonly standing = new Standing();
  /** What a running session is on its way to, unless it is in the past. */
  private goal: Goal | undefined;
  private readonly past: SessionPast;
  private readonly interest: UserInterest;

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
    this.interest = new UserInterest(this.breakpoints);
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
        interest: () => this.interest.alone(),
        depart: () => this.standing.depart(),
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
    return this.standing.status;
  }
  get result(): SessionResult | undefined {
    return this.standing.result;
  }
  get stopReason(): StopView | undefined {
    return this.standing.reason;
  }
  /** False once the program has returned or cannot go on. */
  get canGoOn(): boolean {
    return this.standing.canGoOn;
  }
  /** Whether there is a past to step back into. */
  get canGoBack(): boolean {
    return this.history?.canGoBack ?? false;
  }

  private get names(): Names {
    return { kernel: this.world.kernel, index: this.index };
  }

  private get state(): SessionState {
    const { status, reason, result } = this.standing;
    return { status, reason, result, canGoBack: status !== 'running' && this.canGoBack };
  }

  private enter(): void {
    const { kernel, machine, program } = this.world;
    kernel.beginRun(program, this.input);
    this.execution.begin(program);
    this.returnCheck.enter(machine);
    this.history?.begin();
    this.standing.begin();
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
    this.standing.requireGoing();
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
    this.standing.requireStanding();
    const { clock, execution } = this;
    const now = clock.needNow();
    if (!Number.isSafeInteger(cycle) || cycle < 0)
      throw new EngineError('debugger/target', `There is no cycle ${cycle}; give a whole number from 0 on.`);
    if (cycle > now) {
      this.standing.requireGoing();
      const goal = new CycleGoal(execution, clock, cycle, false);
      return goal.reached() ? this.stopAt(goal.stopKind, goal.text) : this.resume(goal);
    }
    this.past.backToCycle(cycle);
  }

  /** @throws EngineError `debugger/ended` */
  continue(): void {
    this.standing.requireGoing();
    this.resume(CONTINUE);
  }

  /** @throws EngineError `debugger/ended`, `debugger/target` for a place that no code comes from */
  runTo(target: RunTarget): void {
    this.standing.requireGoing();
    const place = resolvePlace({ index: this.index, kernel: this.world.kernel }, target);
    if (place.problem !== undefined) throw new EngineError('debugger/target', place.problem);
    this.resume(runToGoal(this.execution, place.addresses, place.label));
  }

  /**
   * Steps back to where a step forwards by the same unit would have stopped last.
   * @throws EngineError `debugger/history` at the first instant, `debugger/step`
   */
  stepBack(step: StepKind, granularity: Granularity): void {
    this.standing.requireStanding();
    this.past.stepBack(step, granularity);
  }

  /** Goes back to the last breakpoint that was come to, or to the first instant. @throws EngineError `debugger/history` */
  reverseContinue(): void {
    this.standing.requireStanding();
    this.past.reverseContinue();
  }

  /**
   * Goes to an instant of the run (Execution.time, as answers tell it).
   * @throws EngineError `debugger/history` for an instant that has not been seen
   */
  goTo(time: number): void {
    this.standing.requireStanding();
    this.past.goTo(time);
  }

  /**
   * Who wrote a register or memory last? The session searches its past (run slices until it stands again) and comes back
   * to where it stands; pausing ends the search without an answer.
   * @throws EngineError `debugger/history`, `debugger/watch` for a target that there is not
   */
  lastWrite(target: WriteTarget): Asked<LastWriteView> {
    this.standing.requireStanding();
    return this.past.lastWrite(target);
  }

  private resume(goal: Goal): void {
    this.goal = goal;
    this.clock.forget();
    this.standing.run();
  }

  /** Stops a running session where it is; one on its way back returns to where it was. */
  pause(): void {
    if (this.status !== 'running') return;
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
    while (this.status === 'running' && left > 0) {
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
    return this.status === 'running';
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
    this.standing.requireGoing();
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
      untilCycle === undefined
        ? this.interest.with(addresses)
        : { ...this.interest.with(addresses), untilCycle };
    const halt = this.execution.advance(single ? 1 : Math.min(budget, allowed), interest);
    this.history?.note();
    this.judge(halt, goal);
  }

  /** Whether a halt is a stop, and why. */
  private judge(halt: Halt, goal: Goal): void {
    switch (halt.kind) {
      case 'exit':
        return this.leave(halt.returnValue);
      case 'fault':
        this.standing.finish();
        return this.stopAt('fault', faultText(halt.stop));
      case 'unknown':
        this.standing.finish();
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
    const result = { ...kernel.finishRun(program), checks };
    this.standing.finish(result);
    const failed = checks.find((check) => !check.ok);
    if (failed) return this.stopAt('check', failed.text);
    this.stopAt('exit', `${program.name} returned ${result.retval} (R0 = ${hex64(returnValue)}).`);
  }

  /** Machine and kernel have their limits, too (memory, for instance): the run ends there. */
  private giveUp(error: unknown): void {
    if (!(error instanceof EngineError)) throw error;
    this.standing.finish();
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
    this.standing.stop({ kind, text, breakpoints, ...(by && { by }) });
    this.stops.take(this.world.machine);
    if (kind === 'fault' || kind === 'unknown-helper' || kind === 'check') {
      this.log.add({ kind: 'error', text, at: this.instructions, pc: this.world.machine.pc });
    }
  }

  private get instructions(): number {
    return Number(this.world.machine.instructions);
  }

  counters(): CountersView {
    return this.views.counters();
  }

  view(): SessionView {
    return this.views.session();
  }
}

const NOTHING_CAME = { arrivals: [], watched: [] } as const;
/** Instructions that one return to the session counts for in a slice. */
const HALT_COST = 200;
const SYNCHRONOUS_SLICE = 10_000_000;
/** The interest of a trace. */
const EVERYTHING: Interest = { addresses: new Set(), wants: () => true };
