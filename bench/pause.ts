import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEngine, type EngineClient } from '../src/main/engine/client';
import type { ObjectView, SessionView } from '../src/engine/debugger/views';
import { compileEndless, quantiles } from './pause/endless';

/** Instructions of the long run before it is paused for the last time. */
const LONG = 10_000_000_000;
/** Pauses on the way, at random moments. */
const PAUSES = 60;
/** Milliseconds within which a pause must be there. */
const WANTED = 50;

async function ask<T>(engine: EngineClient, method: string, params: unknown): Promise<T> {
  const outcome = await engine.call(method, params);
  if (!outcome.ok) throw new Error(`${method}: ${outcome.error.message}`);
  return outcome.value as T;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a program that practically never ends. */
async function startEndless(engine: EngineClient): Promise<boolean> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hartbeat-pause-'));
  const file = compileEndless(dir);
  const bytes = file === undefined ? undefined : new Uint8Array(readFileSync(file));
  rmSync(dir, { recursive: true });
  if (!bytes) return false;
  const opened = await engine.open('endless.o', bytes, {});
  if (!opened.ok) throw new Error(opened.error.message);
  const object = opened.value as ObjectView;
  await ask(engine, 'session.start', {
    object: object.id,
    program: 'endless',
    profile: { kernel: '6.12', tcc: 'transparent', isa: 'rv64imac' },
    inputs: object.programs[0]!.inputs,
  });
  return true;
}

/**
 * How long a running session takes to answer, through the engine worker as the window reaches it: a pause, and other requests
 * meanwhile; how long the main thread is kept from its own work; and how long the end of the worker takes.
 */
export default async function bench(): Promise<void> {
  const engine = startEngine();
  if (!(await startEndless(engine))) return;

  // The longest time that a timer of this thread came late while the worker ran: what a window would feel.
  let latest = 0;
  let expected = performance.now() + 10;
  const timer = setInterval(() => {
    latest = Math.max(latest, performance.now() - expected);
    expected = performance.now() + 10;
  }, 10);

  const pauses: number[] = [];
  const answers: number[] = [];
  const timed = async (times: number[], method: string, params: unknown): Promise<unknown> => {
    const begun = performance.now();
    const value = await ask(engine, method, params);
    times.push(performance.now() - begun);
    return value;
  };
  const started = performance.now();
  let running = 0;
  let instructions = 0;
  const share = Number(process.env['PAUSE_INSTRUCTIONS'] ?? LONG) / PAUSES;
  for (let pause = 1; instructions < share * PAUSES; pause++) {
    await ask(engine, 'session.continue', {});
    const from = performance.now();
    do {
      await sleep(20 + ((pause * 37) % 50));
      const view = (await timed(answers, 'session.state', {})) as SessionView;
      instructions = view.counters.instructions;
      await timed(answers, 'session.listing', { function: 'endless/endless' });
    } while (instructions < share * pause);
    const stopped = (await timed(pauses, 'session.pause', {})) as SessionView;
    if (stopped.status !== 'stopped') throw new Error(`a pause left the session ${stopped.status}`);
    running += performance.now() - from;
    instructions = stopped.counters.instructions;
  }
  clearInterval(timer);
  console.log(
    `${(instructions / 1e9).toFixed(2)}e9 instructions in ${(running / 1000).toFixed(1)} s (${(instructions / running / 1000).toFixed(0)} MIPS), ${((performance.now() - started) / 1000).toFixed(1)} s in all`,
  );
  console.log(
    `${pauses.length} pauses: ${quantiles(pauses)}: ${Math.max(...pauses) <= WANTED ? 'all' : 'NOT ALL'} within ${WANTED} ms`,
  );
  console.log(`${answers.length} other requests during the run: ${quantiles(answers)}`);
  console.log(`timers of the main thread came up to ${latest.toFixed(1)} ms late`);

  const back: number[] = [];
  for (let i = 0; i < 10; i++) await timed(back, 'session.stepBack', { step: 'into', granularity: 'native' });
  console.log(
    `steps back by native instruction from there: ${back.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  );

  await ask(engine, 'session.continue', {});
  await sleep(200);
  const begun = performance.now();
  await engine.close();
  console.log(`the end of a running worker took ${(performance.now() - begun).toFixed(1)} ms`);
}
