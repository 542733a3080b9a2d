import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { decodeMessage, encodeMessage } from '../../shared/codec';
import type { AppService } from '../app/app-service';
import { SECURITY_HEADERS } from '../app/csp';
import { readStatic } from '../app/static-files';
import { Access } from './access';
import { Presence } from './presence';

const MAX_MESSAGE_BYTES = 96 * 1024 * 1024;

export interface BrowserHost {
  /** With the one-time token; to be opened once. */
  readonly url: string;
  /** Resolves when the last window has been closed (if `quitWithLastWindow`) or close() was called. */
  readonly closed: Promise<void>;
  /** True once a page has connected. */
  connected(): boolean;
  close(): void;
}

export interface BrowserHostOptions {
  readonly service: AppService;
  /** Directory of the built renderer. */
  readonly root: string;
  /** 0 takes a free port. */
  readonly port?: number;
  /** With the last window the host ends; otherwise it stays for the next one, and what runs is paused. */
  readonly quitWithLastWindow: boolean;
  /** How long a page may be gone without having asked for itself again. Milliseconds; for tests. */
  readonly graceMs?: number;
}

/** Serves the window over HTTP and its requests over a WebSocket, to this machine only. */
export async function startBrowserHost(options: BrowserHostOptions): Promise<BrowserHost> {
  let port = 0;
  const access = new Access(() => port);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const refuse = (status: number, text: string) => {
      response
        .writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' })
        .end(text);
    };
    if (!access.hostAllowed(request)) return refuse(403, 'Wrong host name.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'Only GET.\n');
    if (url.searchParams.has('token')) {
      const cookie = access.exchange(url.searchParams.get('token'));
      if (!cookie) return refuse(403, 'This link has been used. Start Hartbeat again for a new one.\n');
      response.writeHead(303, { ...SECURITY_HEADERS, 'Set-Cookie': cookie, Location: '/' }).end();
      return;
    }
    if (!access.hasCookie(request)) return refuse(403, 'Open the link that Hartbeat printed.\n');
    void readStatic(options.root, url.pathname).then((file) => {
      if (!file) return refuse(404, 'Not found.\n');
      if (file.type.startsWith('text/html')) presence.asked();
      response.writeHead(200, {
        ...SECURITY_HEADERS,
        'Content-Type': file.type,
        'Cache-Control': 'no-cache',
      });
      response.end(request.method === 'HEAD' ? undefined : file.body);
    });
  });

  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on('upgrade', (request, socket, head) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (
      pathname !== '/socket' ||
      !access.hostAllowed(request) ||
      !access.originAllowed(request) ||
      !access.hasCookie(request)
    ) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => serve(client));
  });

  let finish: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (finish = resolve));
  let connected = false;
  const presence = new Presence(() => {
    if (options.quitWithLastWindow) close();
    else void options.service.rest();
  }, options.graceMs);

  function serve(client: WebSocket): void {
    presence.came();
    connected = true;
    const stopEvents = options.service.onEvent((event, payload) =>
      client.send(encodeMessage({ event, payload })),
    );
    client.on('message', (data) => void answer(client, String(data)));
    client.on('error', () => client.terminate());
    client.on('close', () => {
      stopEvents();
      if (sockets.clients.size === 0) presence.left();
    });
  }

  async function answer(client: WebSocket, text: string): Promise<void> {
    let message: { id?: unknown; method?: unknown; params?: unknown };
    try {
      message = Object(decodeMessage(text)) as typeof message;
    } catch {
      client.close(1007, 'not a message');
      return;
    }
    const outcome = await options.service.call(message.method, message.params);
    if (client.readyState === client.OPEN) client.send(encodeMessage({ id: message.id, outcome }));
  }

  function close(): void {
    presence.end();
    for (const client of sockets.clients) client.terminate();
    server.close();
    server.closeAllConnections();
    finish();
  }

  port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/?token=${access.token}`,
    closed,
    connected: () => connected,
    close,
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
