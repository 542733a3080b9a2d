import * as v from 'valibot';
import { EngineError } from '../../engine/base/errors';
import { Breakpoints } from '../../engine/debugger/breakpoints';
import { buildWorld } from '../../engine/debugger/build';
import type { Sources } from '../../engine/debugger/listing';
import { objectView } from '../../engine/debugger/object-view';
import { Session } from '../../engine/debugger/session';
import { makeTrampoline } from '../../engine/debugger/trampoline';
import { offeredTrampolines } from '../../engine/debugger/trampoline-suggestions';
import type { ObjectView, SessionView } from '../../engine/debugger/views';
import { loadObject } from '../../engine/loader/load';
import type { BpfObject } from '../../engine/loader/object';
import { parseProfile } from '../../engine/jit/profile';
import { requestSchemas, type Events, type Method, type Params, type Replies } from '../../shared/contract';
import { Comparisons } from './comparisons';
import { SessionRunner } from './runner';

/** The requests that the engine answers; the `app.*` ones are the host's. */
export type SessionMethod = Extract<Method, `session.${string}`>;
/** The events that the engine pushes. */
export type SessionEvent = Extract<keyof Events, `session.${string}`>;

export interface EngineServiceOptions {
  /** Called for every pushed event, on the same thread. */
  emit<E extends SessionEvent>(event: E, payload: Events[E]): void;
}

/** The engine behind the contract, free of any transport: the same object serves a worker, the browser host and tests. */
export interface EngineService {
  /**
   * Opens an object file; it stays open under the id in the answer.
   * @param sources full texts of source files by the names that the object's line information uses (or their endings);
   *   a text that does not match the recorded lines is left aside
   * @throws EngineError for everything that is not a BPF object
   */
  openBytes(name: string, bytes: Uint8Array, sources?: Readonly<Record<string, string>>): ObjectView;
  /**
   * Answers one `session.*` request; the answer is `Replies[method]` of the contract. Rejects with an EngineError, also
   * for a method that is none of the engine's and for parameters that are malformed.
   */
  call(method: string, params: unknown): Promise<unknown>;
  /** Pauses the session if it runs and gives up comparisons that run: nobody is there to wait for them. */
  rest(): void;
  /** Ends the session and forgets the opened objects. */
  dispose(): void;
}

/** An object that the user has opened, with what belongs to it across sessions. */
interface OpenObject {
  readonly object: BpfObject;
  readonly sources: Sources;
  readonly breakpoints: Breakpoints;
}

type Handlers = { readonly [M in SessionMethod]: (params: Params<M>) => Replies[M] | Promise<Replies[M]> };

/** Makes the service. One session at a time: a new `session.start` ends the old one. */
export function createEngineService({ emit }: EngineServiceOptions): EngineService {
  const objects = new Map<string, OpenObject>();
  const comparisons = new Comparisons();
  let runner: SessionRunner | undefined;
  /** The object that the session's program comes from. */
  let runningObject: string | undefined;
  let objectCount = 0;
  let started = 0;

  const current = (): SessionRunner => {
    if (runner) return runner;
    throw new EngineError(
      'debugger/no-session',
      'No program is being debugged; open an object and start one.',
    );
  };
  /** The session, which must stand still for what is asked of it. */
  const standing = (): Session => {
    const { session } = current();
    if (session.status !== 'running') return session;
    throw new EngineError('debugger/running', 'The program is running; pause it to look at it.');
  };
  const opened = (id: string): OpenObject => {
    const open = objects.get(id);
    if (open) return open;
    throw new EngineError('debugger/no-object', 'This object is not open any more; open it again.', {
      object: id,
    });
  };
  /** What a comparison is about: what it names, else what the session runs. */
  const compared = (params: { readonly object?: string; readonly program?: string }) => {
    const id = params.object ?? runningObject ?? '';
    const program = params.program ?? current().session.program.name;
    return { id, object: opened(id).object, program };
  };
  const breakpointsChanged = (breakpoints: Breakpoints): void =>
    emit('session.breakpoints', breakpoints.views());

  const handlers: Handlers = {
    'session.start': (params): SessionView => {
      const open = opened(params.object);
      const world = buildWorld({
        object: open.object,
        profile: parseProfile(params.profile),
        program: params.program,
        timing: params.timing,
      });
      runner?.end();
      const session = new Session({
        id: `s${++started}`,
        world,
        inputs: params.inputs,
        sources: open.sources,
        breakpoints: open.breakpoints,
      });
      runner = new SessionRunner(session, emit);
      runningObject = params.object;
      breakpointsChanged(open.breakpoints);
      return runner.changed();
    },
    'session.restart': () => {
      const mine = current();
      mine.restart();
      breakpointsChanged(mine.session.breakpoints);
      return mine.changed();
    },
    'session.end': () => {
      runner?.end();
      runner = undefined;
      return null;
    },
    'session.state': () => runner?.session.view() ?? null,
    'session.step': ({ step, granularity }) => {
      const mine = current();
      mine.session.step(step, granularity);
      return mine.runToStop();
    },
    'session.continue': () => {
      const mine = current();
      mine.session.continue();
      return mine.runOn();
    },
    'session.pause': () => current().pause(),
    'session.runTo': ({ target }) => {
      const mine = current();
      mine.session.runTo(target);
      return mine.runOn();
    },
    'session.runToCycle': ({ cycle }) => {
      const mine = current();
      mine.session.runToCycle(cycle);
      return mine.runOn();
    },
    'session.stepBack': ({ step, granularity }) => {
      const mine = current();
      mine.session.stepBack(step, granularity);
      return mine.runToStop();
    },
    'session.reverseContinue': () => {
      const mine = current();
      mine.session.reverseContinue();
      return mine.runToStop();
    },
    'session.goTo': ({ time }) => {
      const mine = current();
      mine.session.goTo(time);
      return mine.runToStop();
    },
    'session.lastWrite': async ({ target }) => {
      const mine = current();
      const asked = mine.session.lastWrite(target);
      await mine.find();
      if (asked.answer) return asked.answer;
      throw new EngineError('debugger/interrupted', 'The search was ended before it had found who wrote it.');
    },
    'session.functions': () => current().session.views.functions(),
    'session.listing': (params) => current().session.views.listing(params.function),
    'session.passes': (params) => current().session.views.passes(params.function),
    'session.registers': () => standing().views.registers(),
    'session.stack': () => standing().views.stack(),
    'session.frame': ({ index }) => standing().views.frame(index),
    'session.pipeline': () => standing().views.pipeline(),
    'session.maps': () => current().session.views.maps(),
    'session.memory': ({ address, length }) => current().session.views.memory(BigInt(address), length),
    'session.output': ({ from }) => current().session.views.output(from),
    'session.breakpoints': () => runner?.session.breakpoints.views() ?? [],
    'session.addBreakpoint': ({ spec }) => {
      const { breakpoints } = current().session;
      const added = breakpoints.add(spec);
      breakpointsChanged(breakpoints);
      return added;
    },
    'session.changeBreakpoint': ({ id, enabled }) => {
      const { breakpoints } = current().session;
      const changed = breakpoints.change(id, enabled);
      breakpointsChanged(breakpoints);
      return changed;
    },
    'session.removeBreakpoint': ({ id }) => {
      const { breakpoints } = current().session;
      breakpoints.remove(id);
      breakpointsChanged(breakpoints);
      return null;
    },
    'session.trampolines': (params) => {
      const object = params.object ?? runningObject;
      return object === undefined
        ? []
        : offeredTrampolines(opened(object).object, parseProfile(params.profile));
    },
    'session.trampoline': (params) => makeTrampoline(parseProfile(params.profile), params.spec).view,
    'session.compare': (params) => {
      const { id, object, program } = compared(params);
      return comparisons.view(id, object, program, params);
    },
    'session.compareRuns': (params) => {
      const { object, program } = compared(params);
      return comparisons.runs(object, program, params);
    },
  };

  return {
    openBytes(name, bytes, sources = {}) {
      const object = loadObject(bytes, name);
      const id = `o${++objectCount}`;
      objects.set(id, { object, sources, breakpoints: new Breakpoints() });
      return objectView(id, object);
    },
    async call(method, params) {
      if (!isSessionMethod(method)) {
        throw new EngineError('usage/method', `The engine knows no request '${method}'.`, { method });
      }
      return answer(handlers, method, params);
    },
    rest() {
      runner?.pause();
      comparisons.giveUp();
    },
    dispose() {
      runner?.end();
      runner = undefined;
      comparisons.clear();
      objects.clear();
    },
  };
}

function isSessionMethod(method: string): method is SessionMethod {
  return method.startsWith('session.') && Object.hasOwn(requestSchemas, method);
}

function answer<M extends SessionMethod>(
  handlers: Handlers,
  method: M,
  params: unknown,
): Replies[M] | Promise<Replies[M]> {
  const parsed = v.safeParse(requestSchemas[method], params);
  if (!parsed.success) {
    throw new EngineError('usage/params', `${method}: ${parsed.issues[0].message}.`, { method });
  }
  return handlers[method](parsed.output as Params<M>);
}
