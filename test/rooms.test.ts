import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';
import { ENGINE_ROOMS, forbiddenArrow, roomOf, TOP_ARROWS } from '../eslint/rooms.js';
import { ascPlugin } from '../vite-plugin-asc.ts';

const SRC = path.resolve(import.meta.dirname, '../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter(
    (name) => /\.(ts|vue)$/.test(name) && !/\.test\.ts$|\/testing\/|machine\/core\/|\.d\.ts$/.test(name),
  )
  .map((name) => path.join(SRC, name));

/** Specifiers that a source text imports or re-exports, and whether only types come with them. */
function importsOf(text: string): { source: string; typeOnly: boolean }[] {
  const pattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map(([, type, source]) => ({
    source: source ?? '',
    typeOnly: type !== undefined,
  }));
}

describe('the arrows between the rooms', () => {
  it('knows every room that there is', () => {
    const rooms = new Set(
      files
        .map((file) => roomOf(file))
        .map(({ top, engine }) => (engine?.endsWith('.ts') ? top : (engine ?? top))),
    );
    for (const room of rooms) expect([...ENGINE_ROOMS, ...Object.keys(TOP_ARROWS)]).toContain(room);
  });

  it.each(files.map((file) => [path.relative(SRC, file), file]))(
    '%s imports only what it may',
    (_name, file) => {
      const wrong = importsOf(readFileSync(file, 'utf8')).flatMap(({ source, typeOnly }) => {
        if (!source.startsWith('.')) {
          return roomOf(file).top === 'engine'
            ? [`${source}: the engine imports nothing outside itself`]
            : [];
        }
        return forbiddenArrow(file, path.resolve(path.dirname(file), source), typeOnly) ?? [];
      });
      expect(wrong).toEqual([]);
    },
  );

  it('finds a forbidden arrow when there is one', () => {
    const at = (name: string) => path.join(SRC, name);
    expect(forbiddenArrow(at('engine/elf/parse.ts'), at('engine/kernel/types'), true)).toMatch(/later room/);
    expect(forbiddenArrow(at('renderer/main.ts'), at('engine/base/hex'), false)).toMatch(/must not import/);
    expect(forbiddenArrow(at('shared/contract.ts'), at('engine/base/hex'), false)).toMatch(
      /never its values/,
    );
    expect(forbiddenArrow(at('shared/contract.ts'), at('engine/base/hex'), true)).toBeUndefined();
    expect(forbiddenArrow(at('engine/kernel/run.ts'), at('engine/elf/parse'), false)).toBeUndefined();
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
