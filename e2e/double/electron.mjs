// The Electron double: the part of the module `electron` that Hartbeat's main process uses, driving a real Chromium
// over its DevTools protocol. The built main and preload run in it unchanged, so that the Electron entry, the preload
// and the bridge are exercised where Electron's binary is not. It is a test tool and says so: it proves nothing about
// Electron itself.
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { BrowserWindow, protocol } from './browser-window.mjs';
import { ipcMain } from './ipc.mjs';

class App extends EventEmitter {
  isPackaged = false;
  sandboxed = false;
  enableSandbox() {
    this.sandboxed = true;
  }
  whenReady() {
    return Promise.resolve();
  }
  getPath(name) {
    if (name !== 'userData') throw new Error(`double: app.getPath('${name}') is not there`);
    return path.resolve(process.env.HARTBEAT_DOUBLE_DIR ?? '.', 'userData');
  }
  quit() {
    this.exit(0);
  }
  exit(code) {
    for (const window of BrowserWindow.getAllWindows()) window.destroy();
    process.exit(code);
  }
}

export const app = new App();
// Chromium is a process of its own: it must not outlive this one, however this one ends.
const endWindows = () => BrowserWindow.getAllWindows().forEach((window) => window.destroy());
process.once('exit', endWindows);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.exit(0));
BrowserWindow.onCreated = (contents) => app.emit('web-contents-created', {}, contents);
BrowserWindow.onAllClosed = () => app.emit('window-all-closed');

const permissions = {};
export const session = {
  defaultSession: {
    setPermissionRequestHandler: (handler) => (permissions.request = handler),
    setPermissionCheckHandler: (handler) => (permissions.check = handler),
  },
};

export const Menu = { setApplicationMenu: () => undefined };

/** The dialogs answer what the test put into the environment: a path, or cancelled. */
export const dialog = {
  async showOpenDialog() {
    const file = process.env.HARTBEAT_DOUBLE_CHOOSE;
    return { canceled: !file, filePaths: file ? [file] : [] };
  },
  showErrorBox(title, text) {
    console.error(`${title}: ${text}`);
  },
};

export { BrowserWindow, ipcMain, protocol };
export default { app, BrowserWindow, dialog, ipcMain, Menu, protocol, session };
