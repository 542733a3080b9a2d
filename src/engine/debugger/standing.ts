import { EngineError } from '../base/errors';
import type { SessionResult } from './session-views';
import type { SessionStatus, StopView } from './views';

/** How it stands with a session: whether it runs, why it stopped, what has become of its program. */
export class Standing {
  private running = false;
  /** Nothing more can be executed: the program returned, or it faulted. */
  private finished = false;
  private reasonNow: StopView | undefined;
  private resultNow: SessionResult | undefined;

  get status(): SessionStatus {
    if (this.running) return 'running';
    return this.finished && this.resultNow ? 'ended' : 'stopped';
  }

  /** Why it stopped; undefined while it runs. */
  get reason(): StopView | undefined {
    return this.reasonNow;
  }

  /** Once the program has returned. */
  get result(): SessionResult | undefined {
    return this.resultNow;
  }

  /** False once the program has returned or cannot go on. */
  get canGoOn(): boolean {
    return !this.finished && this.reasonNow?.kind !== 'limit';
  }

  /** @throws EngineError `debugger/running` */
  requireStanding(): void {
    if (!this.running) return;
    throw new EngineError('debugger/running', 'The program is running; pause it first.');
  }

  /** @throws EngineError `debugger/running`, `debugger/ended` when nothing is left to execute */
  requireGoing(): void {
    this.requireStanding();
    if (!this.finished) return;
    throw new EngineError(
      'debugger/ended',
      this.resultNow
        ? 'The program has returned; restart the session to run it again.'
        : 'The program cannot go on after this fault; restart the session to run it again.',
    );
  }

  /** The program is entered anew. */
  begin(): void {
    this.finished = false;
    this.resultNow = undefined;
  }

  /** The session runs from here. */
  run(): void {
    this.running = true;
    this.reasonNow = undefined;
  }

  /** Nothing more can be executed. @param result when the program has returned */
  finish(result?: SessionResult): void {
    this.finished = true;
    this.resultNow = result;
  }

  stop(reason: StopView): void {
    this.running = false;
    this.reasonNow = reason;
  }

  /** The session runs through its past, in which its program had not ended. @returns puts back how it stood */
  depart(): () => void {
    const { finished, resultNow, reasonNow, running } = this;
    this.begin();
    this.run();
    return () => {
      this.finished = finished;
      this.resultNow = resultNow;
      this.reasonNow = reasonNow;
      this.running = running;
    };
  }
}
