// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleComparison, sampleRuns } from '../testing/sample-compare';
import { createFakeTransport, type FakeTransport } from '../testing/fake-transport';
import { startedSession, storesOver } from '../testing/stores';
import { useApp } from './app';
import { useCompare } from './compare';
import { useListing } from './listing';
import { useSession } from './session';
import { useSettings } from './settings';

const profile = (tcc: string, kernel = '6.12') => ({ kernel, tcc, isa: 'rv64imac' });
const asked = (fake: FakeTransport, method = 'session.compare') =>
  fake.calls.filter((call) => call.method === method).map(({ params }) => params);

async function shown(): Promise<{ fake: FakeTransport; compare: ReturnType<typeof useCompare> }> {
  const fake = await startedSession();
  const compare = useCompare();
  compare.active++;
  await flushPromises();
  return { fake, compare };
}

describe('a comparison', () => {
  it('is not asked for before it is shown', async () => {
    const fake = await startedSession();
    useCompare();
    await flushPromises();
    expect(asked(fake)).toEqual([]);
  });

  it('is of the session’s program and function, its profile against what the kernel ships', async () => {
    const { fake, compare } = await shown();
    expect(asked(fake).at(-1)).toEqual({
      object: 'object-1',
      program: 'dispatch',
      function: 'dispatch/dispatch',
      left: profile('transparent'),
      right: profile('mainline'),
    });
    expect(compare.view?.differing).toBe(5);
    expect(compare.programs).toEqual(['dispatch', 'pass']);
  });

  it('follows the function that the columns show, and the one that is chosen', async () => {
    const { fake, compare } = await shown();
    await useListing().choose('pass/pass');
    await flushPromises();
    expect(asked(fake).at(-1)).toMatchObject({ program: 'dispatch', function: undefined });
    compare.chosenFunction = 'dispatch/other';
    await flushPromises();
    expect(asked(fake).at(-1)).toMatchObject({ function: 'dispatch/other' });
    compare.chosenProgram = 'pass';
    await flushPromises();
    expect(asked(fake).at(-1)).toMatchObject({ program: 'pass', function: 'pass/pass' });
  });

  it('remembers the right side, and takes another one where both would be the same', async () => {
    const { fake, compare } = await shown();
    compare.setRight(profile('stack-v3'));
    await flushPromises();
    expect(asked(fake).at(-1)).toMatchObject({ right: profile('stack-v3') });
    expect(useSettings().layoutPart('compare')).toEqual(profile('stack-v3'));
    compare.setLeft(profile('stack-v3'));
    expect(compare.right).toEqual(profile('mainline'));
    compare.setLeft(profile('mainline', '7.2'));
    expect(compare.right).toEqual(profile('stack-v3'));
    compare.swap();
    expect([compare.left, compare.right]).toEqual([profile('stack-v3'), profile('mainline', '7.2')]);
  });

  it.each([
    ['transparent', '6.12', 'mainline'],
    ['mainline', '6.12', 'transparent'],
    ['stack-v1', '6.6', 'mainline'],
    ['transparent', '7.3', 'stack-v6'],
    ['stack-v6', '7.3', 'transparent'],
  ])('puts beside %s of kernel %s at first %s', async (tcc, kernel, other) => {
    const { compare } = await shown();
    compare.setLeft(profile(tcc, kernel));
    expect(compare.right).toEqual(profile(other, kernel));
  });

  it('drops an answer that a later question has overtaken', async () => {
    const { fake, compare } = await shown();
    const waiting: (() => void)[] = [];
    fake.handle('session.compare', (params) =>
      new Promise<void>((resolve) => waiting.push(resolve)).then(() => sampleComparison(params)),
    );
    compare.setRight(profile('stack-v1'));
    await flushPromises();
    compare.setRight(profile('stack-v6'));
    await flushPromises();
    waiting[1]!();
    await flushPromises();
    waiting[0]!();
    await flushPromises();
    expect(compare.view?.right.profile.tcc).toBe('stack-v6');
    expect(compare.loading).toBe(false);
  });

  it('shows what went wrong, and asks again when told to', async () => {
    const { fake, compare } = await shown();
    fake.fail('session.compare', 'The engine has ended.');
    compare.setRight(profile('stack-v1'));
    await flushPromises();
    expect([compare.view, compare.problem]).toEqual([null, 'The engine has ended.']);
    fake.handle('session.compare', sampleComparison);
    await compare.load();
    expect(compare.problem).toBeNull();
    expect(compare.view?.right.profile.tcc).toBe('stack-v1');
  });

  it('goes from difference to difference and keeps the place when what is the same is hidden', async () => {
    const { compare } = await shown();
    compare.step(false);
    expect([compare.cursor, compare.station]).toEqual([0, 1]);
    compare.step(false);
    expect(compare.station).toBe(2);
    const slot = () => {
      const line = compare.lines[compare.cursor];
      return line?.kind === 'code' ? line.bpf?.slot : undefined;
    };
    expect(slot()).toBe(1);
    expect(compare.lastLineOfRow(compare.cursor)).toBe(compare.cursor + 4);
    compare.step(false);
    const before = compare.cursor;
    compare.setOnlyDifferences(true);
    expect(compare.cursor).toBeLessThan(before);
    expect([slot(), compare.station]).toEqual([8, 3]);
    for (let i = 0; i < 3; i++) compare.step(true);
    expect(compare.station).toBe(5);
  });

  it('is a text', async () => {
    const { compare } = await shown();
    expect(compare.asText()).toMatch(/^dispatch\/dispatch\n/);
    const all = compare.asText().split('\n').length;
    compare.setOnlyDifferences(true);
    expect(compare.asText()).toMatch(/^1: call bpf_ktime_get_ns#5 +mv s6, a6 +< +14 10 -4$/m);
    expect(compare.asText().split('\n').length).toBeLessThan(all);
  });
});

describe('a comparison of runs', () => {
  it('is made when it is asked for, with the session’s inputs, and forgotten when a profile changes', async () => {
    const { fake, compare } = await shown();
    compare.shows = 'runs';
    expect(compare.hasText).toBe(false);
    await compare.compareRuns();
    expect(asked(fake, 'session.compareRuns')).toMatchObject([
      { program: 'dispatch', limit: 1_000_000, inputs: useSession().view!.inputs },
    ]);
    expect(compare.runs?.differences).toEqual([]);
    expect(compare.asText()).toMatch(/^ {2}stores +80 +95 +\+15$/m);
    expect(compare.asText()).toContain('Return value, data, context and maps agree.');
    compare.setRight(profile('stack-v1'));
    await flushPromises();
    expect(compare.runs).toBeNull();
    await compare.compareRuns();
    expect(compare.asText()).toContain('The right run did not end within 1,000,000 instructions.');
  });

  it('shows what went wrong', async () => {
    const { fake, compare } = await shown();
    fake.fail('session.compareRuns', 'This object is not open any more; open it again.');
    await compare.compareRuns();
    expect(compare.runsProblem).toMatch(/open it again/);
    expect(compare.running).toBe(false);
  });

  it('that is overtaken by another choice is dropped', async () => {
    const { fake, compare } = await shown();
    let answer: () => void = () => undefined;
    fake.handle('session.compareRuns', (params) =>
      new Promise<void>((resolve) => (answer = resolve)).then(() => sampleRuns(params)),
    );
    const run = compare.compareRuns();
    compare.limit = 10_000_000;
    await flushPromises();
    expect(compare.running).toBe(false);
    answer();
    await run;
    expect(compare.runs).toBeNull();
  });
});

describe('without a session', () => {
  let fake: FakeTransport;
  beforeEach(async () => {
    fake = createFakeTransport();
    storesOver(fake);
    await useApp().begin();
    await useApp().openExample('tailcall_dispatch');
  });

  it('the program that is set up is compared', async () => {
    const compare = useCompare();
    compare.active++;
    await flushPromises();
    expect(asked(fake)).toMatchObject([
      { object: 'object-1', program: 'dispatch', left: profile('transparent') },
    ]);
    useApp().programName = 'pass';
    await flushPromises();
    expect(asked(fake).at(-1)).toMatchObject({ program: 'pass' });
    await compare.compareRuns();
    expect(asked(fake, 'session.compareRuns')).toMatchObject([{ inputs: { data: '00'.repeat(14) } }]);
  });
});
