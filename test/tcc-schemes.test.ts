import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_SCHEME } from '../src/engine/jit/profile';
import { SCHEME_NAMES } from '../src/engine/jit/tcc/index';

const SRC = path.resolve(import.meta.dirname, '../src');
const SCHEMES_DIR = path.join(SRC, 'engine/jit/tcc');
const TABLE = path.join(SCHEMES_DIR, 'index.ts');

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|vue)$/.test(name) && !/\.test\.ts$|[\\/]testing[\\/]/.test(name))
  .map((name) => path.join(SRC, name));

/** The default is named where profiles are made up, in the engine and in the window, which sees no values of the engine. */
const DEFAULTS = ['engine/jit/profile.ts', 'renderer/model/profile.ts'].map((name) => path.join(SRC, name));

it.each(SCHEME_NAMES)(
  'scheme %s is one file and one line in the table, and nothing else names it',
  (name) => {
    const quoted = new RegExp(`(['"\`])${name}\\1`);
    const naming = sources.filter((file) => quoted.test(readFileSync(file, 'utf8')));
    const importing = sources.filter((file) => new RegExp(`/${name}['"]`).test(readFileSync(file, 'utf8')));
    expect(existsSync(path.join(SCHEMES_DIR, `${name}.ts`))).toBe(true);
    expect(importing).toContain(TABLE);
    expect(importing.filter((file) => path.dirname(file) !== SCHEMES_DIR)).toEqual([]);
    if (name === DEFAULT_SCHEME) {
      // An editor's theme has a colour of that name.
      const others = naming.filter((file) => !file.includes(`${path.sep}editor${path.sep}`));
      expect(others).toEqual(DEFAULTS);
    } else {
      expect(naming.filter((file) => file !== TABLE)).toEqual([]);
    }
  },
);
