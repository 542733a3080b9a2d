import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ObjectView, ProfileView } from '../../engine/debugger/views';
import type { Params, Replies } from '../../shared/contract';
import { createEngineService, type EngineService, type SessionMethod } from './service';

const profile = (tcc: string, kernel = '6.12'): ProfileView => ({ kernel, tcc, isa: 'rv64imac' });

describe('comparisons of profiles', () => {
  let service: EngineService;
  let object: ObjectView;
  const call = <M extends SessionMethod>(method: M, params: Params<M>) =>
    service.call(method, params) as Promise<Replies[M]>;
  const sides = { left: profile('transparent'), right: profile('stack-v6') };
  const start = () =>
    call('session.start', {
      object: object.id,
      program: 'entry',
      profile: profile('transparent'),
      inputs: object.programs[0]!.inputs,
    });

  beforeEach(() => {
    service = createEngineService({ emit: () => undefined });
    const file = new URL('../../../examples/hierarchy.o', import.meta.url);
    object = service.openBytes('hierarchy.o', new Uint8Array(readFileSync(file)));
  });

  test('need no session, only an object and a program', async () => {
    const view = await call('session.compare', { object: object.id, program: 'entry', ...sides });
    expect(view).toMatchObject({ function: 'entry/entry', differing: 4 });
    expect(await call('session.state', {})).toBeNull();
    await expect(call('session.compare', sides)).rejects.toThrow('No program is being debugged');
    await expect(call('session.compare', { object: 'o9', program: 'entry', ...sides })).rejects.toThrow(
      'This object is not open any more; open it again.',
    );
  });

  test('are of the session’s program unless another is named, and leave the session alone', async () => {
    const before = await start();
    const view = await call('session.compare', { function: 'call_entry', ...sides });
    expect(view).toMatchObject({ program: 'entry', function: 'entry/call_entry', differing: 3 });
    const runs = await call('session.compareRuns', { ...sides, inputs: before.inputs, limit: 100_000 });
    expect(runs).toMatchObject({
      differences: [],
      left: { result: { retval: 34 } },
      right: { result: { retval: 34 } },
    });
    expect(await call('session.state', {})).toEqual(before);
  });

  test('give the refusal of a profile as the problem of its side', async () => {
    await start();
    const view = await call('session.compare', { ...sides, right: profile('mainline') });
    expect(view.right.problem).toMatch(/tail_calls are not allowed/);
    const pair = await call('session.compare', { ...sides, right: profile('stack-v1', '7.3') });
    expect(pair.right.problem).toMatch(/not defined for kernel 7\.3/);
    const runs = await call('session.compareRuns', {
      ...sides,
      right: profile('mainline'),
      inputs: object.programs[0]!.inputs,
      limit: 100_000,
    });
    expect(runs.left.result?.retval).toBe(34);
    expect(runs.right.problem).toMatch(/tail_calls are not allowed/);
  });

  test('of a run without end serve other requests, and a newer one takes the place of an older one', async () => {
    const before = await start();
    const request = { ...sides, right: profile('stack-v1'), inputs: before.inputs };
    let answered = false;
    const endless = call('session.compareRuns', { ...request, limit: 1e9 }).finally(() => (answered = true));
    // It may be refused before anyone awaits it below.
    endless.catch(() => undefined);
    expect((await call('session.step', { step: 'over', granularity: 'bpf' })).status).toBe('stopped');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await call('session.registers', {})).registers).toHaveLength(33);
    expect(answered).toBe(false);
    const short = await call('session.compareRuns', { ...request, limit: 20_000 });
    expect(short).toMatchObject({ limit: 20_000, right: { stop: { kind: 'limit' } } });
    await expect(endless).rejects.toThrow('A newer comparison of runs has taken its place.');
  });

  test('of a run without end are given up when nobody looks', async () => {
    const { inputs } = await start();
    const request = { ...sides, right: profile('stack-v1'), inputs, limit: 1e9 };
    const endless = expect(call('session.compareRuns', request)).rejects.toThrow(/was given up; begin it/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    service.rest();
    await endless;
  });

  test.each([
    [{ ...sides, limit: 0, inputs: {} }],
    [{ ...sides, limit: 1e10, inputs: {} }],
    [{ ...sides, limit: 1000 }],
    [{ left: sides.left, limit: 1000, inputs: {} }],
  ])('refuse malformed requests', async (params) => {
    await start();
    await expect(service.call('session.compareRuns', params)).rejects.toThrow(/^session\.compareRuns: /);
  });
});
