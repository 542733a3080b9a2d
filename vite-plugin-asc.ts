import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as Asc from 'assemblyscript/asc';
import type { Plugin } from 'vite';

/**
 * Compiles AssemblyScript: `import bytes from './core/index.ts?asc'` gives the WebAssembly module as a Uint8Array, in
 * builds and in Vitest alike. The module's bytes are embedded, so that the engine needs no file access at run time.
 */
export function ascPlugin(): Plugin {
  return {
    name: 'hartbeat:asc',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith('?asc')) return null;
      const file = id.slice(0, -'?asc'.length);
      const asc = await import('assemblyscript/asc');
      const { error, stdout, stderr, binary } = await compile(asc, file, (name) => this.addWatchFile(name));
      if (error || !binary) {
        this.error(`AssemblyScript: ${file}: ${error?.message ?? 'no output'}\n${stderr}${stdout}`);
      }
      const base64 = Buffer.from(binary).toString('base64');
      return {
        code: `const text = atob(${JSON.stringify(base64)});
const bytes = new Uint8Array(text.length);
for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
export default bytes;`,
        map: null,
      };
    },
  };
}

async function compile(asc: typeof Asc, file: string, watch: (name: string) => void) {
  let binary: Uint8Array | undefined;
  const dir = dirname(file);
  const result = await asc.main(
    [
      file,
      '--outFile',
      'core.wasm',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--baseDir',
      dir,
    ],
    {
      readFile(name, baseDir) {
        const path = name.startsWith('/') ? name : `${baseDir}/${name}`;
        try {
          const text = readFileSync(path, 'utf8');
          watch(path);
          return text;
        } catch {
          return null;
        }
      },
      writeFile(name, contents) {
        if (name.endsWith('.wasm')) binary = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  return { error: result.error, stdout: String(result.stdout), stderr: String(result.stderr), binary };
}
