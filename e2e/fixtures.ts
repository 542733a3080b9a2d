import { chromium, test as base, expect, type Browser, type Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { browserPath } from './chromium.ts';
import { DebuggerPage } from './pages/debugger.ts';
import { StartPage } from './pages/start.ts';

export const ROOT = path.resolve(import.meta.dirname, '..');
export const EXAMPLES = path.join(ROOT, 'examples');

export interface HartbeatOptions {
  /**
   * The browser host that only serves, the browser host with a Chromium window of its own, or the Electron main process
   * and preload over the double.
   */
  way: 'host' | 'window' | 'double';
}

/** A window that a test has opened. */
export interface HartbeatWindow {
  readonly page: Page;
  readonly debug: DebuggerPage;
  readonly start: StartPage;
  /** Errors and warnings that the page has written to its console. */
  readonly complaints: readonly string[];
  /** Directory of this window's settings and of files that the test makes. */
  readonly dir: string;
  /** Makes the window take this file when it asks for one to open. */
  choose(file: string): Promise<void>;
  /** Waits until the process behind the window has ended by itself: its exit code. */
  ended(): Promise<number | null>;
}

export interface OpenOptions {
  /** The object named on the command line; without one the first example opens. */
  readonly file?: string;
  readonly width?: number;
  readonly height?: number;
}

interface Fixtures extends HartbeatOptions {
  /** Starts Hartbeat in a process and a browser of its own and opens its window. */
  open: (options?: OpenOptions) => Promise<HartbeatWindow>;
}

export const test = base.extend<Fixtures>({
  way: ['host', { option: true }],
  open: async ({ way, browser }, use) => {
    const closing: (() => Promise<unknown>)[] = [];
    await use(async (options = {}) => {
      const dir = await mkdtemp(path.join(tmpdir(), 'hartbeat-e2e-'));
      closing.push(() => rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
      const { page, stop, choose, ended } = await {
        host: () => throughHost(browser, options, dir),
        window: () => throughWindow(options, dir),
        double: () => throughDouble(options, dir),
      }[way]();
      closing.push(stop);
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.setViewportSize({ width: options.width ?? 1280, height: options.height ?? 800 });
      await page.goto(await startUrl(page));
      return {
        page,
        debug: new DebuggerPage(page),
        start: new StartPage(page),
        complaints,
        dir,
        choose,
        ended,
      };
    });
    for (const close of closing.reverse()) await close();
  },
});
export { expect };

interface Opened extends Pick<HartbeatWindow, 'page' | 'choose' | 'ended'> {
  readonly stop: () => Promise<unknown>;
}

const urls = new WeakMap<Page, string>();
const startUrl = async (page: Page) => urls.get(page) ?? page.url();

async function throughHost(browser: Browser, { file }: OpenOptions, dir: string): Promise<Opened> {
  const host = spawn(
    process.execPath,
    [path.join(ROOT, 'out/main/host.js'), '--no-window', ...(file === undefined ? [] : [file])],
    { env: { ...process.env, HARTBEAT_CONFIG_DIR: dir }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const url = await printed(host, /(http:\S+)/);
  const context = await browser.newContext({ colorScheme: 'light' });
  const page = await context.newPage();
  urls.set(page, url);
  return {
    page,
    ended: () => exited(host),
    stop: async () => {
      await context.close();
      await end(host);
    },
    choose: (chosen) => answerChooser(page, chosen),
  };
}

/** As `npm start` opens it, but for a window that nobody sees: the browser is a script that starts Chromium headless. */
async function throughWindow({ file }: OpenOptions, dir: string): Promise<Opened> {
  const script = path.join(dir, 'browser');
  const log = path.join(dir, 'browser.log');
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const command = [browserPath(), '--headless=new', '--remote-debugging-port=0'].map(quoted).join(' ');
  await writeFile(script, `#!/bin/sh\nexec ${command} "$@" 2>${quoted(log)}\n`, { mode: 0o755 });
  const host = spawn(
    process.execPath,
    [path.join(ROOT, 'out/main/host.js'), ...(file === undefined ? [] : [file])],
    {
      env: { DISPLAY: ':0', ...process.env, HARTBEAT_CONFIG_DIR: dir, HARTBEAT_BROWSER: script },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let endpoint: string | undefined;
  await expect
    .poll(async () => {
      const text = await readFile(log, 'utf8').catch(() => '');
      return (endpoint = /DevTools listening on (ws:\S+)/.exec(text)?.[1]);
    })
    .toBeDefined();
  const browser = await chromium.connectOverCDP(endpoint!);
  const page = browser.contexts()[0]?.pages()[0];
  if (!page) throw new Error('the browser host opened no window');
  await page.waitForURL((url) => url.pathname === '/' && url.search === '');
  return {
    page,
    ended: () => exited(host),
    stop: async () => {
      await browser.close().catch(() => undefined);
      await end(host);
    },
    choose: (chosen) => answerChooser(page, chosen),
  };
}

async function answerChooser(page: Page, file: string): Promise<void> {
  page.once('filechooser', (chooser) => void chooser.setFiles(file));
}

async function throughDouble({ file }: OpenOptions, dir: string): Promise<Opened> {
  const chosen = path.join(dir, 'chosen.o');
  const main = spawn(
    process.execPath,
    [
      '--import',
      path.join(ROOT, 'e2e/double/register.mjs'),
      path.join(ROOT, 'out/main/index.js'),
      ...(file === undefined ? [] : [file]),
    ],
    {
      env: {
        ...process.env,
        HARTBEAT_BROWSER: browserPath(),
        HARTBEAT_DOUBLE_DIR: dir,
        HARTBEAT_DOUBLE_CHOOSE: chosen,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const endpoint = await printed(main, /DOUBLE (ws:\S+)/);
  const browser = await chromium.connectOverCDP(endpoint);
  const page = browser.contexts()[0]?.pages()[0];
  if (!page) throw new Error('the double opened no window');
  return {
    page,
    ended: () => exited(main),
    stop: async () => {
      await browser.close().catch(() => undefined);
      await end(main);
    },
    choose: async (source) => {
      await copyFile(source, chosen);
    },
  };
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

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function end(child: ChildProcess): Promise<unknown> {
  const gone = exited(child);
  child.kill();
  return gone;
}
