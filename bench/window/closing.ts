import type { Browser } from '@playwright/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DebuggerPage } from '../../e2e/pages/debugger';
import { exited, openThrough, type Opened, type Way } from '../../e2e/ways';

/** A window may take long to come up on a busy machine: that is not what is measured. Milliseconds. */
const PATIENCE = 180_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Processor time that a process has used. Milliseconds, in steps of ten (Linux only). */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Opens the window on an object and lets it run. */
export async function openRunning(
  way: Way,
  browser: Browser,
  file: string,
): Promise<{ opened: Opened; debug: DebuggerPage; remove: () => Promise<void> }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'hartbeat-run-'));
  const opened = await openThrough(way, browser, dir, file);
  const remove = async (): Promise<void> => {
    await opened.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  try {
    const { page } = opened;
    page.setDefaultTimeout(PATIENCE);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(opened.url ?? page.url());
    const debug = new DebuggerPage(page);
    await debug.session.getByText('Stopped').waitFor();
    await debug.resume();
    await debug.session.getByText('The program runs').waitFor();
    return { opened, debug, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** From when on a process used less than a twentieth of a processor for half a second. Milliseconds from now. */
export async function untilIdle(pid: number): Promise<number> {
  const begun = performance.now();
  const samples: { at: number; used: number }[] = [];
  for (;;) {
    const now = { at: performance.now() - begun, used: processorTime(pid) };
    samples.push(now);
    const first = samples.find(({ used }) => now.used - used < 25);
    if (first && now.at - first.at > 500) return first.at;
    if (now.at > 60_000) throw new Error('the process is still busy after a minute');
    await sleep(20);
  }
}

/**
 * Closes the window of a long run and gives the time until the run has ended: for a host that only serves until its
 * process is idle, for the others until the process is gone.
 * @param how `page` closes the page; `browser` lets Chromium end, as the closing of its last window does
 */
export async function timeOfClosing(
  way: Way,
  how: 'page' | 'browser',
  browser: Browser,
  file: string,
): Promise<number> {
  const { opened, remove } = await openRunning(way, browser, file);
  try {
    await sleep(1500);
    return await closeAndWait(opened, way, how);
  } finally {
    await remove();
  }
}

async function closeAndWait(opened: Opened, way: Way, how: 'page' | 'browser'): Promise<number> {
  const { page } = opened;
  const begun = performance.now();
  if (how === 'page') await page.close();
  else {
    const devtools = await page.context().browser()!.newBrowserCDPSession();
    // The answer may get lost with the browser.
    await devtools.send('Browser.close').catch(() => undefined);
  }
  const closed = performance.now();
  const { process: main } = opened;
  if (way === 'host') {
    const idle = closed - begun + (await untilIdle(main.pid!));
    if (main.exitCode !== null) throw new Error('the serving host has ended');
    return idle;
  }
  const code = await exited(main);
  const took = performance.now() - begun;
  if (code !== 0) throw new Error(`the process ended with ${code}`);
  return took;
}
