import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PAGE_SCRIPT, preloadScript } from './bridge.mjs';
import { connectDevTools } from './devtools.mjs';
import { ipcMain } from './ipc.mjs';

const WORLD = 'preload';
const BINDING = '__toMain';

/** protocol.handle and its kin. Chromium knows no app:// scheme, so pages of it are served from a loopback address. */
const handlers = new Map();
export const protocol = {
  registerSchemesAsPrivileged: () => undefined,
  handle: (scheme, handler) => handlers.set(scheme, handler),
};

/** Serves the scheme of `url` over HTTP through its protocol handler; gives the address to load instead. */
async function serveScheme(url) {
  const { protocol: scheme, host } = new URL(url);
  const handler = handlers.get(scheme.slice(0, -1));
  if (!handler) throw new Error(`double: no protocol handler for ${scheme}`);
  const server = createServer(async (request, response) => {
    const reply = await handler(new Request(`${scheme}//${host}${request.url}`, { method: request.method }));
    response
      .writeHead(reply.status, Object.fromEntries(reply.headers))
      .end(Buffer.from(await reply.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

class WebContents extends EventEmitter {
  #send;
  constructor(send) {
    super();
    this.#send = send;
  }
  setWindowOpenHandler(handler) {
    this.windowOpenHandler = handler;
  }
  send(channel, ...args) {
    this.#send({ kind: 'event', channel, args });
  }
}

export class BrowserWindow extends EventEmitter {
  static #windows = new Set();
  static onCreated = () => undefined;
  static onAllClosed = () => undefined;
  static getAllWindows = () => [...BrowserWindow.#windows];

  #options;
  #chromium;
  #server;
  #context;
  #destroyed = false;

  constructor(options) {
    super();
    const { contextIsolation, sandbox, nodeIntegration, webviewTag } = options.webPreferences;
    if (!contextIsolation || !sandbox || nodeIntegration || webviewTag)
      throw new Error('double: insecure webPreferences');
    this.#options = options;
    this.webContents = new WebContents((message) => this.#toPreload(message));
    BrowserWindow.#windows.add(this);
    BrowserWindow.onCreated(this.webContents);
  }

  show() {}
  isDestroyed = () => this.#destroyed;

  async loadURL(url) {
    const { server, origin } = await serveScheme(url);
    this.#server = server;
    const dir = process.env.HARTBEAT_DOUBLE_DIR ?? mkdtempSync(path.join(tmpdir(), 'hartbeat-double-'));
    this.#chromium = spawn(
      process.env.HARTBEAT_BROWSER ?? 'chromium',
      [
        '--headless=new',
        '--remote-debugging-port=0',
        `--user-data-dir=${path.join(dir, 'profile')}`,
        '--window-size=1440,900',
        '--no-first-run',
        '--no-default-browser-check',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
        '--disable-gpu',
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#chromium.once('exit', () => this.#closed());
    const devtools = await connectDevTools(this.#chromium, () => this.destroy());
    await this.#drive(devtools, new URL(url), origin);
    this.emit('ready-to-show');
    // The test connects to the same browser by this address.
    console.log(`DOUBLE ${devtools.endpoint}`);
  }

  async #drive(devtools, url, origin) {
    const page = await devtools.firstPage();
    const own = (frameUrl) => frameUrl.replace(origin, `${url.protocol}//${url.host}`);
    this.#context = undefined;
    page.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name === WORLD) this.#context = { page, id: context.id };
    });
    page.on('Runtime.bindingCalled', async ({ name, payload, executionContextId }) => {
      if (name !== BINDING) return;
      const { id, channel, args } = decode(payload);
      const frame = { url: own(page.url()), parent: null };
      const reply = (message) =>
        this.#toPreload({ kind: 'reply', id, ...message }, { page, id: executionContextId });
      try {
        reply({ value: await ipcMain.dispatch(frame, channel, args) });
      } catch (error) {
        reply({ error: String(error?.message ?? error) });
      }
    });
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    await page.send('Runtime.addBinding', { name: BINDING, executionContextName: WORLD });
    await page.send('Page.addScriptToEvaluateOnNewDocument', { source: PAGE_SCRIPT });
    const { preload } = this.#options.webPreferences;
    if (!existsSync(preload)) throw new Error(`double: there is no preload ${preload}`);
    const source = preloadScript(readFileSync(preload, 'utf8'), BINDING);
    await page.send('Page.addScriptToEvaluateOnNewDocument', { source, worldName: WORLD });
    await page.navigate(`${origin}${url.pathname}`);
  }

  #toPreload(message, context = this.#context) {
    if (!context || this.#destroyed) return;
    const expression = `__fromMain(${JSON.stringify(encode(message))})`;
    void context.page.send('Runtime.evaluate', { expression, contextId: context.id }).catch(() => undefined);
  }

  destroy() {
    this.#chromium?.kill();
    this.#closed();
  }

  #closed() {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#server?.close();
    BrowserWindow.#windows.delete(this);
    this.emit('closed');
    if (BrowserWindow.#windows.size === 0) BrowserWindow.onAllClosed();
  }
}

const encode = (value) =>
  JSON.stringify(value, (_k, v) =>
    typeof v === 'bigint'
      ? { $bigint: v.toString() }
      : v instanceof Uint8Array
        ? { $bytes: Array.from(v) }
        : v,
  );
const decode = (text) =>
  JSON.parse(text, (_k, v) => {
    if (v && typeof v === 'object' && '$bigint' in v) return BigInt(v.$bigint);
    if (v && typeof v === 'object' && '$bytes' in v) return Uint8Array.from(v.$bytes);
    return v;
  });
