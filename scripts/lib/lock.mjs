import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { say } from './say.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs `work` while holding the repository's set-up lock: two commands started at once do not install or build at once.
 * A lock whose owner has died is taken over.
 */
export async function withLock(work) {
  const dir = inRoot('.cache', 'setup.lock');
  const owner = path.join(dir, 'pid');
  mkdirSync(path.dirname(dir), { recursive: true });
  let told = false;
  for (;;) {
    try {
      mkdirSync(dir);
      writeFileSync(owner, String(process.pid));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(dir, owner) && removeStale(dir, owner)) continue;
    if (!told) say('another command is setting up; waiting for it');
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * One at a time takes away a dead owner's lock and looks again first: who decided earlier that it is stale must not take away
 * the lock that somebody else has made since.
 * @returns whether it is worth another try at once
 */
function removeStale(dir, owner) {
  const guard = `${dir}.stale`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (age(guard) > 5000) rmSync(guard, { recursive: true, force: true });
    return false;
  }
  try {
    if (isStale(dir, owner)) rmSync(dir, { recursive: true, force: true });
    return true;
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}

function isStale(dir, owner) {
  try {
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    if (error.code === 'EPERM') return false;
    // No pid yet: the owner is just about to write it, unless the directory is old.
    if (error.code === 'ENOENT') return age(dir) > 5000;
    return true;
  }
}

function age(dir) {
  try {
    return Date.now() - statSync(dir).mtimeMs;
  } catch {
    return 0;
  }
}
