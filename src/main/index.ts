import { app, BrowserWindow, dialog, Menu } from 'electron';
import path from 'node:path';
import { createAppService } from './app/app-service';
import { appPaths, initialFrom, version } from './app/start';
import { startEngine } from './engine/client';
import { serveIpc } from './electron/ipc';
import { registerAppScheme, serveRenderer } from './electron/protocol';
import { APP_ORIGIN, denyPermissions, hardenApp } from './electron/security';

/** Electron's entry: one window, hardened, over the same services as the browser host. */
registerAppScheme();
hardenApp();
// The window has its own toolbar, keys and palette; the default menu would claim Ctrl+R, F11 and the like.
Menu.setApplicationMenu(null);

/** What is still to be done when the window has been closed. */
let closing: Promise<unknown> = Promise.resolve();

async function openWindow(): Promise<void> {
  const paths = appPaths();
  denyPermissions();
  serveRenderer(paths.renderer);
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Hartbeat',
    webPreferences: {
      preload: paths.preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
    },
  });
  const engine = startEngine();
  const service = createAppService({
    engine,
    host: 'electron',
    version: version(),
    examples: paths.examples,
    settings: path.join(app.getPath('userData'), 'settings.json'),
    initial: initialFrom(objectArgument(process.argv)),
    chooseFile: async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog(window, {
        title: 'Open a BPF object',
        properties: ['openFile'],
        filters: [
          { name: 'BPF objects', extensions: ['o', 'elf'] },
          { name: 'All files', extensions: ['*'] },
        ],
      });
      return canceled ? undefined : filePaths[0];
    },
  });
  serveIpc(service, window);
  window.once('ready-to-show', () => window.show());
  // A run must not outlive the window; what it said last of its settings must.
  window.on('closed', () => (closing = Promise.all([engine.close(), service.written()])));
  await window.loadURL(`${APP_ORIGIN}/`);
}

/** The object among the process's arguments: the last one that is no option and not Electron's own. */
function objectArgument(argv: readonly string[]): string | undefined {
  return argv.slice(app.isPackaged ? 1 : 2).findLast((arg) => !arg.startsWith('-'));
}

app.on('window-all-closed', () => void closing.finally(() => app.quit()));
app
  .whenReady()
  .then(openWindow)
  .catch((error: unknown) => {
    dialog.showErrorBox('Hartbeat cannot start', error instanceof Error ? error.message : String(error));
    app.exit(1);
  });
