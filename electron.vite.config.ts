import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'electron-vite';
import { resolve } from 'node:path';
import { ascPlugin } from './vite-plugin-asc.ts';

const here = import.meta.dirname;

/** Three builds: main (Electron entry, browser host, engine worker, CLI), preload (one CommonJS file), renderer. */
export default defineConfig({
  main: {
    plugins: [ascPlugin()],
    build: {
      outDir: 'out/main',
      rollupOptions: {
        input: {
          index: resolve(here, 'src/main/index.ts'),
          host: resolve(here, 'src/main/host.ts'),
          cli: resolve(here, 'src/cli/index.ts'),
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      rollupOptions: {
        input: { index: resolve(here, 'src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [vue()],
    build: { outDir: 'out/renderer', rollupOptions: { input: resolve(here, 'src/renderer/index.html') } },
  },
});
