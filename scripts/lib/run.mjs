import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { inRoot, ROOT } from './paths.mjs';

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, output?: 'inherit' | 'stderr' | 'quiet', log?: string }} [options]
 *   `stderr`: everything the command prints goes to our stderr; `quiet`: only into the log file .cache/<log>.
 * @returns {Promise<{ code: number, output: string }>} output only where it is not inherited
 */
export async function run(command, args, options = {}) {
  const { output = 'inherit', log } = options;
  const logFile = log && inRoot('.cache', log);
  if (logFile) await mkdir(path.dirname(logFile), { recursive: true });
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...options.env },
      stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const file = logFile && createWriteStream(logFile);
    let text = '';
    const take = (chunk) => {
      text += chunk;
      file?.write(chunk);
      if (output === 'stderr') process.stderr.write(chunk);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    // Whoever ends this script ends what it started: an orphaned installation would get in the way of the next one.
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const end = (signal) => {
      child.kill(signal);
      process.exit(130);
    };
    for (const signal of signals) process.once(signal, end);
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of signals) process.removeListener(signal, end);
      file?.end();
      resolve({ code: code ?? 1, output: text });
    });
  });
}

/** Node's own program for a package's command: no shell, the same on every system. */
export function nodeBin(name) {
  return [process.execPath, inRoot('node_modules', ...name.split('/'))];
}
