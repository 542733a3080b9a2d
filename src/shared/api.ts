import type { EventName, Events, Failure, Method, Outcome, Params, Replies } from './contract';

/** How requests travel: contextBridge over ipcRenderer, or a WebSocket. Values may hold bigint and Uint8Array. */
export interface Transport {
  call(method: Method, params: unknown): Promise<Outcome<unknown>>;
  /** Subscribes to pushed events; returns the unsubscriber. */
  listen(listener: (event: EventName, payload: unknown) => void): () => void;
}

/** An error that a request answered with. */
export class RequestError extends Error {
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'RequestError';
    this.code = failure.code;
    this.data = failure.data ?? {};
  }
}

/** The window's typed view of the main process. */
export interface Api {
  /** @throws RequestError with the code and sentence of what went wrong. */
  call<M extends Method>(method: M, params: Params<M>): Promise<Replies[M]>;
  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void;
}

/** One api over any transport. */
export function createApi(transport: Transport): Api {
  return {
    async call<M extends Method>(method: M, params: Params<M>) {
      const outcome = await transport.call(method, params);
      if (!outcome.ok) throw new RequestError(outcome.error);
      return outcome.value as Replies[M];
    },
    on<E extends EventName>(event: E, listener: (payload: Events[E]) => void) {
      return transport.listen((name, payload) => {
        if (name === event) listener(payload as Events[E]);
      });
    },
  };
}
