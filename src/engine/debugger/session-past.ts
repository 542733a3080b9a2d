import { EngineError } from '../base/errors';
import { breakpointStop } from './breakpoint-stop';
import type { Breakpoints } from './breakpoints';
import { instantOfCycle, previousCycle, type CycleClock } from './cycles';
import type { Execution, Halt, Interest } from './execution';
import type { History } from './history';
import { lastWrite, lastWriteView } from './last-write';
import type { PipelineLens } from './pipeline';
import { lastArrival, type PastHalt } from './reverse';
import { unwind } from './stack';
import { stepBackTarget } from './step-back';
import type { Granularity, LastWriteView, StepKind, StopView, WriteTarget } from './views';
import type { Names } from './watch-sentences';

/** What travels through the past move, and find their way by. */
export interface PastWorld {
  readonly execution: Execution;
  readonly history: History | undefined;
  readonly clock: CycleClock;
  readonly lens: PipelineLens;
  readonly names: Names;
}

/** The session whose past it is. */
export interface PastHost {
  readonly breakpoints: Breakpoints;
  programName(): string;
  /** The present stop, for answers. */
  stamp(): { readonly session: string; readonly stop: number };
  /** What the user's breakpoints halt for. */
  interest(): Interest;
  /** The session runs, through its past. @returns puts back how it stood with the session */
  depart(): () => void;
  stop(view: StopView): void;
  /** What the run came to at an instant, as when it is run. */
  judge(halt: Halt): void;
}

/** A question to the past: its answer is there once the session stands again, unless the search was ended. */
export interface Asked<T> {
  readonly answer?: T;
}

/** A way to an instant of the past. */
interface Journey {
  readonly search: Generator<number, number>;
  arrive(time: number): void;
  /** Back to where it set out. */
  comeBack(): void;
  /** It is over: there is no way back any more. */
  end(): void;
  /** It moves nothing, it only finds out. */
  readonly question: boolean;
}

/** Units of time in which the last instructions are found that retired in one cycle. */
const CYCLE_UNITS = 16;
const FIRST_INSTANT: StopView = {
  kind: 'history-start',
  text: 'The first instant of the run.',
  breakpoints: [],
};

/** A session's travels through its past, one at a time, in pieces between which its host serves others. */
export class SessionPast {
  private journey: Journey | undefined;

  constructor(
    private readonly world: PastWorld,
    private readonly host: PastHost,
  ) {}

  get travelling(): boolean {
    return this.journey !== undefined;
  }

  /** Goes on with the journey. @returns units of time spent */
  goOn(): number {
    const { journey } = this;
    if (!journey) return 0;
    const step = journey.search.next();
    if (!step.done) return step.value;
    this.journey = undefined;
    journey.arrive(step.value);
    journey.end();
    return 0;
  }

  /** Ends a journey where it set out. @returns what it was, undefined when there is none */
  giveUp(): 'question' | 'journey' | undefined {
    const { journey } = this;
    this.journey = undefined;
    if (!journey) return undefined;
    journey.comeBack();
    journey.end();
    return journey.question ? 'question' : 'journey';
  }

  /** Ends a journey, if there is one, without coming back. */
  forget(): void {
    this.journey?.end();
    this.journey = undefined;
  }

  /** @throws EngineError `debugger/history` at the first instant, `debugger/step` */
  stepBack(step: StepKind, granularity: Granularity): void {
    const history = this.need();
    if (granularity === 'cycle' && step !== 'out') return this.stepCycleBack();
    const { execution, names } = this.world;
    const unit = granularity === 'cycle' ? 'native' : granularity;
    const frames = unwind(execution.machine, names.kernel, names.index);
    const search = stepBackTarget(execution, history, frames, step, unit);
    this.goBack(search, (time) =>
      time === history.start ? undefined : { kind: 'step', text: `Step back ${step}.`, breakpoints: [] },
    );
  }

  private stepCycleBack(): void {
    const { clock, lens, execution } = this.world;
    const now = { time: execution.time, cycle: clock.needNow() };
    const before = previousCycle(lens.past(CYCLE_UNITS), now);
    this.goBack(instant(before.time), () => {
      clock.set(before.cycle);
      return { kind: 'step', text: `Back in cycle ${before.cycle}.`, breakpoints: [] };
    });
  }

  /** To where all that retired by a cycle was done. @throws EngineError `debugger/history` */
  backToCycle(cycle: number): void {
    const history = this.need();
    const { clock, execution } = this.world;
    this.goBack(instantOfCycle(execution, history, clock, cycle, execution.time), (time) => {
      clock.set(cycle);
      if (time === history.start) return undefined;
      return { kind: 'run-to', text: `Back at cycle ${cycle}.`, breakpoints: [] };
    });
  }

  /** To the last breakpoint that was come to, or to the first instant. @throws EngineError `debugger/history` */
  reverseContinue(): void {
    const history = this.need();
    const { execution, names } = this.world;
    let halt: PastHalt | undefined;
    const search = lastArrival(execution, history, this.host.interest(), (found) => (halt = found));
    this.goBack(search, () => {
      if (!halt) return undefined;
      const { arrivals, watched } = halt;
      const hits = this.host.breakpoints.at(execution.machine.pc, arrivals, watched);
      return breakpointStop(names, hits, arrivals, watched);
    });
  }

  /** @throws EngineError `debugger/history` for an instant that has not been seen */
  goTo(time: number): void {
    const history = this.needHistory();
    if (!Number.isInteger(time) || time < history.start || time > history.end) {
      const range = `${history.start} to ${history.end}`;
      throw new EngineError('debugger/history', `Instant ${time} is not in the past of this run (${range}).`);
    }
    // The last unit of time is executed on arrival: it may be the one that ends the run.
    const before = Math.max(time - 1, history.start);
    this.setOut(journey(history, instant(before)), () => {
      const halt = history.goTo(time);
      if (halt) return this.host.judge(halt);
      if (time === history.start) return this.host.stop(FIRST_INSTANT);
      const { instructions } = this.world.execution.machine.counters();
      const text = `Gone to where ${instructions} instructions had been executed.`;
      this.host.stop({ kind: 'run-to', text, breakpoints: [] });
    });
  }

  /** @throws EngineError `debugger/history`, `debugger/watch` for a target that there is not */
  lastWrite(target: WriteTarget): Asked<LastWriteView> {
    const history = this.needHistory();
    const { execution, names } = this.world;
    const asked: { answer?: LastWriteView } = {};
    const stamp = this.host.stamp();
    const search = lastWrite(execution, history, target, (found) => {
      asked.answer = lastWriteView(names, target, found, stamp, this.host.programName());
    });
    this.setOut(search, (_, comeBack) => comeBack(), true);
    return asked;
  }

  private needHistory(): History {
    const { history } = this.world;
    if (history) return history;
    throw new EngineError('debugger/history', 'This session keeps no history, so it cannot go back.');
  }

  private need(): History {
    const history = this.needHistory();
    if (history.canGoBack) return history;
    throw new EngineError(
      'debugger/history',
      'This is the first instant of the run; there is nothing before it.',
    );
  }

  /**
   * Sets out for an instant of the past.
   * @param search finds the instant, travelling through the past
   * @param stopAtTime why it is a stop; undefined: it is only the first instant
   */
  private goBack(
    search: Generator<number, number>,
    stopAtTime: (time: number) => StopView | undefined,
  ): void {
    this.setOut(journey(this.needHistory(), search), (time) =>
      this.host.stop(stopAtTime(time) ?? FIRST_INSTANT),
    );
  }

  /**
   * Lets a search travel through the past.
   * @param arrive what to do when it has ended; `comeBack` returns to where it set out
   * @param question the search moves nothing: pausing it is no new stop
   */
  private setOut(
    search: Generator<number, number>,
    arrive: (time: number, comeBack: () => void) => void,
    question = false,
  ): void {
    const history = this.needHistory();
    const { clock } = this.world;
    const cycle = clock.now;
    const origin = history.present();
    const standAgain = this.host.depart();
    clock.forget();
    const comeBack = (): void => {
      history.restore(origin);
      if (cycle !== null) clock.set(cycle);
      standAgain();
    };
    const end = (): void => {
      search.return(origin.time);
      origin.machine.release();
    };
    this.forget();
    this.journey = { search, arrive: (time) => arrive(time, comeBack), comeBack, end, question };
  }
}

/** A search that has found the instant already. */
function* instant(time: number): Generator<number, number> {
  yield 0;
  return time;
}

/** A search, and the way to what it finds. */
function* journey(history: History, search: Generator<number, number>): Generator<number, number> {
  const time = yield* search;
  yield* history.travel(time);
  return time;
}
