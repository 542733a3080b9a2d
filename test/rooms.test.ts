import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { build, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';
import {
  arrowsRule,
  ENGINE_ROOMS,
  forbiddenArrow,
  forbiddenModule,
  roomOf,
  TOP_ARROWS,
} from '../eslint/rooms.js';
import { ascPlugin } from '../vite-plugin-asc.ts';
import { circles, importsOf as readImports, type Import } from './lib/imports';

const SRC = path.resolve(import.meta.dirname, '../src');
const at = (name: string): string => path.join(SRC, name);
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|vue)$/.test(name) && !/\.test\.ts$|\/testing\/|\.d\.ts$/.test(name))
  .map(at);
/** The machine's core is AssemblyScript, a program of its own. */
const isCore = (file: string): boolean => file.includes(at('engine/machine/core/'));
const files = sources.filter((file) => !isCore(file));

const known = new Map<string, readonly Import[]>();
function importsOf(file: string): readonly Import[] {
  const imports = known.get(file) ?? readImports(file);
  known.set(file, imports);
  return imports;
}

/** The file that a relative import leads to; undefined for one that is no source, such as a style sheet. */
function targetOf(file: string, source: string): string | undefined {
  const base = path.resolve(path.dirname(file), source);
  return [base, `${base}.ts`, path.join(base, 'index.ts')].find(
    (name) => /\.(ts|vue)$/.test(name) && existsSync(name),
  );
}

describe('the arrows between the rooms', () => {
  it('knows every room that there is', () => {
    const rooms = new Set(
      files
        .map((file) => roomOf(file))
        .map(({ top, engine }) => (engine?.endsWith('.ts') ? top : (engine ?? top))),
    );
    expect([...rooms].sort()).toEqual(
      [...ENGINE_ROOMS, ...Object.keys(TOP_ARROWS)].filter((room) => room !== 'engine').sort(),
    );
  });

  it.each(files.map((file) => [path.relative(SRC, file), file]))(
    '%s imports only what it may',
    (_name, file) => {
      const wrong = importsOf(file).flatMap(({ source, typeOnly }) =>
        source.startsWith('.')
          ? (forbiddenArrow(file, path.resolve(path.dirname(file), source), typeOnly) ?? [])
          : (forbiddenModule(file, source) ?? []),
      );
      expect(wrong).toEqual([]);
    },
  );

  it('make no circle at run time, not even between files of one room', () => {
    const arrows = new Map(
      files.map((file) => [
        file,
        importsOf(file)
          .filter(({ source, typeOnly }) => source.startsWith('.') && !typeOnly)
          .flatMap(({ source }) => targetOf(file, source) ?? []),
      ]),
    );
    expect([...arrows.values()].flat().length).toBeGreaterThan(files.length);
    expect(circles(arrows)).toEqual([]);
    expect(
      circles(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b', 'd']],
          ['d', []],
        ]),
      ),
    ).toEqual([['b', 'c']]);
  });

  it('lead from the core of the machine to itself alone', () => {
    const core = sources.filter(isCore);
    expect(core.length).toBeGreaterThan(5);
    for (const file of core) {
      for (const { source } of importsOf(file)) expect(source).toMatch(/^\.\/[a-z-]+$/);
    }
  });
});

describe('the lint rule', () => {
  const linter = new Linter();
  const lint = (file: string, code: string): string[] =>
    linter
      .verify(
        code,
        [
          {
            files: ['**/*.ts'],
            languageOptions: { parser: tseslint.parser as Linter.Parser },
            plugins: { hartbeat: { rules: { arrows: arrowsRule } } },
            rules: { 'hartbeat/arrows': 'error' },
          },
        ],
        { filename: at(file) },
      )
      .map(({ message }) => message);

  it.each([
    ['a later room', 'engine/elf/read.ts', `import { createKernel } from '../kernel/kernel';`, /later room/],
    [
      '… its types, too',
      'engine/elf/read.ts',
      `import type { Kernel } from '../kernel/types';`,
      /later room/,
    ],
    ['… by a re-export', 'engine/jit/types.ts', `export * from '../machine/types';`, /later room/],
    ['… by import()', 'engine/jit/types.ts', `const m = await import('../machine/types');`, /later room/],
    [
      '… as a type in place',
      'engine/jit/types.ts',
      `type M = import('../machine/types').Machine;`,
      /later room/,
    ],
    [
      'a room that there is not',
      'engine/jit/types.ts',
      `import { x } from '../utils/x';`,
      /no room of the engine/,
    ],
    ['Node in the engine', 'engine/base/hex.ts', `import fs from 'node:fs';`, /nothing outside itself/],
    [
      'Vue in the engine',
      'engine/debugger/session.ts',
      `import { ref } from 'vue';`,
      /nothing outside itself/,
    ],
    ['the engine by a computed name', 'engine/base/hex.ts', `await import(name);`, /computed name/],
    [
      'the window in the engine',
      'engine/debugger/session.ts',
      `import { x } from '../../renderer/main';`,
      /engine must not/,
    ],
    [
      'the contract in the engine',
      'engine/debugger/session.ts',
      `import type { X } from '../../shared/contract';`,
      /engine must not/,
    ],
    [
      'the engine in the window',
      'renderer/main.ts',
      `import type { X } from '../engine/debugger/views';`,
      /renderer must not/,
    ],
    ['Node in the window', 'renderer/main.ts', `import fs from 'node:fs';`, /in a browser/],
    ['Electron in the window', 'renderer/main.ts', `import { ipcRenderer } from 'electron';`, /in a browser/],
    [
      "the engine's values in the contract",
      'shared/contract.ts',
      `import { hex64 } from '../engine/base/hex';`,
      /never its values/,
    ],
    ['Node in the contract', 'shared/contract.ts', `import path from 'node:path';`, /shared must not/],
    [
      'the engine in the preload',
      'preload/index.ts',
      `import type { X } from '../engine/debugger/views';`,
      /preload must not/,
    ],
    ['Node in the preload', 'preload/index.ts', `import fs from 'node:fs';`, /preload must not/],
    ['the hosts in the CLI', 'cli/main.ts', `import { x } from '../main/paths';`, /cli must not/],
    [
      'what lies outside src',
      'cli/main.ts',
      `import { x } from '../../scripts/lib/say.mjs';`,
      /no room of src/,
    ],
  ])('forbids %s', (_what, file, code, message) => {
    expect(lint(file, code)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ['an earlier room', 'engine/kernel/kernel.ts', `import { hex64 } from '../base/hex';`],
    [
      "the engine's types in the contract",
      'shared/contract.ts',
      `import type { X } from '../engine/debugger/views';`,
    ],
    ['Node in the CLI', 'cli/main.ts', `import fs from 'node:fs';`],
    ['Electron in the preload', 'preload/index.ts', `import { contextBridge } from 'electron';`],
    ['anything in a test', 'engine/jit/jit.test.ts', `import fs from 'node:fs';`],
  ])('allows %s', (_what, file, code) => {
    expect(lint(file, code)).toEqual([]);
  });
});

describe('the engine', () => {
  it('bundles for a browser, with nothing left to import', async () => {
    const entries = files.filter((file) => roomOf(file).top === 'engine');
    const entry = 'virtual:engine';
    const result = await build({
      configFile: false,
      logLevel: 'silent',
      plugins: [
        ascPlugin(),
        {
          name: 'engine-entry',
          resolveId: (id) => (id === entry ? `\0${entry}` : null),
          load: (id) =>
            id === `\0${entry}`
              ? entries.map((file, i) => `export * as m${i} from ${JSON.stringify(file)};`).join('\n')
              : null,
        },
      ],
      build: {
        write: false,
        minify: false,
        rollupOptions: { input: entry, preserveEntrySignatures: 'strict' },
      },
    });
    const outputs = (Array.isArray(result) ? result : [result]) as Rollup.RollupOutput[];
    const chunks = outputs.flatMap(({ output }) => output).filter((item) => item.type === 'chunk');
    expect(chunks.length).toBeGreaterThan(0);
    expect(chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])).toEqual([]);
    for (const { code } of chunks) expect(code).not.toMatch(/__vite-browser-external|\brequire\(/);
  }, 120_000);
});
