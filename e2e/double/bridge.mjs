// Texts of scripts that run inside the page. The preload runs in an isolated world with a stand-in for `require`; the
// main world gets a stub of what contextBridge exposed. The two worlds share the document and talk by CustomEvents
// whose detail is text, as real worlds share no objects.

/** Both worlds: values to text and back, functions by reference. */
const CODEC = `
const toText = (value) => JSON.stringify(value, (_k, v) =>
  typeof v === 'bigint' ? { $bigint: v.toString() }
  : v instanceof Uint8Array ? { $bytes: Array.from(v) }
  : typeof v === 'function' ? { $function: keep(v) } : v);
const fromText = (text) => JSON.parse(text, (_k, v) =>
  v && typeof v === 'object' && '$bigint' in v ? BigInt(v.$bigint)
  : v && typeof v === 'object' && '$bytes' in v ? Uint8Array.from(v.$bytes)
  : v && typeof v === 'object' && '$function' in v ? remote(v.$function) : v);
const kept = new Map(); let nextKept = 1;
const keep = (fn) => { for (const [id, f] of kept) if (f === fn) return id; kept.set(nextKept, fn); return nextKept++; };
const waiting = new Map(); let nextCall = 1;
const post = (message) => document.dispatchEvent(new CustomEvent(OUT, { detail: toText(message) }));
const remote = (id) => (...args) => new Promise((resolve, reject) => {
  const call = nextCall++;
  waiting.set(call, { resolve, reject });
  post({ kind: 'call', call, id, args });
});
document.addEventListener(IN, (event) => {
  const message = fromText(event.detail);
  if (message.kind === 'call') {
    Promise.resolve().then(() => kept.get(message.id)(...message.args)).then(
      (value) => post({ kind: 'reply', call: message.call, value }),
      (error) => post({ kind: 'reply', call: message.call, error: String(error?.message ?? error) }));
  } else if (message.kind === 'reply') {
    const { resolve, reject } = waiting.get(message.call);
    waiting.delete(message.call);
    if ('error' in message) reject(new Error(message.error)); else resolve(message.value);
  } else onExposed(message);
});
`;

/** The isolated world: a `require('electron')` for the preload, over the binding `toMain` and `fromMain`. */
export function preloadScript(preload, bindingName) {
  return `(() => {
if (window !== window.top) return;
const OUT = 'double:to-page', IN = 'double:to-preload';
const onExposed = () => undefined;
${CODEC}
const invocations = new Map(); let nextInvoke = 1;
const channels = new Map();
globalThis.__fromMain = (text) => {
  const message = fromText(text);
  if (message.kind === 'event') {
    for (const listener of channels.get(message.channel) ?? []) listener({}, ...message.args);
    return;
  }
  const { resolve, reject } = invocations.get(message.id);
  invocations.delete(message.id);
  if ('error' in message) reject(new Error(message.error)); else resolve(message.value);
};
const ipcRenderer = {
  invoke: (channel, ...args) => new Promise((resolve, reject) => {
    const id = nextInvoke++;
    invocations.set(id, { resolve, reject });
    globalThis[${JSON.stringify(bindingName)}](toText({ id, channel, args }));
  }),
  on: (channel, listener) => { channels.set(channel, [...(channels.get(channel) ?? []), listener]); return ipcRenderer; },
  removeListener: (channel, listener) => {
    channels.set(channel, (channels.get(channel) ?? []).filter((l) => l !== listener));
    return ipcRenderer;
  },
};
const contextBridge = { exposeInMainWorld: (name, api) => post({ kind: 'expose', name, api }) };
const require = (id) => {
  if (id !== 'electron') throw new Error('module not found: ' + id);
  return { contextBridge, ipcRenderer };
};
const module = { exports: {} };
(function (require, module, exports) {
${preload}
})(require, module, module.exports);
})();`;
}

/** The main world: stands in for what contextBridge does there. Must run before the preload. */
export const PAGE_SCRIPT = `(() => {
if (window !== window.top) return;
const OUT = 'double:to-preload', IN = 'double:to-page';
const onExposed = ({ name, api }) => {
  // The bridge's calls are asynchronous here; what the preload returns synchronously (an unsubscriber) becomes one
  // that waits for its promise.
  const wrap = (fn) => (...args) => {
    const result = fn(...args);
    return Object.assign(() => { void result.then((undo) => undo?.()); }, { then: result.then.bind(result), catch: result.catch.bind(result) });
  };
  Object.defineProperty(window, name, { value: Object.freeze(Object.fromEntries(Object.entries(api).map(([key, fn]) => [key, wrap(fn)]))) });
};
${CODEC}
})();`;
