import WebSocket from 'ws';
import { EventEmitter } from 'node:events';

/**
 * Connects to a Chromium that was started with --remote-debugging-port=0 and prints its address on stderr.
 * @param {() => void} onPageGone called when the first page has been closed, as a user closes a window
 * @returns {Promise<{ endpoint: string, firstPage(): Promise<Page> }>}
 */
export async function connectDevTools(chromium, onPageGone) {
  const endpoint = await new Promise((resolve, reject) => {
    let text = '';
    chromium.stderr.on('data', (chunk) => {
      text += chunk;
      const match = /DevTools listening on (ws:\S+)/.exec(text);
      if (match) resolve(match[1]);
    });
    chromium.once('exit', (code) => reject(new Error(`chromium ended (${code}): ${text.slice(-500)}`)));
  });
  const socket = new WebSocket(endpoint, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const connection = new Connection(socket);
  return {
    endpoint,
    async firstPage() {
      const { targetInfos } = await connection.send('Target.getTargets');
      const target = targetInfos.find(({ type }) => type === 'page');
      const { sessionId } = await connection.send('Target.attachToTarget', {
        targetId: target.targetId,
        flatten: true,
      });
      await connection.send('Target.setDiscoverTargets', { discover: true });
      connection.on('event', ({ method, params }) => {
        if (method === 'Target.targetDestroyed' && params.targetId === target.targetId) onPageGone();
      });
      return new Page(connection, sessionId);
    },
  };
}

class Connection extends EventEmitter {
  #socket;
  #next = 1;
  #waiting = new Map();
  constructor(socket) {
    super();
    this.setMaxListeners(0);
    this.#socket = socket;
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.id === undefined) {
        this.emit('event', message);
        return;
      }
      const { resolve, reject } = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error) reject(new Error(message.error.message));
      else resolve(message.result);
    });
  }
  send(method, params = {}, sessionId) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }
}

class Page extends EventEmitter {
  #connection;
  #session;
  #url = 'about:blank';
  constructor(connection, session) {
    super();
    this.#connection = connection;
    this.#session = session;
    connection.on('event', ({ method, params, sessionId }) => {
      if (sessionId !== session) return;
      if (method === 'Page.frameNavigated' && !params.frame.parentId) this.#url = params.frame.url;
      this.emit(method, params);
    });
  }
  /** URL of the top frame. */
  url = () => this.#url;
  send(method, params) {
    return this.#connection.send(method, params, this.#session);
  }
  async navigate(url) {
    const loaded = new Promise((resolve) => this.once('Page.loadEventFired', resolve));
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`double: ${url}: ${errorText}`);
    await loaded;
  }
}
