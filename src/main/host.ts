import { homedir } from 'node:os';
import path from 'node:path';
import { createAppService } from './app/app-service';
import { findChromium, hasDisplay, openAppWindow } from './browser/chromium';
import { startBrowserHost } from './browser/server';
import { startEngine } from './engine/client';
import { appPaths, initialFrom, version } from './app/start';

/**
 * The browser host: the services of the Electron main process behind HTTP and a WebSocket on 127.0.0.1, shown in a
 * Chromium application window, or in any browser by the printed URL.
 *
 * Arguments: [--no-window] [--port N] [object.o]
 */
async function main(argv: readonly string[]): Promise<void> {
  const noWindow = argv.includes('--no-window');
  const portAt = argv.indexOf('--port');
  const port = portAt >= 0 ? Number(argv[portAt + 1]) : 0;
  const files = argv.filter((arg, i) => !arg.startsWith('--') && (portAt < 0 || i !== portAt + 1));

  const paths = appPaths();
  const engine = startEngine();
  const service = createAppService({
    engine,
    host: 'browser',
    version: version(),
    examples: paths.examples,
    settings: path.join(configDir(), 'hartbeat', 'settings.json'),
    initial: initialFrom(files[0]),
  });
  const browser = noWindow || !hasDisplay() ? undefined : findChromium();
  const host = await startBrowserHost({
    service,
    root: paths.renderer,
    port,
    quitWithLastWindow: browser !== undefined,
  });

  const stop = () => host.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const window = browser === undefined ? undefined : await openAppWindow(browser, host.url);
  if (window) {
    // A window that could not open (a DISPLAY that nobody serves, say) never connected: then the URL must do.
    void window.closed.then(() => (host.connected() ? stop() : printUrl(host.url, false)));
  } else {
    printUrl(host.url, true);
  }
  await host.closed;
  // First what takes the processor's time: a run may be going on.
  await engine.close();
  window?.process.kill();
  await window?.cleared;
}

function printUrl(url: string, stays: boolean): void {
  console.log(`Hartbeat is at ${url}`);
  console.log('Open this address once in a browser on this machine; Ctrl+C ends the debugger.');
  if (stays)
    console.log(
      `When the page is closed, what runs is paused; ${new URL(url).origin}/ shows it again in that browser.`,
    );
}

/** Where settings live: XDG's configuration directory, or the platform's own. */
function configDir(): string {
  if (process.env.HARTBEAT_CONFIG_DIR) return process.env.HARTBEAT_CONFIG_DIR;
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Application Support');
  if (process.platform === 'win32') return process.env.APPDATA ?? path.join(homedir(), 'AppData', 'Roaming');
  return process.env.XDG_CONFIG_HOME ?? path.join(homedir(), '.config');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`hartbeat: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
