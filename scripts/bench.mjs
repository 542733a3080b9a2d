import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from './lib/paths.mjs';
import { runScript, say, SetupError } from './lib/say.mjs';
import { ensureBuild, ensureModules } from './lib/setup.mjs';

/**
 * `npm run bench [-- NAME…]`: builds bench/NAME.ts as the product is built and runs its default export; one that exports
 * `needsBuild` has the product built first. Exit code 1 if one answers false: what it claims is not so.
 */
await runScript(async (wanted) => {
  await ensureModules();
  const all = readdirSync(inRoot('bench'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3));
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown) throw new SetupError(`there is no bench/${unknown}.ts; there are: ${all.join(', ')}`);

  const { build } = await import('vite');
  const outDir = inRoot('out/bench');
  let holds = true;
  for (const name of wanted.length > 0 ? wanted : all) {
    say(`bench ${name}`);
    await build({
      configFile: inRoot('bench/vite.config.mjs'),
      logLevel: 'warn',
      build: { ssr: inRoot('bench', `${name}.ts`), outDir, emptyOutDir: false, minify: false },
    });
    const { default: bench, needsBuild } = await import(pathToFileURL(path.join(outDir, `${name}.js`)).href);
    if (needsBuild) await ensureBuild();
    if ((await bench()) === false) holds = false;
  }
  return holds ? 0 : 1;
});
