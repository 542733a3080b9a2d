import { test as base, expect, type Page } from '@playwright/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DebuggerPage } from './pages/debugger.ts';
import { StartPage } from './pages/start.ts';
import { exited, openThrough, ROOT, type Way } from './ways.ts';

export { ROOT };
export const EXAMPLES = path.join(ROOT, 'examples');

export interface HartbeatOptions {
  way: Way;
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
      const opened = await openThrough(way, browser, dir, options.file);
      closing.push(() => opened.stop());
      const { page } = opened;
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.setViewportSize({ width: options.width ?? 1280, height: options.height ?? 800 });
      await page.goto(opened.url ?? page.url());
      return {
        page,
        debug: new DebuggerPage(page),
        start: new StartPage(page),
        complaints,
        dir,
        choose: opened.choose,
        ended: () => exited(opened.process),
      };
    });
    for (const close of closing.reverse()) await close();
  },
});
export { expect };
