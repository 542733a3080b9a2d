import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createApi } from '../../shared/api';
import { socketTransport, type SocketLike } from '../../shared/socket-transport';
import type { EventName, Outcome } from '../../shared/contract';
import type { AppService } from '../app/app-service';
import { startBrowserHost, type BrowserHost } from './server';

let root: string;
let host: BrowserHost;
let emit: (event: EventName, payload: unknown) => void;

let rests: number;

const service: AppService = {
  call: (method, params): Promise<Outcome<unknown>> =>
    Promise.resolve(
      method === 'app.settings'
        ? { ok: true, value: { echoed: params } }
        : { ok: false, error: { code: 'usage/method', message: `no ${String(method)}` } },
    ),
  onEvent(listener) {
    emit = listener;
    return () => undefined;
  },
  rest() {
    rests++;
    return Promise.resolve();
  },
  written: () => Promise.resolve(),
};

beforeEach(async () => {
  rests = 0;
  root = mkdtempSync(path.join(tmpdir(), 'hartbeat-test-'));
  writeFileSync(path.join(root, 'index.html'), '<title>Hartbeat</title>');
  host = await startBrowserHost({ service, root, quitWithLastWindow: true });
});
afterEach(() => {
  host.close();
  rmSync(root, { recursive: true });
});

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function get(target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  const { port } = new URL(host.url);
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, path: target, headers: { host: `127.0.0.1:${port}`, ...headers }, method },
      (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    )
      .on('error', reject)
      .end();
  });
}

const opened = () => new URL(host.url);

async function cookie(): Promise<string> {
  const { headers } = await get(`/${opened().search}`);
  return String(headers['set-cookie']).split(';')[0] ?? '';
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A page's socket, open. */
async function connect(jar: string): Promise<WebSocket> {
  const { port } = opened();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, {
    headers: { cookie: jar, origin: `http://127.0.0.1:${port}` },
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

function disconnect(socket: WebSocket): Promise<void> {
  socket.close();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('when the last window is gone', () => {
  const SHORT = 20;
  const serve = async (quitWithLastWindow: boolean, graceMs?: number): Promise<string> => {
    host.close();
    host = await startBrowserHost({ service, root, quitWithLastWindow, graceMs });
    return cookie();
  };

  it('the host of an own window ends', async () => {
    const jar = await serve(true, SHORT);
    await disconnect(await connect(jar));
    await host.closed;
    expect(rests).toBe(0);
  });

  it('one that only serves stays, and what runs is paused', async () => {
    const jar = await serve(false, SHORT);
    const [first, second] = [await connect(jar), await connect(jar)];
    await disconnect(first);
    await sleep(10 * SHORT);
    expect(rests).toBe(0);
    await disconnect(second);
    await expect.poll(() => rests).toBe(1);
    expect((await get('/', { cookie: jar })).status).toBe(200);
  });

  it.each([
    ['before its old socket closes, as browsers do it', true, SHORT, 10 * SHORT],
    ['within the grace after that', false, undefined, 2000],
  ])('a page that asks for itself %s may take its time to load', async (_what, before, grace, time) => {
    const jar = await serve(true, grace);
    let ended = false;
    void host.closed.then(() => (ended = true));
    const old = await connect(jar);
    const ask = () => get('/', { cookie: jar });
    if (before) await ask();
    await disconnect(old);
    if (!before) await ask();
    await sleep(time);
    expect(ended).toBe(false);
    await disconnect(await connect(jar));
    await host.closed;
  });
});

describe('the browser host', () => {
  it('exchanges its token once for a cookie that scripts cannot read', async () => {
    const first = await get(`/${opened().search}`);
    expect(first.status).toBe(303);
    expect(String(first.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await get(`/${opened().search}`)).status).toBe(403);
    expect((await get('/?token=00')).status).toBe(403);
  });

  it('serves the window to the holder of the cookie, under the content security policy', async () => {
    const page = await get('/', { cookie: await cookie() });
    expect(page.status).toBe(200);
    expect(page.body).toContain('Hartbeat');
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/);
  });

  it.each([
    ['no cookie', '/', {}, 403],
    ['a wrong cookie', '/', { cookie: 'hartbeat=00' }, 403],
    ['another host name (DNS rebinding)', '/', { host: 'evil.example' }, 403],
  ])('refuses %s', async (_what, target, headers: Record<string, string>, status) => {
    expect((await get(target, headers)).status).toBe(status);
  });

  it.each(['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '/%00', '/none.js', '/%'])(
    'has nothing at %s',
    async (target) => {
      expect((await get(target, { cookie: await cookie() })).status).toBe(404);
    },
  );

  it('takes no other method', async () => {
    expect((await get('/', { cookie: await cookie() }, 'POST')).status).toBe(405);
  });

  it('answers requests and pushes events over the socket', async () => {
    const { port } = opened();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, {
      headers: { cookie: await cookie(), origin: `http://127.0.0.1:${port}` },
    });
    const like: SocketLike = {
      send: (text) => socket.send(text),
      onopen: null,
      onmessage: null,
      onclose: null,
    };
    const api = createApi(socketTransport(like));
    socket.on('open', () => like.onopen?.(undefined as never));
    socket.on('message', (data) => like.onmessage?.({ data: String(data) } as never));
    socket.on('close', () => like.onclose?.(undefined as never));

    expect(await api.call('app.settings', {})).toEqual({ echoed: {} });
    await expect(api.call('session.pause', {})).rejects.toThrow('no session.pause');
    const pushed = new Promise((resolve) => api.on('app.open', resolve));
    emit('app.open', { path: '/x.o' });
    expect(await pushed).toEqual({ path: '/x.o' });
    expect(host.connected()).toBe(true);
    socket.close();
    // The last window has closed: after its grace the host ends by itself.
    await host.closed;
    await expect(api.call('app.settings', {})).rejects.toThrow(/has ended/);
  });

  it.each([
    [
      'a foreign origin',
      (port: string, good: string) => ({
        cookie: good,
        origin: 'http://evil.example',
        host: `127.0.0.1:${port}`,
      }),
    ],
    ['no cookie', (port: string) => ({ origin: `http://127.0.0.1:${port}` })],
  ])('refuses a socket with %s', async (_what, headers) => {
    const { port } = opened();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: headers(port, await cookie()) });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/403/);
  });
});
