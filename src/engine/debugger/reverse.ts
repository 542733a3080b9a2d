import type { Arrival } from './arrivals';
import type { Execution, Interest } from './execution';
import type { History } from './history';
import type { WatchEvent } from './watching';

/** What is looked through for halts: longer and longer stretches, then from checkpoint to checkpoint. */
const WINDOWS = [2048, 65_536];
/** Units of time that one halt takes by the clock. */
const LOOK_COST = 200;
/** Units that are run on in one piece. */
const STRETCH = 20_000;

/** Where a run has halted for an interest: the instant, and what the machine had come to or hit. */
export interface PastHalt {
  readonly time: number;
  readonly arrivals: readonly Arrival[];
  readonly watched: readonly WatchEvent[];
}

/**
 * Finds the last halt for an interest before now.
 * @param onFound told what it is, if there is such a halt
 * @returns its instant, or the first one of all; yields between stretches of work, in units of time spent
 */
export function* lastArrival(
  execution: Execution,
  history: History,
  interest: Interest,
  onFound: (halt: PastHalt) => void,
): Generator<number, number> {
  const found = yield* lastHalt(execution, history, execution.time - 1, interest);
  if (found) onFound(found);
  return found?.time ?? history.start;
}

/**
 * Finds the last halt for an interest at `last` or before: in stretches that grow, then from checkpoint to checkpoint. The
 * first instant counts as well, if its address is of interest.
 */
export function* lastHalt(
  execution: Execution,
  history: History,
  last: number,
  interest: Interest,
): Generator<number, PastHalt | undefined> {
  let to = last;
  for (let i = 0; to > history.start; i++) {
    const window = WINDOWS[i];
    const from =
      window === undefined ? yield* history.stretchBefore(to) : Math.max(to - window, history.start);
    const found = yield* lastHaltIn(execution, history, from, to, interest);
    if (found) return found;
    to = from;
  }
  yield* history.travel(history.start);
  const atStart = interest.addresses.has(execution.machine.pc);
  return atStart ? { time: history.start, arrivals: [], watched: [] } : undefined;
}

/** The last halt for an interest at an instant of (from, to]. */
function* lastHaltIn(
  execution: Execution,
  history: History,
  from: number,
  to: number,
  interest: Interest,
): Generator<number, PastHalt | undefined> {
  yield* history.travel(from);
  let found: PastHalt | undefined;
  while (execution.time < to) {
    const before = execution.time;
    const halt = history.replay(Math.min(to, before + STRETCH), interest);
    if (halt?.kind === 'arrived') {
      const { arrivals, watched } = halt;
      found = { time: execution.time, arrivals, watched };
    } else if (halt) break;
    yield execution.time - before + LOOK_COST;
  }
  return found;
}
