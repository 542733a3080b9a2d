import { u64 } from '../base/u64';
import type { Arrival } from './arrivals';
import type { CodeFunction } from './code-index';
import { sameLine } from './code-map';
import { NO_INTEREST, type Execution, type Interest } from './execution';
import type { History } from './history';
import type { Frame } from './stack';
import type { Unit } from './stepping';
import type { StepKind } from './views';
import type { WatchEvent } from './watching';

/** Where the machine stands in BPF code. */
interface Position {
  readonly code: CodeFunction;
  readonly offset: number;
  readonly cfa: bigint;
}

/** The nearest past is looked at instant by instant. */
const NEAR = 64;
/** Then longer and longer stretches, for halts at the places that a step could lead to; then from checkpoint to checkpoint. */
const WINDOWS = [2048, 65_536];
/** Units of time that one halt, or one instant that is looked at, takes by the clock. */
const LOOK_COST = 200;
/** Units that are run on in one piece. */
const STRETCH = 20_000;

/**
 * Finds the instant to which a step back leads: the last one before now at which a step forwards by the same unit would
 * have stopped. *Into* takes any frame, *over* this one and those outside it, *out* those outside it alone.
 * @param frames the call stack now
 * @returns the instant; the first one when there is none. Yields between stretches of work, in units of time spent.
 */
export function* stepBackTarget(
  execution: Execution,
  history: History,
  frames: readonly Frame[],
  step: StepKind,
  unit: Unit,
): Generator<number, number> {
  const now = execution.time;
  const here = frames.find((frame) => frame.code !== undefined);
  const accepts = acceptor(execution, here, step, unit);
  const near = Math.max(now - NEAR, history.start);
  const found = yield* scan(execution, history, near, now, accepts);
  if (found !== undefined) return found;
  const addresses = placesBefore(execution, frames, here, step, unit);
  const interest: Interest = { addresses, wants: () => false };
  const halt = yield* lastHalt(execution, history, near - 1, interest, accepts);
  return halt?.time ?? history.start;
}

/** Where a run has halted for an interest: the instant, and what the machine had come to or hit. */
export interface PastHalt {
  readonly time: number;
  readonly arrivals: readonly Arrival[];
  readonly watched: readonly WatchEvent[];
}

/**
 * Where a step back may lead that is not near: anywhere for *into*; for *over* only to the functions of this frame and of those
 * outside it, for *out* to the functions of those outside alone. Whoever called them stands still in them meanwhile.
 */
function placesBefore(
  { index }: Execution,
  frames: readonly Frame[],
  here: Frame | undefined,
  step: StepKind,
  unit: Unit,
): ReadonlySet<bigint> {
  const candidates = step === 'out' ? frames.filter((frame) => frame !== here) : frames;
  const codes =
    step === 'into' || !here
      ? index.functions
      : new Set(candidates.flatMap((frame) => (frame.code ? [frame.code] : [])));
  return new Set([...codes].flatMap((code) => unitAddresses(code, unit)));
}

/**
 * Finds the last halt for an interest before now.
 * @param onFound told what it is, if there is such a halt
 * @returns its instant, or the first one of all; yields as {@link stepBackTarget} does
 */
export function* lastArrival(
  execution: Execution,
  history: History,
  interest: Interest,
  onFound: (halt: PastHalt) => void,
): Generator<number, number> {
  const found = yield* lastHalt(execution, history, execution.time - 1, interest, () => true);
  if (found) onFound(found);
  return found?.time ?? history.start;
}

/** Looks at every instant of [from, to) and gives the last that is accepted. */
function* scan(
  execution: Execution,
  history: History,
  from: number,
  to: number,
  accepts: (execution: Execution) => boolean,
): Generator<number, number | undefined> {
  yield* history.travel(from);
  const beginning = history.present();
  let found: number | undefined;
  for (;;) {
    if (accepts(execution)) found = execution.time;
    const next = execution.time + 1;
    if (next >= to) break;
    history.replay(next, NO_INTEREST);
  }
  // From here what was found is a few instructions away; from the checkpoint it may be millions.
  if (found !== undefined) history.restore(beginning);
  beginning.machine.release();
  yield (to - from) * LOOK_COST;
  return found;
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
  accepts: (execution: Execution) => boolean,
): Generator<number, PastHalt | undefined> {
  let to = last;
  for (let i = 0; to > history.start; i++) {
    const window = WINDOWS[i];
    const from =
      window === undefined ? yield* history.stretchBefore(to) : Math.max(to - window, history.start);
    const found = yield* lastHaltIn(execution, history, from, to, interest, accepts);
    if (found) return found;
    to = from;
  }
  yield* history.travel(history.start);
  const atStart = interest.addresses.has(execution.machine.pc) && accepts(execution);
  return atStart ? { time: history.start, arrivals: [], watched: [] } : undefined;
}

/** The last accepted halt for an interest at an instant of (from, to]. */
function* lastHaltIn(
  execution: Execution,
  history: History,
  from: number,
  to: number,
  interest: Interest,
  accepts: (execution: Execution) => boolean,
): Generator<number, PastHalt | undefined> {
  yield* history.travel(from);
  let found: PastHalt | undefined;
  while (execution.time < to) {
    const before = execution.time;
    const halt = history.replay(Math.min(to, before + STRETCH), interest);
    if (halt?.kind === 'arrived') {
      const { arrivals, watched } = halt;
      if (accepts(execution)) found = { time: execution.time, arrivals, watched };
    } else if (halt) break;
    yield execution.time - before + LOOK_COST;
  }
  return found;
}

function acceptor(
  execution: Execution,
  here: Frame | undefined,
  step: StepKind,
  unit: Unit,
): (execution: Execution) => boolean {
  const cfa = here?.cfa;
  const line = here?.code && here.lookup !== undefined ? here.code.map.lineAtOffset(here.lookup) : undefined;
  const atStart = here?.code?.map.statements.some((statement) => statement.offset === here.lookup) ?? false;
  const start = { code: here?.code, cfa };
  return () => {
    const position = positionOf(execution);
    if (!position) return false;
    if (cfa !== undefined && step === 'over' && position.cfa < cfa) return false;
    if (cfa !== undefined && step === 'out' && position.cfa <= cfa) return false;
    const { code, offset } = position;
    switch (unit) {
      case 'native':
        return true;
      case 'bpf':
        return code.map.isSlotStart(offset);
      case 'line': {
        const statement = code.map.statements.find((s) => s.offset === offset);
        if (!statement) return false;
        // From the middle of a line the step back leads to its beginning.
        const sameFrame = code === start.code && position.cfa === start.cfa;
        return !(atStart && sameFrame && line && sameLine(statement.line, line));
      }
    }
  };
}

function positionOf({ machine, index }: Execution): Position | undefined {
  const code = index.at(machine.pc);
  if (!code) return undefined;
  const offset = code.offsetOf(machine.pc);
  const row = code.unwindRow(offset);
  if (!row) return undefined;
  return { code, offset, cfa: u64(machine.getRegister(row.cfa.register) + BigInt(row.cfa.offset)) };
}

/** Addresses in a function at which a unit begins. */
function unitAddresses(code: CodeFunction, unit: Unit): bigint[] {
  const { base } = code.fn;
  const address = (offset: number) => base + BigInt(offset);
  switch (unit) {
    case 'native':
      return code.map.native.map(({ offset }) => address(offset));
    case 'bpf':
      return Array.from({ length: code.map.slotCount }, (_, slot) => address(code.map.startOf(slot)));
    case 'line':
      return code.map.statements.map(({ offset }) => address(offset));
  }
}
