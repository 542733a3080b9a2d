import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** What each command does while it holds the lock: writes down when it began and ended. */
const WORKER = `
import { appendFileSync } from 'node:fs';
import { withLock } from './lib/lock.mjs';
await withLock(async () => {
  appendFileSync('log', 'begin ' + process.pid + '\\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  appendFileSync('log', 'end ' + process.pid + '\\n');
});
`;
const COMMANDS = 5;
/** No process has it: it is above the greatest that Linux gives. */
const DEAD_PID = '4194305';

describe('the set-up lock: commands that start at once set up one after the other', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'hartbeat-lock-'));
    cpSync(path.resolve(import.meta.dirname, '../scripts/lib'), path.join(root, 'scripts/lib'), {
      recursive: true,
    });
    writeFileSync(path.join(root, 'scripts/worker.mjs'), WORKER);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const start = () =>
    new Promise<number | null>((resolve, reject) => {
      const child = spawn(process.execPath, ['scripts/worker.mjs'], { cwd: root, stdio: 'ignore' });
      child.once('error', reject).once('close', resolve);
    });

  test.each([
    ['nobody held it', undefined],
    ['its owner has died', DEAD_PID],
  ])(
    '%s',
    async (_what, owner) => {
      if (owner !== undefined) {
        const lock = path.join(root, '.cache/setup.lock');
        mkdirSync(lock, { recursive: true });
        writeFileSync(path.join(lock, 'pid'), owner);
      }
      const codes = await Promise.all(Array.from({ length: COMMANDS }, start));
      expect(codes).toEqual(Array<number>(COMMANDS).fill(0));
      const lines = readFileSync(path.join(root, 'log'), 'utf8').trim().split('\n');
      expect(lines).toHaveLength(2 * COMMANDS);
      for (let i = 0; i < lines.length; i += 2) {
        const pid = lines[i]!.replace('begin ', '');
        expect([lines[i], lines[i + 1]]).toEqual([`begin ${pid}`, `end ${pid}`]);
      }
    },
    60_000,
  );
});
