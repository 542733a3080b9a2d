import { bytesToHex } from '../engine/base/hex';
import { buildWorld, type World } from '../engine/debugger/build';
import { Session } from '../engine/debugger/session';
import { stopLocation } from '../engine/debugger/stack-views';
import type { InputsView, OutputView } from '../engine/debugger/views';
import type { BpfObject } from '../engine/loader/object';
import type { TimingName } from '../engine/machine/timing/profile';
import type { Profile } from '../engine/jit/profile';
import { applyMapSettings, programsIn, type MapSetting } from './map-settings';

/** One run from the command line. */
export interface RunRequest {
  readonly object: BpfObject;
  readonly program: string;
  readonly profile: Profile;
  readonly inputs: InputsView;
  readonly maps: readonly MapSetting[];
  readonly limit: number;
  readonly timing: TimingName | 'none';
}

/** A session that stands at the program's entry. @throws EngineError for what cannot be loaded or run */
export function openSession(request: RunRequest): { session: Session; world: World } {
  const world = buildWorld({
    object: request.object,
    profile: request.profile,
    program: request.program,
    timing: request.timing,
    also: programsIn(request.maps),
    prepare: (kernel) => applyMapSettings(kernel, request.object, request.maps),
  });
  const session = new Session({
    id: 'cli',
    world,
    inputs: request.inputs,
    limit: request.limit,
    history: false,
  });
  return { session, world };
}

/** Runs to the end, or to what stops it. */
export function runProgram(request: RunRequest): RunReport {
  const { session, world } = openSession(request);
  session.continue();
  session.runToStop();
  return report(session, world);
}

export type RunReport = ReturnType<typeof report>;

/** What `run --json` prints. */
function report(session: Session, world: World) {
  const { result } = session;
  const { instructions, cycles, loads, stores, tailCalls, helperCalls } = session.counters();
  const output = session.views.output(0);
  return {
    retval: result?.retval ?? null,
    dataOut: result?.dataOut ? bytesToHex(result.dataOut) : null,
    ctxOut: result?.ctxOut ? bytesToHex(result.ctxOut) : null,
    instructions,
    cycles,
    loads,
    stores,
    stackBytes: session.execution.stackBytes,
    tailCalls,
    helperCalls,
    maps: Object.fromEntries(
      world.kernel.maps.map((map) => [
        map.name,
        world.kernel.dumpMap(map).map(({ key, value }) => [bytesToHex(key), bytesToHex(value)] as const),
      ]),
    ),
    // The kernel keeps the lines from the first on, the session's console the last events.
    printk: world.kernel.events.flatMap((event) => (event.kind === 'printk' ? [event.text] : [])),
    events: output.filter((line) => line.kind !== 'printk').map(eventOf),
    eventsDropped: session.views.eventsLost + world.kernel.eventsDropped,
    checks: result?.checks ?? [],
    stop: stopOf(session, world),
  };
}

function eventOf({ kind, text, at, location }: OutputView) {
  return { kind, text, at, ...(location && placeOf(location)) };
}

/** A place as the command line writes it. */
export function placeOf(location: NonNullable<OutputView['location']>) {
  const { pc, function: fn, slot, bpfText, file, line, lineText } = location;
  return {
    pc,
    ...(fn !== undefined && { function: fn }),
    ...(slot !== undefined && { insn: slot, insnText: bpfText }),
    ...(line !== undefined && { file, line, lineText }),
  };
}

function stopOf(session: Session, world: World) {
  const { kind, text } = session.stopReason!;
  const place = () => placeOf(stopLocation(world.machine, world.kernel, session.index));
  return { reason: kind, text, ...(kind === 'exit' ? {} : place()) };
}

/** Exit code of a run: 0 when the program returned and no check failed. */
export function exitCodeOf(run: RunReport): number {
  return run.stop.reason === 'exit' ? 0 : 1;
}
