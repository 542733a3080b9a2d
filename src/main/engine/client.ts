import type { Worker } from 'node:worker_threads';
import type { EventName, Outcome } from '../../shared/contract';
import { toFailure } from './failure';
import type { FromWorker, ToWorker } from './messages';
import createWorker from './worker?nodeWorker';

/** `Omit` that keeps the branches of a union apart. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** The main process's hold of the engine worker. */
export interface EngineClient {
  call(method: string, params: unknown): Promise<Outcome<unknown>>;
  open(name: string, bytes: Uint8Array, sources: Readonly<Record<string, string>>): Promise<Outcome<unknown>>;
  onEvent(listener: (event: EventName, payload: unknown) => void): () => void;
  /** Pauses the run and gives up comparisons; a worker that was never started stays so. Never rejects. */
  rest(): Promise<void>;
  /** Ends the worker, whatever it is doing. */
  close(): Promise<void>;
}

/**
 * Starts the engine in a worker thread. If the worker dies, every open and later request answers with a failure that
 * says so, and the next request gets a fresh worker (the session is lost, the window stays usable).
 */
export function startEngine(start: () => Worker = () => createWorker({})): EngineClient {
  const waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  const listeners = new Set<(event: EventName, payload: unknown) => void>();
  let nextId = 1;
  let worker: Worker | undefined;
  let closed = false;

  function ensure(): Worker {
    if (worker) return worker;
    const mine = start();
    worker = mine;
    mine.on('message', (message: FromWorker) => {
      if (message.kind === 'event') {
        for (const listener of [...listeners]) listener(message.event, message.payload);
        return;
      }
      waiting.get(message.id)?.(message.outcome);
      waiting.delete(message.id);
    });
    const gone = (error: unknown) => {
      if (worker === mine) worker = undefined;
      for (const resolve of waiting.values()) resolve({ ok: false, error: toFailure(error) });
      waiting.clear();
    };
    mine.on('error', gone);
    mine.on('exit', (code) =>
      gone(new Error(closed ? 'the debugger is closing' : `the engine worker ended (${code})`)),
    );
    return mine;
  }

  function send(message: WithoutId<ToWorker>): Promise<Outcome<unknown>> {
    if (closed) return Promise.resolve({ ok: false, error: toFailure(new Error('the debugger is closing')) });
    const id = nextId++;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      ensure().postMessage({ ...message, id } as ToWorker);
    });
  }

  return {
    call: (method, params) => send({ kind: 'call', method, params }),
    open: (name, bytes, sources) => send({ kind: 'open', name, bytes, sources }),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async rest() {
      if (worker) await send({ kind: 'rest' });
    },
    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}
