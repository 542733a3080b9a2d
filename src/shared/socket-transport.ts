import type { Transport } from './api';
import { decodeMessage, encodeMessage } from './codec';
import type { EventName, Method, Outcome } from './contract';

/** What travels over the socket, both ways. */
export type ClientMessage = { readonly id: number; readonly method: Method; readonly params: unknown };
export type HostMessage =
  | { readonly id: number; readonly outcome: Outcome<unknown> }
  | { readonly event: EventName; readonly payload: unknown };

const GONE: Outcome<never> = {
  ok: false,
  error: {
    code: 'usage/disconnected',
    message: 'The debugger behind this window has ended. Start Hartbeat again to go on.',
  },
};

/** The part of a WebSocket that the transport needs; browsers' and Node's are alike. */
export interface SocketLike {
  send(text: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
}

/**
 * A transport over a WebSocket of the browser host. Requests made before the socket is open wait for it; once it has
 * closed, every request answers `usage/disconnected`.
 */
export function socketTransport(socket: SocketLike): Transport {
  const waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  const listeners = new Set<(event: EventName, payload: unknown) => void>();
  let state: 'connecting' | 'open' | 'closed' = 'connecting';
  let queue: string[] = [];
  let nextId = 1;

  socket.onopen = () => {
    state = 'open';
    for (const text of queue) socket.send(text);
    queue = [];
  };
  socket.onclose = () => {
    state = 'closed';
    for (const resolve of waiting.values()) resolve(GONE);
    waiting.clear();
  };
  socket.onmessage = ({ data }: { readonly data: unknown }) => {
    const message = decodeMessage(String(data)) as HostMessage;
    if ('event' in message) {
      for (const listener of [...listeners]) listener(message.event, message.payload);
      return;
    }
    waiting.get(message.id)?.(message.outcome);
    waiting.delete(message.id);
  };

  return {
    call(method, params) {
      if (state === 'closed') return Promise.resolve(GONE);
      const id = nextId++;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        const text = encodeMessage({ id, method, params } satisfies ClientMessage);
        if (state === 'open') socket.send(text);
        else queue.push(text);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
