import { contextBridge, ipcRenderer } from 'electron';
import type { Transport } from '../shared/api';
import { CALL_CHANNEL, EVENT_CHANNEL } from '../shared/channels';
import type { EventName } from '../shared/contract';

/** The contract over contextBridge, nothing else: two verbs, payloads only, no Electron object gets through. */
const transport: Transport = {
  call: (method, params) => ipcRenderer.invoke(CALL_CHANNEL, method, params),
  listen(listener) {
    const forward = (_event: unknown, name: EventName, payload: unknown) => listener(name, payload);
    ipcRenderer.on(EVENT_CHANNEL, forward);
    return () => {
      ipcRenderer.removeListener(EVENT_CHANNEL, forward);
    };
  },
};

contextBridge.exposeInMainWorld('hartbeat', transport);
