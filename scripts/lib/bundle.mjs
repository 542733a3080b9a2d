import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from './paths.mjs';
import { ensureModules } from './setup.mjs';

/**
 * Bundles a TypeScript program of this repository, which a script runs in its own process.
 * @param {string} source path below the repository's root
 * @returns {Promise<unknown>} what the program exports by default
 */
export async function loadProgram(source) {
  await ensureModules();
  const { build } = await import('vite');
  const outDir = inRoot('out', path.basename(path.dirname(source)));
  await build({
    configFile: inRoot('bench/vite.config.mjs'),
    logLevel: 'warn',
    build: { ssr: inRoot(source), outDir, emptyOutDir: false, minify: false },
  });
  const file = path.join(outDir, path.basename(source).replace(/\.ts$/, '.js'));
  return (await import(pathToFileURL(file).href)).default;
}
