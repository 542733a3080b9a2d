import { defineConfig, loadConfigFromFile } from 'vite';
import path from 'node:path';

// The plugins are Vitest's: the same AssemblyScript step as in tests and in the product.
const loaded = await loadConfigFromFile(
  { command: 'build', mode: 'production' },
  path.resolve(import.meta.dirname, '../vitest.config.ts'),
);
export default defineConfig({ plugins: loaded?.config.plugins ?? [] });
