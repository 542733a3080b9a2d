import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type * as Asc from 'assemblyscript/asc';
import type { Plugin } from 'vite';

const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory'];
const CACHE = resolve(import.meta.dirname, '.cache/asc');

/**
 * Compiles AssemblyScript: `import bytes from './core/index.ts?asc'` gives the WebAssembly module as a Uint8Array, in
 * builds and in Vitest alike. The module's bytes are embedded, so that the engine needs no file access at run time.
 * What was compiled is kept in .cache/asc, named by the hash of all that goes into it.
 */
export function ascPlugin(): Plugin {
  return {
    name: 'hartbeat:asc',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith('?asc')) return null;
      const file = id.slice(0, -'?asc'.length);
      for (const source of sourcesBeside(file)) this.addWatchFile(source);
      const cached = join(CACHE, `${keyOf(file)}.wasm`);
      const binary = readIfThere(cached) ?? (await compile(file, (message) => this.error(message)));
      keep(cached, binary);
      return {
        code: `const text = atob(${JSON.stringify(Buffer.from(binary).toString('base64'))});
const bytes = new Uint8Array(text.length);
for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
export default bytes;`,
        map: null,
      };
    },
  };
}

/** The AssemblyScript files of a module: all that lie in its directory. */
function sourcesBeside(file: string): string[] {
  const dir = dirname(file);
  return readdirSync(dir)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(dir, name));
}

function keyOf(file: string): string {
  const { version } = createRequire(import.meta.url)('assemblyscript/package.json') as { version: string };
  const hash = createHash('sha256').update(JSON.stringify([version, FLAGS]));
  for (const source of sourcesBeside(file)) hash.update(source).update(readFileSync(source));
  return hash.digest('hex').slice(0, 32);
}

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Keeps a compiled module; written beside and renamed, because several builds may run at once. */
function keep(file: string, binary: Uint8Array): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const partial = `${file}.${process.pid}`;
    writeFileSync(partial, binary);
    renameSync(partial, file);
  } catch {
    // A tree that cannot be written to works without the cache.
  }
}

async function compile(file: string, fail: (message: string) => never): Promise<Uint8Array> {
  const asc: typeof Asc = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const { error, stdout, stderr } = await asc.main(
    [file, '--outFile', 'core.wasm', ...FLAGS, '--baseDir', dirname(file)],
    {
      readFile(name, baseDir) {
        const text = readIfThere(name.startsWith('/') ? name : `${baseDir}/${name}`);
        return text === undefined ? null : Buffer.from(text).toString('utf8');
      },
      writeFile(name, contents) {
        if (name.endsWith('.wasm')) binary = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary)
    fail(`AssemblyScript: ${file}: ${error?.message ?? 'no output'}\n${String(stderr)}${String(stdout)}`);
  return binary;
}
