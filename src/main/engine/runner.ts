import type { Session } from '../../engine/debugger/session';
import type { SessionView } from '../../engine/debugger/views';
import type { EngineServiceOptions } from './service';

/** A slice takes about this long, so that a pause is served well within 50 ms. Milliseconds. */
const SLICE_MS = 8;
const FIRST_SLICE = 200_000;
const SHORTEST_SLICE = 10_000;
const LONGEST_SLICE = 20_000_000;
/** Lines of the console that one event carries at most; a client asks for those that it misses. */
const PUSHED_LINES = 200;
/** While the program runs, new lines are told this often at most: one that prints all the time must not drown the window. */
const TELL_EVERY_MS = 250;

/** Runs a session in slices between which the thread serves other requests, and tells the client what happens. */
export class SessionRunner {
  private budget = FIRST_SLICE;
  private scheduled: NodeJS.Immediate | undefined;
  private told = 0;
  private toldAt = 0;
  private waiting: ((view: SessionView) => void)[] = [];

  constructor(
    readonly session: Session,
    private readonly emit: EngineServiceOptions['emit'],
  ) {}

  /** Tells the client the session's state, and gives it back. */
  changed(): SessionView {
    this.tellOutput();
    const view = this.session.view();
    this.emit('session.changed', view);
    return view;
  }

  /** Lets a resumed session run; its stop is told by an event. */
  runOn(): SessionView {
    const view = this.changed();
    this.schedule();
    return view;
  }

  /** Lets a resumed session run and answers when it has stopped. Most steps end at once, without becoming visible as a run. */
  runToStop(): SessionView | Promise<SessionView> {
    return this.slice() ? this.waitForStop() : this.stopped();
  }

  private waitForStop(): Promise<SessionView> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.runOn();
    });
  }

  /** Lets a session search its past, which moves it nowhere: a search that ends at once is not told. */
  find(): SessionView | Promise<SessionView> {
    if (this.slice()) return this.waitForStop();
    return this.session.view();
  }

  pause(): SessionView {
    if (this.session.status !== 'running') return this.session.view();
    this.session.pause();
    return this.stopped();
  }

  restart(): void {
    this.cancel();
    this.session.restart();
    this.release(this.session.view());
  }

  /** The session is over: nothing runs any more, whoever waits for a stop is answered. */
  end(): void {
    this.cancel();
    this.session.pause();
    this.release(this.session.view());
  }

  private schedule(): void {
    this.scheduled = setImmediate(() => {
      this.scheduled = undefined;
      if (this.slice()) {
        if (performance.now() - this.toldAt >= TELL_EVERY_MS) this.tellOutput();
        this.schedule();
      } else {
        this.stopped();
      }
    });
  }

  private cancel(): void {
    if (this.scheduled) clearImmediate(this.scheduled);
    this.scheduled = undefined;
  }

  /** @returns true while the session has not stopped */
  private slice(): boolean {
    const begun = performance.now();
    const running = this.session.runSlice(this.budget);
    const took = Math.max(performance.now() - begun, 0.1);
    const fitting = (this.budget * SLICE_MS) / took;
    this.budget = Math.floor(
      Math.min(Math.max(fitting, this.budget / 4, SHORTEST_SLICE), this.budget * 2, LONGEST_SLICE),
    );
    return running;
  }

  private stopped(): SessionView {
    this.cancel();
    const view = this.changed();
    if ((view.reason?.breakpoints.length ?? 0) > 0) {
      this.emit('session.breakpoints', this.session.breakpoints.views());
    }
    this.release(view);
    return view;
  }

  private release(view: SessionView): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve(view);
  }

  private tellOutput(): void {
    const { outputLength } = this.session.views;
    if (outputLength <= this.told) return;
    const lines = this.session.views.output(Math.max(this.told, outputLength - PUSHED_LINES));
    this.told = outputLength;
    this.toldAt = performance.now();
    this.emit('session.output', lines);
  }
}
