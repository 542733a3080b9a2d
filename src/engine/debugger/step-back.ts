import { u64 } from '../base/u64';
import type { Passage } from '../machine/types';
import type { CodeFunction } from './code-index';
import { sameLine } from './code-map';
import type { Execution } from './execution';
import type { History } from './history';
import { PastSearch, type Quarry } from './past-search';
import type { Frame } from './stack';
import type { Unit } from './stepping';
import { bitsOf, passes, type Waypoint } from './trail';
import type { StepKind } from './views';

/** Higher than sp ever is. */
const TOP = 2n ** 64n;

/** Where the machine stands in BPF code. */
interface Position {
  readonly code: CodeFunction;
  readonly offset: number;
  readonly cfa: bigint;
}

/** A beginning of a line in a function. */
type LineStart = Omit<Waypoint, 'index'>;

/** A frame of the call stack: what has run, or runs, in its place. */
interface Level {
  readonly cfa: bigint;
  /** Its function and those that tail calls have replaced. */
  readonly codes: ReadonlySet<CodeFunction>;
}

/**
 * Finds the instant to which a step back leads: the last one before now at which a step forwards by the same unit would
 * have stopped. *Into* takes any frame, *over* this one and those outside it, *out* those outside it alone. As this frame
 * counts what kernel code has called in its place before, as it does for the elements of a map: no BPF code lies between.
 * From the beginning of a line, others that begin with the same line in this function are passed over.
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
  const search = new PastSearch(execution, history);
  const stack = new Stack(execution, frames);
  const { start } = history;
  const find = (kind: StepKind, by: Unit, from: number, to: number) =>
    search.last(quarryOf(execution, history, stack, kind, by), from, to);
  const found = yield* find(step, unit, start, now);
  // Between two calls of a function from BPF code, its caller comes first.
  if (found !== undefined && step === 'over' && unit === 'line') {
    yield* history.travel(found);
    if (positionOf(execution)?.cfa === stack.here?.cfa) {
      const outside = yield* find('out', 'native', found + 1, now);
      if (outside !== undefined) return (yield* find('out', 'line', start, outside + 1)) ?? start;
    }
  }
  return found ?? start;
}

/** The call stack that a step sets out from. */
class Stack {
  readonly all: readonly Level[];
  /** The innermost frame of BPF code, and those outside it. */
  readonly here: Level | undefined;
  readonly outside: readonly Level[];
  /** The line that begins where the step sets out, if one does. */
  readonly line: LineStart | undefined;

  constructor(
    private readonly execution: Execution,
    frames: readonly Frame[],
  ) {
    this.all = frames.flatMap((frame) => this.levelOf(frame) ?? []);
    [this.here, ...this.outside] = this.all;
    const first = frames.find(({ code }) => code !== undefined);
    const statement = first?.code?.map.statements.find(({ offset }) => offset === first.lookup);
    this.line = statement && { code: first!.code!, statement };
  }

  private levelOf({ code, cfa }: Frame): Level | undefined {
    if (!code || cfa === undefined) return undefined;
    const replaced = this.execution.replacementAt(cfa);
    // Of a chain of tail calls only the last is known.
    const before = !replaced ? [] : replaced.count === 1 ? [replaced.from] : this.execution.index.functions;
    return { cfa, codes: new Set([code, ...before]) };
  }

  isOutside({ code, cfa }: Position): boolean {
    return this.outside.some((level) => level.cfa === cfa && level.codes.has(code));
  }

  isHere({ code, cfa }: Position): boolean {
    return this.here?.cfa === cfa && this.here.codes.has(code);
  }
}

function quarryOf(execution: Execution, history: History, stack: Stack, step: StepKind, unit: Unit): Quarry {
  const kind = stack.here ? step : 'into';
  const inFrame = (position: Position): boolean =>
    kind === 'into' || stack.isOutside(position) || (kind === 'over' && stack.isHere(position));
  const isHere = (): boolean => {
    const position = positionOf(execution);
    return position !== undefined && inFrame(position) && begins(history, stack, position, unit);
  };
  return { mayBeIn: unit === 'line' ? lines(history, stack, kind) : depths(stack, kind), isHere };
}

/** Whether a unit that a step may lead to begins at a position. */
function begins(history: History, stack: Stack, position: Position, unit: Unit): boolean {
  const { code, offset } = position;
  switch (unit) {
    case 'native':
      return true;
    case 'bpf':
      return code.map.isSlotStart(offset);
    case 'line': {
      const waypoint = history.trail.at(code.fn.base + BigInt(offset));
      return waypoint !== undefined && (!sameStart(stack, waypoint) || stack.isOutside(position));
    }
  }
}

/** Whether it is the line, in the same function, whose beginning the step sets out from. */
const sameStart = ({ line }: Stack, { code, statement }: LineStart): boolean =>
  line !== undefined && code === line.code && sameLine(statement.line, line.statement.line);

/**
 * How far out a stretch must have been for an instant of one of these frames to be in it: while a frame executes, sp is not below
 * its end. Kernel functions that call back have frames of their own between those of BPF code.
 */
function floorOf(levels: readonly Level[]): bigint {
  const ends = levels.map(
    ({ cfa, codes }) => cfa - BigInt(Math.max(...[...codes].map(({ fn }) => fn.frame.size))),
  );
  return ends.reduce((least, end) => (end < least ? end : least), TOP);
}

function depths(stack: Stack, kind: StepKind): Quarry['mayBeIn'] {
  if (kind === 'into') return () => true;
  const floor = floorOf(kind === 'out' ? stack.outside : stack.all);
  return ({ highestSp }) => highestSp >= floor;
}

/** Lines that begin in these functions, and how high sp must have been. */
function lines({ trail }: History, stack: Stack, kind: StepKind): Quarry['mayBeIn'] {
  const of = (wanted: (waypoint: Waypoint) => boolean, floor: bigint) => {
    const bits = bitsOf([...trail.waypoints].filter(wanted));
    return (passage: Passage): boolean => passage.highestSp >= floor && passes(passage, bits);
  };
  const outer = new Set(stack.outside.flatMap(({ codes }) => [...codes]));
  const outside = of(({ code }) => outer.has(code), floorOf(stack.outside));
  if (kind === 'out') return outside;
  const others = (waypoint: Waypoint): boolean => !sameStart(stack, waypoint);
  const inside =
    kind === 'into'
      ? of(others, 0n)
      : of((waypoint) => others(waypoint) && stack.here!.codes.has(waypoint.code), floorOf(stack.all));
  return (passage) => inside(passage) || outside(passage);
}

function positionOf({ machine, index }: Execution): Position | undefined {
  const code = index.at(machine.pc);
  if (!code) return undefined;
  const offset = code.offsetOf(machine.pc);
  const row = code.unwindRow(offset);
  if (!row) return undefined;
  return { code, offset, cfa: u64(machine.getRegister(row.cfa.register) + BigInt(row.cfa.offset)) };
}
