import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleInfo } from '../../renderer/testing/sample-views';
import type { EngineClient } from '../engine/client';
import { createAppService, type AppService } from './app-service';

let dir: string;
let asked: { method: string; params: unknown }[];
let openedFiles: { name: string; size: number; sources: string[] }[];

const engine: EngineClient = {
  call(method, params) {
    asked.push({ method, params });
    return Promise.resolve({ ok: true, value: null });
  },
  open(name, bytes, sources) {
    openedFiles.push({ name, size: bytes.length, sources: Object.keys(sources) });
    return Promise.resolve({ ok: true, value: { id: '1', name } });
  },
  onEvent: () => () => undefined,
  rest: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

function service(more: Partial<Parameters<typeof createAppService>[0]> = {}): AppService {
  return createAppService({
    engine,
    host: 'browser',
    version: '1.2.3',
    examples: path.join(dir, 'examples'),
    settings: path.join(dir, 'config', 'settings.json'),
    ...more,
  });
}

async function failure(outcome: ReturnType<AppService['call']>): Promise<string> {
  const result = await outcome;
  if (result.ok) throw new Error('the request should have failed');
  return `${result.error.code}: ${result.error.message}`;
}

beforeEach(() => {
  asked = [];
  openedFiles = [];
  dir = mkdtempSync(path.join(tmpdir(), 'hartbeat-test-'));
  mkdirSync(path.join(dir, 'examples'));
  const entry = { id: 'one', title: 'One', file: 'one.o', program: 'p', description: 'd', hint: 'h' };
  writeFileSync(path.join(dir, 'examples', 'index.json'), JSON.stringify([entry]));
  writeFileSync(path.join(dir, 'examples', 'one.o'), 'object');
  writeFileSync(path.join(dir, 'examples', 'one.c'), 'int x;');
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('requests', () => {
  it('app.info names the kernels with their schemes as the window expects them', async () => {
    const outcome = await service().call('app.info', {});
    expect(outcome).toMatchObject({ ok: true, value: { kernels: sampleInfo.kernels } });
  });

  it.each([
    ['a method that is none', 'no.such', {}, /usage\/method: There is no request 'no.such'/],
    ['a method that is no text', 7, {}, /usage\/method/],
    ['a property of every object', 'constructor', {}, /usage\/method/],
    [
      'a wrong parameter',
      'session.step',
      { step: 'sideways', granularity: 'bpf' },
      /usage\/params: session.step, step: /,
    ],
    ['a missing parameter', 'session.listing', undefined, /usage\/params: session.listing, function/],
    [
      'hex that is none',
      'session.start',
      { object: 'o', program: 'p', profile: { kernel: '', tcc: '', isa: '' }, inputs: { data: 'abc' } },
      /inputs.data: bytes are pairs/,
    ],
  ])('refuse %s in one sentence', async (_what, method, params, expected) => {
    expect(await failure(service().call(method, params))).toMatch(expected);
    expect(asked).toEqual([]);
  });

  it('of a session go to the engine, validated', async () => {
    await service().call('session.step', { step: 'into', granularity: 'bpf', extra: 1 });
    expect(asked).toEqual([{ method: 'session.step', params: { step: 'into', granularity: 'bpf' } }]);
  });
});

describe('opening', () => {
  it('an example brings the sources that lie beside it', async () => {
    expect(await service().call('app.openExample', { id: 'one' })).toMatchObject({ ok: true });
    expect(openedFiles).toEqual([{ name: 'one.o', size: 6, sources: ['one.c'] }]);
  });

  it.each([
    [
      'a file that is not there',
      () => path.join(dir, 'none.o'),
      /There is no file .*none\.o; check the path\./,
    ],
    ['a directory', () => dir, /is a directory; name a BPF object file/],
  ])('%s fails with one sentence', async (_what, file, expected) => {
    expect(await failure(service().call('app.openPath', { path: file() }))).toMatch(expected);
  });

  it('an unknown example fails', async () => {
    expect(await failure(service().call('app.openExample', { id: '../x' }))).toMatch(/usage\/example/);
  });

  it('by dialog gives null when cancelled, and is refused where there is no dialog', async () => {
    expect(
      await service({ chooseFile: () => Promise.resolve(undefined) }).call('app.openDialog', {}),
    ).toEqual({ ok: true, value: null });
    expect(await failure(service().call('app.openDialog', {}))).toMatch(/usage\/dialog/);
  });
});

describe('settings', () => {
  it('survive, and the last one written stays', async () => {
    const one = service();
    await Promise.all(
      ['light', 'dark'].map((theme) => one.call('app.saveSettings', { settings: { theme } })),
    );
    expect(await service().call('app.settings', {})).toEqual({ ok: true, value: { theme: 'dark' } });
    // A page that reloads does not wait for its answer, but reads what it saved last.
    void one.call('app.saveSettings', { settings: { theme: 'dark', fontSize: 13 } });
    expect(await one.call('app.settings', {})).toEqual({ ok: true, value: { theme: 'dark', fontSize: 13 } });
    // Nor does a window that closes; the process does.
    void one.call('app.saveSettings', { settings: { theme: 'high-contrast' } });
    await one.written();
    expect(await service().call('app.settings', {})).toEqual({ ok: true, value: { theme: 'high-contrast' } });
  });

  it('that are damaged are set aside, not lost and not fatal', async () => {
    mkdirSync(path.join(dir, 'config'));
    writeFileSync(path.join(dir, 'config', 'settings.json'), '{"theme":');
    expect(await service().call('app.settings', {})).toEqual({ ok: true, value: {} });
    expect(readdirSync(path.join(dir, 'config'))).toEqual(['settings.json.bad']);
    expect(readFileSync(path.join(dir, 'config', 'settings.json.bad'), 'utf8')).toBe('{"theme":');
  });
});
