import { existsSync } from 'node:fs';
import path from 'node:path';

/** Chromium as the system has it; Playwright's own downloads are not used. */
export function browserPath(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const dirs = (process.env.PATH ?? '').split(path.delimiter);
  const found = [
    process.env.HARTBEAT_BROWSER,
    ...names.flatMap((name) => dirs.map((dir) => path.join(dir, name))),
  ].find((file) => file !== undefined && existsSync(file));
  if (found === undefined) throw new Error('no Chromium is installed (Debian: apt-get install chromium)');
  return found;
}

/** Chromium's sandbox does not work for root. */
export const sandbox = () => (process.getuid?.() === 0 ? ['--no-sandbox'] : []);
