import type { Machine, Passage } from '../machine/types';
import type { CodeFunction, CodeIndex } from './code-index';
import type { Statement } from './code-map';

/** A source line's beginning as a place that runs pass. */
export interface Waypoint {
  /** Its number in {@link Passage}. */
  readonly index: number;
  readonly code: CodeFunction;
  readonly statement: Statement;
}

/** What was passed while the instants from `from` on, up to but not including `to`, were executed. */
export interface Stretch extends Passage {
  readonly from: number;
  readonly to: number;
}

/** When there are more, stretches far from the present are put together. */
const MOST_STRETCHES = 4096;
/** A stretch that was put together is as long as this part of its distance from the present at most. */
const PART = 1 / 256;

/**
 * What a run has passed on its way, a stretch at a time: which source lines began and how far out the stack was left. It tells
 * where in the past nothing can be that one looks for, so that those stretches need not be replayed. It may tell of more than
 * was passed, never of less.
 */
export class Trail {
  private readonly places = new Map<bigint, Waypoint>();
  /** In order, without gaps. */
  private stretches: Stretch[] = [];
  private end = 0;

  constructor(
    private readonly machine: Machine,
    index: CodeIndex,
  ) {
    for (const code of index.functions) {
      for (const statement of code.map.statements) {
        const address = code.fn.base + BigInt(statement.offset);
        this.places.set(address, { index: this.places.size, code, statement });
      }
    }
    machine.setWaypoints([...this.places.keys()]);
  }

  get waypoints(): Iterable<Waypoint> {
    return this.places.values();
  }

  /** The source line that begins at an address. */
  at(address: bigint): Waypoint | undefined {
    return this.places.get(address);
  }

  /** The run begins at an instant. */
  begin(time: number): void {
    this.stretches = [];
    this.end = time;
    this.machine.passage();
  }

  /** Call when the run has reached an instant, and before anything else asks the machine for its passage. */
  close(time: number): void {
    if (time <= this.end) return;
    this.stretches.push({ from: this.end, to: time, ...this.machine.passage() });
    this.end = time;
    if (this.stretches.length > MOST_STRETCHES) this.stretches = putTogether(this.stretches);
  }

  /** Stretches that the instants between two are in, the last first. */
  *between(from: number, to: number): Generator<Stretch> {
    for (let i = this.stretches.length - 1; i >= 0; i--) {
      const stretch = this.stretches[i]!;
      if (stretch.to <= from) return;
      if (stretch.from < to) yield stretch;
    }
  }

  /** How many stretches there are. */
  get length(): number {
    return this.stretches.length;
  }
}

function putTogether(stretches: readonly Stretch[]): Stretch[] {
  const now = stretches.at(-1)!.to;
  const kept: Stretch[] = [];
  for (let i = stretches.length - 1; i >= 0; i--) {
    const stretch = stretches[i]!;
    const next = kept.at(-1);
    if (next && next.to - stretch.from <= (now - next.to) * PART)
      kept[kept.length - 1] = joined(stretch, next);
    else kept.push(stretch);
  }
  return kept.reverse();
}

const joined = (a: Stretch, b: Stretch): Stretch => ({
  from: a.from,
  to: b.to,
  waypoints: a.waypoints.map((word, i) => word | b.waypoints[i]!),
  highestSp: a.highestSp > b.highestSp ? a.highestSp : b.highestSp,
});

/** Waypoints as the bits of a {@link Passage}. */
export function bitsOf(waypoints: Iterable<Waypoint>): Uint32Array {
  const numbers = [...waypoints].map(({ index }) => index);
  const bits = new Uint32Array(numbers.reduce((most, number) => Math.max(most, (number >>> 5) + 1), 0));
  for (const number of numbers) bits[number >>> 5]! |= 1 << (number & 31);
  return bits;
}

/** Whether any of these waypoints was passed. */
export const passes = ({ waypoints }: Passage, bits: Uint32Array): boolean =>
  bits.some((word, i) => (word & waypoints[i]!) !== 0);
