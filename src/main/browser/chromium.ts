import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'brave-browser',
];
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The first Chromium-like browser on the PATH (or named by HARTBEAT_BROWSER), or nothing. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.HARTBEAT_BROWSER) return env.HARTBEAT_BROWSER;
  const dirs = (env.PATH ?? '').split(path.delimiter).filter(Boolean);
  const candidates = [...NAMES.flatMap((name) => dirs.map((dir) => path.join(dir, name))), ...MAC];
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** True when a window can be shown at all. */
export function hasDisplay(env: NodeJS.ProcessEnv = process.env, platform = process.platform): boolean {
  return platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

export interface AppWindow {
  readonly process: ChildProcess;
  /** Resolves when the browser has ended, or could not start. */
  readonly closed: Promise<void>;
  /** Resolves after that, when its profile directory is gone, too. */
  readonly cleared: Promise<void>;
}

/**
 * Opens the URL as an application window with a profile directory of its own, which is removed when the window closes.
 * As root, Chromium's sandbox cannot start; only then is it switched off.
 */
export async function openAppWindow(browser: string, url: string): Promise<AppWindow> {
  const profile = await mkdtemp(path.join(tmpdir(), 'hartbeat-window-'));
  const args = [
    `--app=${url}`,
    `--user-data-dir=${profile}`,
    '--window-size=1440,900',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
    ...(process.getuid?.() === 0 ? ['--no-sandbox', '--test-type'] : []),
  ];
  const child = spawn(browser, args, { stdio: 'ignore' });
  const closed = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  // The browser's helpers may still write for a moment; a directory that stays in the temporary one does no harm.
  const cleared = closed
    .then(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
    .catch(() => undefined);
  return { process: child, closed, cleared };
}
