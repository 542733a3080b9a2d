import { defineConfig, loadConfigFromFile } from 'vite';
import path from 'node:path';

// The plugins are Vitest's: the same AssemblyScript step as in tests and in the product.
const loaded = await loadConfigFromFile(
  { command: 'build', mode: 'production' },
  path.resolve(import.meta.dirname, '../vitest.config.ts'),
);

/** `import createWorker from './x?nodeWorker'`, as electron-vite has it for the product. */
const nodeWorker = {
  name: 'node-worker',
  async load(id) {
    const [file, query] = id.split('?');
    if (query !== 'nodeWorker') return undefined;
    const source = ['.ts', '.js'].includes(path.extname(file)) ? file : `${file}.ts`;
    const fileName = `${path.basename(source, path.extname(source))}.worker.js`;
    this.emitFile({ type: 'chunk', id: source, fileName });
    return [
      `import { Worker } from 'node:worker_threads';`,
      `const name = ${JSON.stringify(fileName)};`,
      `export default (options) => new Worker(new URL(name, import.meta.url), options);`,
    ].join('\n');
  },
};

export default defineConfig({ plugins: [...(loaded?.config.plugins ?? []), nodeWorker] });
