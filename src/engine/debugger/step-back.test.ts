import { describe, expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import type { CodeFunction } from './code-index';
import { sameLine, type Statement } from './code-map';
import type { HistoryLimits } from './history';
import type { Session } from './session';
import { unwind } from './stack';
import { exampleSession } from './testing/examples';
import { sceneSession } from './testing/scene';
import { CALLBACKS, HIERARCHY, NESTED, RECURSION } from './testing/scenes';
import type { Granularity, StepKind } from './views';

/*
 * Where steps back lead, against an exhaustive search: a run that is ticked through once, its call stack looked at in every
 * instant, and then gone through backwards.
 */
const STEPS: readonly StepKind[] = ['into', 'over', 'out'];
const UNITS: readonly Granularity[] = ['native', 'bpf', 'line', 'cycle'];

type Open = (options: { readonly history: boolean | HistoryLimits; readonly limit: number }) => Session;
const LIMIT = 25_000;
const RUNS: readonly (readonly [name: string, open: Open])[] = [
  ['a subprogram that tail-calls', (options) => sceneSession(HIERARCHY, {}, options)],
  ['callbacks of a helper', (options) => sceneSession(CALLBACKS, {}, options)],
  ['loops and callbacks in each other', (options) => sceneSession(NESTED, {}, options)],
  ['the same without compressed code', (options) => sceneSession(NESTED, { isa: 'rv64ima' }, options)],
  ['recursion by tail calls', (options) => sceneSession(RECURSION, {}, options)],
  ['recursion without end', (options) => sceneSession(RECURSION, { tcc: 'stack-v3' }, options)],
  ['bpf2bpf and helpers', (options) => exampleSession('bpf2bpf_helpers', 'measure', {}, options)],
];
const HISTORIES: readonly (true | HistoryLimits)[] = [
  true,
  { interval: 1000, bytes: 2 ** 30, checkpoints: 20 },
  { interval: 400, bytes: 2 ** 30, checkpoints: 4 },
];
/** Instants of each run that steps back set out from, by each history. */
const SAMPLES = 25;

/** The innermost frame of BPF code at an instant. */
interface Place {
  readonly code: CodeFunction;
  readonly cfa: bigint;
  /** Undefined where the machine is in kernel code that this frame has called. */
  readonly offset: number | undefined;
}

/** A run's places, by instant. */
function placesOf(open: Open): (Place | undefined)[] {
  const session = open({ history: false, limit: LIMIT });
  const { execution, index } = session;
  const places: (Place | undefined)[] = [];
  for (;;) {
    const frames = unwind(execution.machine, execution.kernel, index);
    const at = frames.findIndex(({ code }) => code !== undefined);
    const { code, cfa, lookup } = frames[at] ?? {};
    places[execution.time] =
      code && cfa !== undefined ? { code, cfa, offset: at === 0 ? lookup : undefined } : undefined;
    if (!session.canGoOn) return places;
    session.tick();
  }
}

const statementAt = ({ code, offset }: Place): Statement | undefined =>
  code.map.statements.find((statement) => statement.offset === offset);

/** Whether a step back by a unit may lead to a place. @param from where it sets out */
function begins(place: Place, from: Place | undefined, isOutside: boolean, unit: Granularity): boolean {
  if (place.offset === undefined) return false;
  if (unit === 'native' || unit === 'cycle') return true;
  if (unit === 'bpf') return place.code.map.isSlotStart(place.offset);
  const [statement, first] = [statementAt(place), from && statementAt(from)];
  if (!statement) return false;
  const same = first !== undefined && place.code === from?.code && sameLine(first.line, statement.line);
  return !same || isOutside;
}

/** The last instant before `now` that a step back may lead to, by going through all. */
function exhaustive(
  places: readonly (Place | undefined)[],
  now: number,
  step: StepKind,
  unit: Granularity,
): number {
  const from = places[now];
  let wasOutside = false;
  for (let time = now - 1; time > 0; time--) {
    const place = places[time];
    if (!place) continue;
    const isOutside = from !== undefined && place.cfa > from.cfa;
    wasOutside ||= isOutside && place.offset !== undefined;
    // Frames at this one's place count as this one as long as no caller has gone on since.
    const isHere = from !== undefined && place.cfa === from.cfa && !wasOutside;
    const inFrame = !from || step === 'into' || isOutside || (step === 'over' && isHere);
    if (inFrame && begins(place, from, isOutside, unit)) return time;
  }
  return 0;
}

describe.each(RUNS)('steps back lead to the instant that an exhaustive search finds: %s', (_name, open) => {
  const places = placesOf(open);
  test.each(HISTORIES)('history %#', (history) => {
    const session = open({ history, limit: LIMIT });
    session.continue();
    session.runToStop();
    const random = new Random(7);
    const end = places.length - 1;
    for (let i = 0; i < SAMPLES; i++) {
      const now = i === 0 ? end - 1 : 1 + random.below(end - 1);
      for (const step of STEPS) {
        for (const unit of UNITS) {
          if (unit === 'cycle' && step !== 'out') continue;
          session.goTo(now);
          session.runToStop();
          expect(session.execution.time).toBe(now);
          session.stepBack(step, unit);
          session.runToStop();
          expect(session.execution.time, `from ${now} ${step} by ${unit}`).toBe(
            exhaustive(places, now, step, unit),
          );
        }
      }
    }
  });
});
