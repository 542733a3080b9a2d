import { inject, type InjectionKey } from 'vue';
import { createApi, RequestError, type Api, type Transport } from '../shared/api';
import { socketTransport } from '../shared/socket-transport';

/** The one way from the window to the debugger; stores take it by {@link useApi}. */
export const apiKey: InjectionKey<Api> = Symbol('api');

/** Electron's preload if there is one, else the browser host's socket on the page's own origin. */
export function connect(): Api {
  return createApi(window.hartbeat ?? openSocket());
}

function openSocket(): Transport {
  const url = new URL('/socket', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return socketTransport(new WebSocket(url));
}

export function useApi(): Api {
  const api = inject(apiKey);
  if (!api) throw new Error('no api was provided to the application');
  return api;
}

/** The sentence for people in whatever a request threw. */
export function sentenceOf(error: unknown): string {
  if (error instanceof RequestError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
