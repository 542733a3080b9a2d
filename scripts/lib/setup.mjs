import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { inRoot, ROOT } from './paths.mjs';
import { nodeBin, run } from './run.mjs';
import { say, SetupError } from './say.mjs';

const MODULES_STAMP = inRoot('node_modules', '.hartbeat-stamp');
const BUILD_STAMP = inRoot('out', '.hartbeat-stamp');
const BUILD_INPUTS = [
  'src',
  'examples/index.json',
  'package-lock.json',
  'electron.vite.config.ts',
  'vite-plugin-asc.ts',
  'tsconfig.base.json',
];

/** Installs the npm packages unless those of the current lock file are there. */
export async function ensureModules() {
  if (modulesFresh()) return;
  await withLock(async () => {
    if (modulesFresh()) return;
    say('installing npm packages (once)');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const { code, output } = await run(npm, ['ci', '--no-audit', '--no-fund'], {
      output: 'quiet',
      log: 'npm-ci.log',
    });
    if (code !== 0)
      throw new SetupError(`npm ci failed; its output is in .cache/npm-ci.log and ends:\n${tail(output)}`);
    writeFileSync(MODULES_STAMP, lockHash());
  });
}

/** Builds out/ unless it was made from the present sources. */
export async function ensureBuild() {
  await ensureModules();
  const key = stampKey();
  if (readText(BUILD_STAMP)?.split('\n')[0] === key) return;
  await withLock(async () => {
    const hash = contentHash();
    const [, built] = readText(BUILD_STAMP)?.split('\n') ?? [];
    if (built !== hash) {
      say('building (when sources have changed)');
      const [node, bin] = nodeBin('electron-vite/bin/electron-vite.js');
      const { code, output } = await run(node, [bin, 'build'], { output: 'quiet', log: 'build.log' });
      if (code !== 0)
        throw new SetupError(
          `the build failed; its output is in .cache/build.log and ends:\n${tail(output)}`,
        );
    }
    mkdirSync(path.dirname(BUILD_STAMP), { recursive: true });
    writeFileSync(BUILD_STAMP, `${stampKey()}\n${hash}`);
  });
}

function modulesFresh() {
  return readText(MODULES_STAMP) === lockHash();
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex');
}

/** Names, sizes and times of all inputs of the build: cheap, asked at every start. */
function stampKey() {
  const hash = createHash('sha256');
  for (const file of buildInputs()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(ROOT, file)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Contents of all inputs of the build: a checkout that only touched times needs no new build. */
function contentHash() {
  const hash = createHash('sha256');
  for (const file of buildInputs()) hash.update(`${path.relative(ROOT, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

function buildInputs() {
  return BUILD_INPUTS.flatMap((name) => filesBelow(inRoot(name))).filter(
    (file) => !/\.test\.ts$|\/testing\//.test(file),
  );
}

function filesBelow(file) {
  if (!existsSync(file)) return [];
  if (!statSync(file).isDirectory()) return [file];
  return readdirSync(file)
    .sort()
    .flatMap((name) => filesBelow(path.join(file, name)));
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const tail = (text) => text.trimEnd().split('\n').slice(-15).join('\n');
