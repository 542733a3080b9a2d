import type { Passage } from '../machine/types';
import { NO_INTEREST, type Execution } from './execution';
import type { History } from './history';

/** The instants that a search is for. */
export interface Quarry {
  /** Whether one can be among the instants that have passed this. It may say yes where there is none, never no where one is. */
  mayBeIn(passage: Passage): boolean;
  /** Whether the present instant is one. */
  isHere(): boolean;
}

/** So many instants are looked at one by one; more are divided first. */
const FEW = 256;
const PARTS = 32;
/** The nearest past is looked at first: most of what is searched for is there. */
const NEAR = 64;
/** Units of time that an instant that is looked at takes by the clock. */
const LOOK_COST = 200;
/** Units that are run on in one piece. */
const STRETCH = 20_000;

/** Searches the past for the last instant of a kind, by replaying no more than what the trail of the run does not rule out. */
export class PastSearch {
  constructor(
    private readonly execution: Execution,
    private readonly history: History,
  ) {}

  /**
   * The last instant at or after `from` and before `to` that a quarry accepts; undefined if there is none. Yields between
   * stretches of work, in units of time spent.
   */
  *last(quarry: Quarry, from: number, to: number): Generator<number, number | undefined> {
    const near = Math.max(to - NEAR, from);
    const found = yield* this.scan(quarry, near, to);
    if (found !== undefined) return found;
    for (const stretch of this.history.passed(from, near)) {
      if (!quarry.mayBeIn(stretch)) continue;
      const inside = yield* this.narrow(quarry, Math.max(stretch.from, from), Math.min(stretch.to, near));
      if (inside !== undefined) return inside;
    }
    return undefined;
  }

  /** The last in [from, to): runs through it once to see in which parts it can be. */
  private *narrow(quarry: Quarry, from: number, to: number): Generator<number, number | undefined> {
    if (to - from <= FEW) return yield* this.scan(quarry, from, to);
    const { history, execution } = this;
    yield* history.travel(from);
    const beginning = history.present();
    try {
      const parts: (readonly [number, number])[] = [];
      const length = Math.ceil((to - from) / PARTS);
      execution.machine.passage();
      for (let at = from; at < to; at += length) {
        const end = Math.min(at + length, to);
        yield* this.runTo(end);
        if (quarry.mayBeIn(execution.machine.passage())) parts.push([at, end]);
      }
      for (const [at, end] of parts.reverse()) {
        history.restore(beginning);
        yield* this.runTo(at);
        const found = yield* this.narrow(quarry, at, end);
        if (found !== undefined) return found;
      }
      return undefined;
    } finally {
      beginning.machine.release();
    }
  }

  private *runTo(time: number): Generator<number, void> {
    const { execution, history } = this;
    while (execution.time < time) {
      const before = execution.time;
      if (history.replay(Math.min(time, before + STRETCH), NO_INTEREST)) return;
      yield execution.time - before;
    }
  }

  /** The last in [from, to): looks at every instant. */
  private *scan(quarry: Quarry, from: number, to: number): Generator<number, number | undefined> {
    if (from >= to) return undefined;
    const { execution, history } = this;
    yield* history.travel(from);
    const beginning = history.present();
    let found: number | undefined;
    for (;;) {
      if (quarry.isHere()) found = execution.time;
      const next = execution.time + 1;
      if (next >= to || history.replay(next, NO_INTEREST)) break;
    }
    // From here what was found is a few instructions away; from the checkpoint it may be millions.
    if (found !== undefined) history.restore(beginning);
    beginning.machine.release();
    yield (to - from) * LOOK_COST;
    return found;
  }
}
