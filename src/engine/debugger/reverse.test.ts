import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Random } from '../base/testing/random';
import type { HistoryLimits } from './history';
import type { Session } from './session';
import { exampleSession } from './testing/examples';
import { sceneSession } from './testing/scene';
import { CALLBACKS, HIERARCHY } from './testing/scenes';
import type { BreakpointSpec, Granularity, StepKind } from './views';

/*
 * Wherever random steps, breakpoints and ways back lead, the state is that of a fresh run to the same instant. Histories with
 * tiny limits make sure that checkpoints, their thinning and the replays between them take part.
 */
const WALKS = 1000;
const MOVES = 12;

const STEPS: readonly StepKind[] = ['into', 'over', 'out'];
const UNITS: readonly Granularity[] = ['native', 'bpf', 'line'];
const EVENTS = ['tail-call-attempted', 'tail-call-taken', 'tail-call-refused', 'helper-call'] as const;

type Open = (history: boolean | HistoryLimits) => Session;
const RUNS: readonly (readonly [name: string, open: Open])[] = [
  ['a subprogram that tail-calls', (history) => sceneSession(HIERARCHY, {}, { history })],
  ['a helper that calls back', (history) => sceneSession(CALLBACKS, {}, { history })],
  ['the same without compressed code', (history) => sceneSession(CALLBACKS, { isa: 'rv64ima' }, { history })],
  ['bpf2bpf and helpers', (history) => exampleSession('bpf2bpf_helpers', 'measure', {}, { history })],
  ['maps and packets', (history) => exampleSession('xdp_counters', 'xdp_counters', {}, { history })],
];
const LIMITS: readonly (true | HistoryLimits)[] = [
  true,
  { interval: 1, bytes: 2 ** 30, checkpoints: 9 },
  { interval: 16, bytes: 2 ** 30, checkpoints: 5 },
  { interval: 3, bytes: 60_000, checkpoints: 100 },
];

const text = (value: unknown): string =>
  JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part),
    1,
  );

/** What the machine and the execution show: cheap enough for every stop. */
function core({ execution }: Session): string {
  const { machine } = execution;
  const { tailCalls, helperCalls, stackBytes } = execution;
  return text({
    pc: machine.pc,
    registers: [...machine.registers()],
    counters: machine.counters(),
    cycles: machine.cpiStack(),
    tailCalls,
    helperCalls,
    stackBytes,
  });
}

/** Bytes of a region that are compared: no run here uses more of one (2 MiB are reserved for images). */
const MOST_BYTES = 65_536;

/** Memory, and what the panes show. */
function whole(session: Session): string {
  const { location, counters, result } = session.view();
  const { memory } = session.execution.machine;
  return text({
    location,
    counters,
    result,
    stack: session.views.stack().frames,
    maps: session.views.maps(),
    memory: memory
      .regions()
      .filter(({ trap }) => trap !== true)
      .map(({ name, base, size }) => [
        name,
        base,
        createHash('sha256')
          .update(memory.read(base, Math.min(size, MOST_BYTES)))
          .digest('hex'),
      ]),
  });
}

/** A run that is only ever ticked forwards, and what it showed at each instant. */
class Fresh {
  readonly cores = new Map<number, string>();
  readonly addresses: bigint[] = [];
  private readonly wholes = new Map<number, string>();

  constructor(private readonly open: Open) {
    const session = open(false);
    for (;;) {
      this.cores.set(session.execution.time, core(session));
      this.addresses.push(session.execution.machine.pc);
      if (!session.canGoOn) break;
      session.tick();
    }
  }

  whole(time: number): string {
    let state = this.wholes.get(time);
    if (state === undefined) {
      const session = this.open(false);
      while (session.execution.time < time) session.tick();
      state = whole(session);
      this.wholes.set(time, state);
    }
    return state;
  }
}

function randomBreakpoint(random: Random, session: Session, addresses: readonly bigint[]): BreakpointSpec {
  if (random.below(3) === 0) return { kind: 'event', event: random.pick(EVENTS) };
  const inCode = addresses.filter((address) => session.index.at(address) !== undefined);
  return { kind: 'native', address: `0x${random.pick(inCode).toString(16)}` };
}

/** One random move; gives its name. */
function move(random: Random, session: Session, addresses: readonly bigint[]): string {
  const { breakpoints } = session;
  const [kind, unit] = [random.pick(STEPS), random.pick(UNITS)];
  switch (random.below(12)) {
    case 0: {
      if (breakpoints.views().length < 4) breakpoints.add(randomBreakpoint(random, session, addresses));
      return 'breakpoint';
    }
    case 1: {
      const present = breakpoints.views();
      if (present.length > 0) breakpoints.remove(random.pick(present).id);
      return 'no breakpoint';
    }
    case 2:
      if (session.canGoOn) session.continue();
      return 'continue';
    case 3:
      if (session.canGoBack) session.reverseContinue();
      return 'reverse continue';
    case 4:
      if (session.canGoBack) {
        session.reverseContinue();
        session.runSlice(1);
        session.pause();
      }
      return 'reverse continue, paused';
    case 5:
    case 6:
    case 7:
    case 8:
      if (session.canGoOn) session.step(kind, unit);
      return `step ${kind} ${unit}`;
    default:
      if (session.canGoBack) session.stepBack(kind, unit);
      return `step back ${kind} ${unit}`;
  }
}

describe.each(RUNS)('random walks: %s', (_name, open) => {
  test(`${WALKS / RUNS.length} walks of ${MOVES} moves`, () => {
    const fresh = new Fresh(open);
    const { addresses } = fresh;
    const sessions = LIMITS.map((limits) => open(limits));
    for (let walk = 0; walk < WALKS / RUNS.length; walk++) {
      const random = new Random(walk + 1);
      const session = sessions[walk % sessions.length]!;
      session.restart();
      const trail = [`walk ${walk}:`];
      for (let i = 0; i < MOVES; i++) {
        trail.push(move(random, session, addresses));
        session.runToStop();
        const { time } = session.execution;
        expect(core(session), trail.join(' ')).toBe(fresh.cores.get(time));
      }
      const { time } = session.execution;
      expect(whole(session), trail.join(' ')).toBe(fresh.whole(time));
    }
  });
});
