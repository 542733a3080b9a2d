import { EngineError } from '../../engine/base/errors';
import type { ObjectView } from '../../engine/debugger/views';
import type { Events, Method } from '../../shared/contract';

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
  /** Ends the session and forgets the opened objects. */
  dispose(): void;
}

/** Makes the service. One session at a time: a new `session.start` ends the old one. */
export function createEngineService(_options: EngineServiceOptions): EngineService {
  return {
    openBytes(name) {
      throw new EngineError('debugger/not-built', `Opening ${name} is not built yet.`);
    },
    call(method) {
      return Promise.reject(new EngineError('debugger/not-built', `${method} is not built yet.`));
    },
    dispose() {},
  };
}
