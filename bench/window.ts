import { chromium, type Browser, type Page } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { browserPath, sandbox } from '../e2e/chromium';
import type { DebuggerPage } from '../e2e/pages/debugger';
import { compileEndless, quantiles } from './pause/endless';
import { ACTIONS, actLikeAUser, type Times } from './window/actions';
import { openRunning, timeOfClosing, untilIdle } from './window/closing';
import {
  installRecorder,
  readRecording,
  startRecording,
  timed,
  type Effect,
  type Felt,
} from './window/recorder';
import { checkPause } from './window/state';

/** The product itself is measured, as it was built. */
export const needsBuild = true;

/** Instructions of the run before it is paused for the last time. */
const LONG = Number(process.env['WINDOW_INSTRUCTIONS'] ?? 10_000_000_000);
/** Pauses on the way. */
const PAUSES = 30;
/** Rounds of actions, before the run and during it. */
const ROUNDS = 12;
/** Closings of each kind. */
const CLOSINGS = 5;

const STATUS: Effect['at'] = ['section[aria-label="Session"]'];
const REGISTERS: Effect['at'] = ['table[aria-label="Registers"]'];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function sayActions(when: string, times: Times): void {
  console.log(`from the input to the end of the frame that shows its effect, ${when}:`);
  for (const name of ACTIONS) console.log(`  ${name.padEnd(28)} ${quantiles(times.get(name) ?? [])}`);
}

function sayFelt(when: string, { longestFrame, frames, longTasks, events }: Felt): void {
  console.log(
    `${when}: ${frames} frames, longest time between two ${longestFrame.toFixed(1)} ms; ${longTasks.length} tasks of more than 50 ms${longTasks.length > 0 ? `, longest ${Math.max(...longTasks).toFixed(0)} ms` : ''}`,
  );
  const worst = Object.entries(events).map(([name, duration]) => `${name} ${duration} ms`);
  console.log(`  Event Timing, longest by event: ${worst.join(', ') || 'none of 16 ms or more'}`);
}

/** Pauses by F6: the times until `Paused in` is shown, and until the registers of the stop are. */
async function pause(page: Page): Promise<{ shown: number; registers: number }> {
  const press = () => page.keyboard.press('F6');
  const shown = await timed(page, 'keydown', { at: STATUS, is: 'text', text: 'Paused in' }, press);
  const begun = performance.now();
  await page.locator(`${REGISTERS[0]}[aria-busy="false"]`).waitFor();
  return { shown, registers: shown + performance.now() - begun };
}

async function longRun(page: Page, debug: DebuggerPage): Promise<void> {
  await installRecorder(page);
  const press = (key: string) => page.keyboard.press(key);

  // At rest first: what Chromium and this machine take by themselves.
  await pause(page);
  await startRecording(page);
  const atRest: Times = new Map();
  for (let round = 0; round < ROUNDS; round++) await actLikeAUser(page, atRest, round);
  sayActions('program paused', atRest);
  sayFelt('program paused', await readRecording(page));

  await startRecording(page);
  const during: Times = new Map();
  const pauses: number[] = [];
  const registers: number[] = [];
  const wrong: string[] = [];
  const bases = new Set<number>();
  let instructions = await debug.instructions();
  const first = instructions;
  let running = 0;
  let checks = 0;
  let last = '';
  for (let turn = 1; pauses.length < PAUSES || instructions < LONG; turn++) {
    await press('F5');
    await debug.session.getByText('The program runs').waitFor();
    const from = performance.now();
    if (turn <= ROUNDS) await actLikeAUser(page, during, turn - 1);
    // As far as the way to go by this turn wants it, by the speed so far; and then some, never the same.
    const speed = turn === 1 ? 0 : (instructions - first) / running;
    const wanted = (LONG * 1.002 * turn) / PAUSES - instructions;
    const rest = speed === 0 ? 0 : wanted / speed - (performance.now() - from);
    await sleep(Math.max(rest, 0) + 20 + ((turn * 37) % 50));
    const times = await pause(page);
    running += performance.now() - from;
    pauses.push(times.shown);
    registers.push(times.registers);
    instructions = await debug.instructions();
    const checked = await checkPause(debug);
    if (!checked) continue;
    checks++;
    bases.add(checked.base);
    wrong.push(...checked.wrong);
    last = `${checked.instructions} instructions, in ${checked.where}`;
  }
  sayActions('program running', during);
  sayFelt('program running', await readRecording(page));
  console.log(
    `${(instructions / 1e9).toFixed(2)}e9 instructions in one run, ${((instructions - first) / running / 1000).toFixed(0)} MIPS`,
  );
  console.log(`${pauses.length} pauses by F6, from the key to 'Paused' in the window: ${quantiles(pauses)}`);
  console.log(`  until the registers of the stop are shown: ${quantiles(registers)}`);
  if (bases.size > 1) wrong.push(`counts do not fit: ${[...bases].join(', ')}`);
  console.log(
    `${checks} pauses looked at (registers, row, count, call stack): ${wrong.length === 0 ? 'all right' : wrong.join('; ')}`,
  );
  console.log(`  the last: ${last}`);
}

/**
 * The window during a run of 10^10 instructions, in a real Chromium over the built browser host: how long frames and the
 * user's actions take, how long a pause takes, whether what it shows is right, and what closing the window does.
 */
export default async function bench(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hartbeat-endless-'));
  const file = compileEndless(dir);
  if (file === undefined) return;
  const browser = await chromium.launch({ executablePath: browserPath(), args: sandbox() });
  try {
    await measureRun(browser, file);
    await measureClosing(browser, file);
  } finally {
    await browser.close();
    rmSync(dir, { recursive: true });
  }
}

async function measureRun(browser: Browser, file: string): Promise<void> {
  const { opened, debug, remove } = await openRunning('host', browser, file);
  try {
    const { page } = opened;
    await longRun(page, debug);
    await page.keyboard.press('F5');
    await debug.session.getByText('The program runs').waitFor();
    const begun = performance.now();
    await page.close();
    const closed = performance.now() - begun;
    const idle = closed + (await untilIdle(opened.process.pid!));
    console.log(
      `that run’s window closed: the host, which only serves, was idle after ${idle.toFixed(0)} ms`,
    );
  } finally {
    await remove();
  }
}

async function measureClosing(browser: Browser, file: string): Promise<void> {
  for (const [what, way, how] of [
    ['host that only serves, page closed: idle', 'host', 'page'],
    ['own window, page closed: host gone', 'window', 'page'],
    ['own window, Chromium ended: host gone', 'window', 'browser'],
    ['Electron main over the double, window closed: process gone', 'double', 'page'],
  ] as const) {
    const times: number[] = [];
    for (let i = 0; i < CLOSINGS; i++) times.push(await timeOfClosing(way, how, browser, file));
    console.log(`${what} after ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  }
}
