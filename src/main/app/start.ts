import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AppInfo } from '../../shared/contract';

/** The example that opens when no object was named. */
const FIRST_EXAMPLE = 'tailcall_dispatch';

/** The nearest directory above this module that has a package.json: the build may put shared modules into chunks/. */
function rootDir(): string {
  let dir = import.meta.dirname;
  while (!existsSync(path.join(dir, 'package.json')) && path.dirname(dir) !== dir) dir = path.dirname(dir);
  return dir;
}

/** The repository's (or the packaged application's) directories, seen from out/main. */
export function appPaths(): {
  readonly root: string;
  readonly renderer: string;
  readonly examples: string;
  readonly preload: string;
} {
  const root = rootDir();
  return {
    root,
    renderer: path.join(root, 'out/renderer'),
    examples: path.join(root, 'examples'),
    preload: path.join(root, 'out/preload/index.cjs'),
  };
}

/** The version in package.json. */
export function version(): string {
  const { version: text } = JSON.parse(readFileSync(path.join(appPaths().root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return text;
}

/** What the window opens first: the object named on the command line, else an example. */
export function initialFrom(file: string | undefined): NonNullable<AppInfo['initial']> {
  return file === undefined ? { example: FIRST_EXAMPLE } : { path: path.resolve(file) };
}
