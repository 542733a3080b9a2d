import { defineConfig } from '@playwright/test';
import { browserPath, sandbox } from './e2e/chromium.ts';
import type { HartbeatOptions } from './e2e/fixtures.ts';

/**
 * The window end to end, in a real Chromium. `browser-host` drives the browser host as it serves any browser,
 * `browser-window` the one with a window of its own; `electron-double` runs the built Electron main process and preload
 * against the double in e2e/double. What is tagged @closing is about a host that ends with its window.
 */
export default defineConfig<HartbeatOptions>({
  testDir: 'e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: { launchOptions: { executablePath: browserPath(), args: sandbox() } },
  projects: [
    { name: 'browser-host', use: { way: 'host' }, grepInvert: /@closing/ },
    { name: 'browser-window', use: { way: 'window' }, grep: /@window|@closing/ },
    { name: 'electron-double', use: { way: 'double' }, grep: /@double|@closing/ },
  ],
});
