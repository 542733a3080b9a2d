import { EngineError } from '../base/errors';
import { bytesToHex } from '../base/hex';
import type { TestRunOutput } from '../kernel/types';
import { profileWords } from '../jit/profile';
import type { World } from './build';
import type { CheckResult } from './checks';
import type { CodeIndex } from './code-index';
import type { EventLog } from './event-log';
import type { Execution } from './execution';
import { frameLayoutView } from './frames';
import { listing, type Sources } from './listing';
import { locationView } from './locations';
import { mapView } from './maps';
import { memoryView } from './memory';
import type { CycleClock } from './cycles';
import { passesView } from './pass-views';
import type { PipelineLens } from './pipeline';
import { pipelineView } from './pipeline-views';
import { registerViews } from './registers';
import { unwind, type Frame } from './stack';
import { stackFrameViews } from './stack-views';
import type { StopImages } from './stop-images';
import { readTcc } from './tcc';
import type {
  CountersView,
  FrameView,
  FunctionView,
  InputsView,
  ListingView,
  LocationView,
  MapView,
  MemoryView,
  PipelineView,
  OutputView,
  PassesView,
  RegistersView,
  ResultView,
  SessionStatus,
  SessionView,
  StackView,
  StopView,
} from './views';

/** What a program left behind when it returned. */
export interface SessionResult extends TestRunOutput {
  readonly checks: readonly CheckResult[];
}

/** How it stands with a session. */
export interface SessionState {
  readonly status: SessionStatus;
  /** Why it stopped; undefined while it runs. */
  readonly reason: StopView | undefined;
  /** Once the program has returned. */
  readonly result: SessionResult | undefined;
  readonly canGoBack: boolean;
}

/** What the views of a session are made from. */
export interface ViewSource {
  readonly id: string;
  readonly world: World;
  readonly index: CodeIndex;
  readonly execution: Execution;
  readonly inputs: InputsView;
  readonly sources: Sources;
  readonly log: EventLog;
  readonly stops: StopImages;
  readonly clock: CycleClock;
  readonly lens: PipelineLens;
  state(): SessionState;
}

/** What can be looked at while a session stands still. Nothing that is asked changes where it stands. */
export class SessionViews {
  constructor(private readonly source: ViewSource) {}

  private get stamp() {
    return { session: this.source.id, stop: this.source.stops.number };
  }

  /** The session as a whole. */
  session(): SessionView {
    const { id, world, inputs, stops, clock } = this.source;
    const cycle = clock.now;
    const { status, reason, result, canGoBack } = this.source.state();
    const count = status === 'stopped' ? this.tcc() : undefined;
    return {
      session: id,
      stop: stops.number,
      status,
      object: world.object.name,
      program: world.program.name,
      profile: profileWords(world.profile),
      inputs,
      ...(reason && { reason }),
      ...(status === 'stopped' && { location: this.location() }),
      counters: this.counters(),
      ...(status !== 'running' && cycle !== null && { cycle }),
      canGoBack,
      ...(result && { result: resultView(result) }),
      ...(count && { tcc: count }),
    };
  }

  counters(): CountersView {
    const { world, execution } = this.source;
    const { instructions, loads, stores, cycles } = world.machine.counters();
    return {
      instructions: Number(instructions),
      loads: Number(loads),
      stores: Number(stores),
      cycles: cycles === null ? null : Number(cycles),
      tailCalls: execution.tailCalls,
      helperCalls: execution.helperCalls,
    };
  }

  location(): LocationView {
    return this.locate(this.source.world.machine.pc);
  }

  private locate(pc: bigint): LocationView {
    return locationView(this.source.world.kernel, this.source.index, pc);
  }

  functions(): readonly FunctionView[] {
    return this.source.index.functions.map((code) => code.view());
  }

  /** @throws EngineError `debugger/function` */
  listing(key: string): ListingView {
    const { id, world, index, sources } = this.source;
    const code = index.get(key);
    return { session: id, function: code.view(), ...listing(world.kernel, code, sources) };
  }

  /** How the size of a function came to stand, pass by pass. @throws EngineError `debugger/function` */
  passes(key: string): PassesView {
    const { id, world, index } = this.source;
    const code = index.get(key);
    return { session: id, function: code.view(), ...passesView(world.kernel, code) };
  }

  registers(): RegistersView {
    const { now, before } = this.source.stops;
    return { ...this.stamp, registers: registerViews(now!.registers, before?.registers, this.frames()) };
  }

  /** The call stack as the unwinder finds it, innermost first; empty once the program has returned. */
  frames(): readonly Frame[] {
    const { world, index } = this.source;
    return this.source.state().result ? [] : unwind(world.machine, world.kernel, index);
  }

  stack(): StackView {
    const { world, index, execution } = this.source;
    const frames = stackFrameViews(this.frames(), world.kernel, index, (cfa) => execution.replacementAt(cfa));
    return { ...this.stamp, frames };
  }

  /** @throws EngineError `debugger/frame` for a frame that there is not, or that is no BPF function's */
  frame(number: number): FrameView {
    const frame = this.frames()[number];
    if (!frame) {
      throw new EngineError('debugger/frame', `The call stack has no frame ${number}.`, { frame: number });
    }
    const { world, stops } = this.source;
    const layout = frameLayoutView(world.machine.memory, frame, stops.before?.stack);
    return { ...this.stamp, frame: number, name: frame.name, ...layout };
  }

  /** The tail call counter of the innermost BPF frame, where it has one. */
  tcc(): SessionView['tcc'] {
    const frame = this.frames().find((f) => f.code !== undefined);
    return frame && readTcc(this.source.world.machine, frame);
  }

  maps(): readonly MapView[] {
    const { kernel } = this.source.world;
    return kernel.maps.map((map) => mapView(kernel, map));
  }

  /** `length` bytes from `address`; unmapped bytes are shown as such. */
  memory(address: bigint, length: number): MemoryView {
    return { ...this.stamp, ...memoryView(this.source.world.machine.memory, address, length) };
  }

  /** The pipeline in the present cycle. @throws EngineError `debugger/pipeline` without a timing profile */
  pipeline(): PipelineView {
    const { execution, lens, clock } = this.source;
    return { ...this.stamp, ...pipelineView(execution, lens, clock.now) };
  }

  /** Lines of the console from number `from` on. */
  output(from: number): readonly OutputView[] {
    return this.source.log.since(from, (pc) => this.locate(pc));
  }

  /** Events that the console does not keep any more: its oldest. */
  get eventsLost(): number {
    return this.source.log.lostEvents;
  }

  /** Number of the console's next line. */
  get outputLength(): number {
    return this.source.log.length;
  }
}

function resultView({ retval, dataOut, ctxOut }: SessionResult): ResultView {
  return {
    retval,
    ...(dataOut && { dataOut: bytesToHex(dataOut) }),
    ...(ctxOut && { ctxOut: bytesToHex(ctxOut) }),
  };
}
