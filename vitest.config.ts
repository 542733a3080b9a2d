import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';
import { ascPlugin } from './vite-plugin-asc.ts';

export default defineConfig({
  plugins: [ascPlugin(), vue()],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    testTimeout: 60_000,
    passWithNoTests: false,
  },
});
