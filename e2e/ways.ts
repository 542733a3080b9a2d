import { chromium, type Browser, type Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { browserPath } from './chromium.ts';

/**
 * How a window is opened: by the browser host that only serves, by the browser host with a Chromium window of its own, or
 * by the Electron main process and preload over the double.
 */
export type Way = 'host' | 'window' | 'double';

/** A process of Hartbeat and its window. */
export interface Opened {
  readonly page: Page;
  /** The address to load first, if the page is not there yet. */
  readonly url?: string;
  readonly process: ChildProcess;
  /** Ends the process if it has not ended, and what was started with it. */
  stop(): Promise<unknown>;
  /** Makes the window take this file when it asks for one to open. */
  choose(file: string): Promise<void>;
}

/** The repository: bundled into a benchmark this module lies elsewhere. */
export const ROOT = (function above(dir: string): string {
  return existsSync(path.join(dir, 'package.json')) ? dir : above(path.dirname(dir));
})(import.meta.dirname);

/**
 * Starts Hartbeat and opens its window.
 * @param dir for its settings and whatever else it writes
 * @param file the object named on the command line
 */
export function openThrough(way: Way, browser: Browser, dir: string, file?: string): Promise<Opened> {
  const files = file === undefined ? [] : [file];
  if (way === 'host') return throughHost(browser, dir, files);
  return way === 'window' ? throughWindow(dir, files) : throughDouble(dir, files);
}

async function throughHost(browser: Browser, dir: string, files: readonly string[]): Promise<Opened> {
  const host = start(['out/main/host.js', '--no-window', ...files], { HARTBEAT_CONFIG_DIR: dir });
  const url = await printed(host, /(http:\S+)/);
  const context = await browser.newContext({ colorScheme: 'light' });
  const page = await context.newPage();
  return {
    page,
    url,
    process: host,
    stop: async () => {
      await context.close();
      await end(host);
    },
    choose: (chosen) => answerChooser(page, chosen),
  };
}

/** As `npm start` opens it, but for a window that nobody sees: the browser is a script that starts Chromium headless. */
async function throughWindow(dir: string, files: readonly string[]): Promise<Opened> {
  const script = path.join(dir, 'browser');
  const log = path.join(dir, 'browser.log');
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const command = [browserPath(), '--headless=new', '--remote-debugging-port=0'].map(quoted).join(' ');
  await writeFile(script, `#!/bin/sh\nexec ${command} "$@" 2>${quoted(log)}\n`, { mode: 0o755 });
  const host = start(['out/main/host.js', ...files], {
    DISPLAY: process.env.DISPLAY ?? ':0',
    HARTBEAT_CONFIG_DIR: dir,
    HARTBEAT_BROWSER: script,
  });
  let endpoint: string | undefined;
  while (endpoint === undefined) {
    if (hasEnded(host)) throw new Error('the browser host ended before its window opened');
    await sleep(50);
    endpoint = /DevTools listening on (ws:\S+)/.exec(await readFile(log, 'utf8').catch(() => ''))?.[1];
  }
  const { browser, page } = await attach(endpoint);
  await page.waitForURL((url) => url.pathname === '/' && url.search === '');
  return {
    page,
    process: host,
    stop: async () => {
      await browser.close().catch(() => undefined);
      await end(host);
    },
    choose: (chosen) => answerChooser(page, chosen),
  };
}

async function throughDouble(dir: string, files: readonly string[]): Promise<Opened> {
  const chosen = path.join(dir, 'chosen.o');
  const register = path.join(ROOT, 'e2e/double/register.mjs');
  const main = start(['--import', register, 'out/main/index.js', ...files], {
    HARTBEAT_BROWSER: browserPath(),
    HARTBEAT_DOUBLE_DIR: dir,
    HARTBEAT_DOUBLE_CHOOSE: chosen,
  });
  const { browser, page } = await attach(await printed(main, /DOUBLE (ws:\S+)/));
  return {
    page,
    process: main,
    stop: async () => {
      await browser.close().catch(() => undefined);
      await end(main);
    },
    choose: (source) => copyFile(source, chosen),
  };
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The only page of a Chromium; it may listen before it has opened its window. */
async function attach(endpoint: string): Promise<{ browser: Browser; page: Page }> {
  const browser = await chromium.connectOverCDP(endpoint);
  const [context] = browser.contexts();
  if (!context) throw new Error('Chromium has no context');
  return { browser, page: context.pages()[0] ?? (await context.waitForEvent('page')) };
}

async function answerChooser(page: Page, file: string): Promise<void> {
  page.once('filechooser', (chooser) => void chooser.setFiles(file));
}

/** Waits until a process has printed what is sought. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: unknown) => {
      text += String(chunk);
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`Hartbeat ended (${code}) before its window opened:\n${text}`)),
    );
  });
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Waits until a process has ended: its exit code, if it ended by itself. */
export function exited(child: ChildProcess): Promise<number | null> {
  if (hasEnded(child)) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function end(child: ChildProcess): Promise<unknown> {
  const gone = exited(child);
  child.kill();
  return gone;
}
