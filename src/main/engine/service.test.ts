import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ObjectView, SessionView } from '../../engine/debugger/views';
import type { Events, Method, Params, Replies } from '../../shared/contract';
import { createEngineService, type EngineService, type SessionMethod } from './service';

const example = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../examples/${name}`, import.meta.url)));

interface Pushed {
  readonly event: keyof Events;
  readonly payload: unknown;
}

describe('the engine service', () => {
  let pushed: Pushed[] = [];
  let service: EngineService;
  let object: ObjectView;
  const call = <M extends SessionMethod>(method: M, params: Params<M>) =>
    service.call(method, params) as Promise<Replies[M]>;
  const start = (program = 'entry', tcc = 'transparent') =>
    call('session.start', {
      object: object.id,
      program,
      profile: { kernel: '6.12', tcc, isa: 'rv64imac' },
      inputs: object.programs[0]!.inputs,
    });
  const changes = () =>
    pushed.filter(({ event }) => event === 'session.changed').map(({ payload }) => payload as SessionView);
  /** Waits for the next stop that is pushed. */
  const stopped = async (): Promise<SessionView> => {
    const before = changes().length;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const stop = changes()
        .slice(before)
        .find((view) => view.status !== 'running');
      if (stop) return stop;
    }
  };
  /** Lets the run go on until it has come this far. */
  const ranFor = async (instructions: number): Promise<void> => {
    while ((await call('session.state', {}))!.counters.instructions < instructions)
      await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    pushed = [];
    service = createEngineService({ emit: (event, payload) => void pushed.push({ event, payload }) });
    object = service.openBytes('hierarchy.o', example('hierarchy.o'), {
      'hierarchy.c': new TextDecoder().decode(example('hierarchy.c')),
    });
  });

  test('opens an object and starts a program at its entry', async () => {
    expect(object.programs.map((p) => [p.name, p.type, p.subprograms])).toEqual([
      ['entry', 'sched_cls', ['call_entry']],
    ]);
    const view = await start();
    expect(view).toMatchObject({ status: 'stopped', stop: 1, reason: { kind: 'entry' }, program: 'entry' });
    expect(changes()).toEqual([view]);
    expect(await call('session.state', {})).toEqual(view);
    const functions = await call('session.functions', {});
    expect(functions.map((f) => [f.key, f.kind])).toEqual([
      ['entry/entry', 'main'],
      ['entry/call_entry', 'subprog'],
    ]);
  });

  test('a listing has the whole source file, and rows that belong together', async () => {
    await start();
    const { source, bpf, native } = await call('session.listing', { function: 'entry/call_entry' });
    expect(source[0]!.text).toMatch(/^\/\/ SPDX/);
    const tailCall = bpf.find((row) => row.text === 'tail_call')!;
    expect(source[tailCall.source]!.text).toContain('bpf_tail_call(skb, &jump_table, 0)');
    expect(source[tailCall.source]!.code).toBe(true);
    const mine = native.filter((row) => row.slot === tailCall.slot);
    expect(mine.at(-1)!.text).toBe('jr 12(t3)');
    expect(mine.map((row) => row.why.split(':')[0])).toContain('tail-call/empty-slot');
    expect(native.every((row) => row.why.includes(': '))).toBe(true);
  });

  test('the pass log of a function adds up to its image; another function is refused', async () => {
    await start();
    const { passes, rows } = await call('session.passes', { function: 'entry/call_entry' });
    const last = passes.at(-1)!;
    const body = rows.reduce((sum, { sizes }) => sum + sizes.at(-1)!, 0);
    expect(last).toMatchObject({ kind: 'final', total: last.prologue + body + last.epilogue });
    await expect(call('session.passes', { function: 'entry/none' })).rejects.toThrow(/entry\/none/);
  });

  test('a source that does not match the object is left aside', async () => {
    object = service.openBytes('hierarchy.o', example('hierarchy.o'), { 'hierarchy.c': 'int x;\n' });
    await start();
    const { source } = await call('session.listing', { function: 'entry/call_entry' });
    expect(source.length).toBeGreaterThan(3);
    expect(source.some((row) => row.text === 'int x;')).toBe(false);
  });

  test('continue answers at once, the stop and the output come as events', async () => {
    await start();
    await call('session.addBreakpoint', { spec: { kind: 'event', event: 'tail-call-refused' } });
    const running = await call('session.continue', {});
    expect(running.status).toBe('running');
    const stop = await stopped();
    expect(stop).toMatchObject({ status: 'stopped', reason: { kind: 'event', breakpoints: [1] } });
    expect(stop.stop).toBeGreaterThan(running.stop);
    const lines = pushed
      .filter(({ event }) => event === 'session.output')
      .flatMap((p) => p.payload as object[]);
    expect(lines).toHaveLength(34);
    expect((await call('session.output', { from: 33 })).map((line) => line.text)).toEqual([
      'tail call refused in call_entry, the count is used up (a6 = 0)',
    ]);
    expect((await call('session.stack', {})).frames.filter((f) => f.kind === 'bpf')).toHaveLength(35);
    expect((await call('session.breakpoints', {}))[0]).toMatchObject({ hits: 1 });
  });

  test('steps answer when they are done; the end has a result; restart begins anew', async () => {
    await start();
    const step = await call('session.step', { step: 'over', granularity: 'line' });
    expect(step).toMatchObject({ status: 'stopped', reason: { kind: 'step' } });
    await call('session.continue', {});
    const end = await stopped();
    expect(end).toMatchObject({ status: 'ended', result: { retval: 34 }, counters: { tailCalls: 33 } });
    await expect(call('session.step', { step: 'over', granularity: 'bpf' })).rejects.toThrow(/restart/);
    const again = await call('session.restart', {});
    expect(again).toMatchObject({
      status: 'stopped',
      reason: { kind: 'entry' },
      counters: { instructions: 0 },
    });
    expect(again.session).toBe(end.session);
  });

  test('a run without end is paused within 50 ms, and other requests are served meanwhile', async () => {
    // The scheme restores the count for each frame: 2^34 entries.
    await start('entry', 'stack-v3');
    await call('session.continue', {});
    await ranFor(10_001);
    const begun = performance.now();
    expect((await call('session.state', {}))!.status).toBe('running');
    await expect(call('session.registers', {})).rejects.toThrow(/pause it/);
    const paused = await call('session.pause', {});
    expect(performance.now() - begun).toBeLessThan(50);
    expect(paused).toMatchObject({ status: 'stopped', reason: { kind: 'pause' } });
    expect((await call('session.registers', {})).stop).toBe(paused.stop);
  });

  test('a step that does not end can be paused, and is answered then', async () => {
    await start('entry', 'stack-v3');
    await call('session.runTo', { target: { kind: 'bpf', function: 'entry/entry', slot: 7 } });
    await stopped();
    const { counters } = (await call('session.state', {}))!;
    const step = call('session.step', { step: 'over', granularity: 'bpf' });
    await ranFor(counters.instructions + 10_000);
    await call('session.pause', {});
    expect((await step).reason).toMatchObject({ kind: 'pause' });
  });

  test('rests when nobody looks: a run is paused as by the user, a session that stands stays as it is', async () => {
    service.rest();
    const before = await start('entry', 'stack-v3');
    service.rest();
    expect(await call('session.state', {})).toEqual(before);
    await call('session.continue', {});
    await ranFor(10_001);
    service.rest();
    const paused = (await call('session.state', {}))!;
    expect(paused).toMatchObject({ status: 'stopped', reason: { kind: 'pause' } });
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(await call('session.state', {})).toEqual(paused);
  });

  test('goes back in time: by steps, to breakpoints, from the end', async () => {
    expect(await start()).toMatchObject({ canGoBack: false });
    await expect(call('session.stepBack', { step: 'over', granularity: 'bpf' })).rejects.toThrow(
      /first instant/,
    );
    const first = await call('session.step', { step: 'over', granularity: 'bpf' });
    await call('session.step', { step: 'over', granularity: 'bpf' });
    const back = await call('session.stepBack', { step: 'over', granularity: 'bpf' });
    expect(back).toMatchObject({ canGoBack: true, location: first.location, counters: first.counters });
    await call('session.continue', {});
    expect(await stopped()).toMatchObject({ status: 'ended', canGoBack: true });
    await call('session.addBreakpoint', { spec: { kind: 'event', event: 'tail-call-taken' } });
    const last = await call('session.reverseContinue', {});
    expect(last).toMatchObject({ status: 'stopped', reason: { kind: 'event' }, counters: { tailCalls: 32 } });
    expect((await call('session.registers', {})).registers.find((r) => r.abi === 'a6')!.hex).toBe('0x0');
  });

  const A6 = { kind: 'register', register: 16 } as const;

  test('watchpoints stop with who wrote; the question who wrote last is answered without a stop', async () => {
    await start();
    const added = await call('session.addBreakpoint', { spec: { ...A6, when: 'changed' } });
    expect(added).toMatchObject({ label: 'a6 changed', addresses: [], hits: 0 });
    await call('session.continue', {});
    const stop = await stopped();
    expect(stop).toMatchObject({
      reason: { kind: 'watch', breakpoints: [1], by: { function: 'entry/entry' } },
    });
    expect(stop.reason!.text).toMatch(/^Watchpoint 1: a6 was written, .* → 0x21, by li a6, 33 at /);
    const told = pushed.length;
    const answer = await call('session.lastWrite', { target: A6 });
    expect(answer).toMatchObject({ session: stop.session, stop: stop.stop, writer: { native: 'li a6, 33' } });
    expect(pushed).toHaveLength(told);
    expect(await call('session.state', {})).toEqual(stop);
    const there = await call('session.goTo', { time: answer.time });
    expect(there).toMatchObject({ status: 'stopped', location: answer.writer!.location });
    expect((await call('session.lastWrite', { target: A6 })).text).toMatch(/^Nothing has written a6/);
  });

  test('a long search shows as running and can be ended; the stop stays what it was', async () => {
    await start('entry', 'stack-v3');
    await call('session.continue', {});
    await ranFor(300_000);
    const paused = await call('session.pause', {});
    // Nothing writes s11, so the search goes back to the beginning.
    const asked = call('session.lastWrite', { target: { kind: 'register', register: 27 } });
    const ended = expect(asked).rejects.toThrow(/ended before it had found/);
    await new Promise((resolve) => setImmediate(resolve));
    expect((await call('session.state', {}))!.status).toBe('running');
    await expect(call('session.registers', {})).rejects.toThrow(/pause it/);
    expect(await call('session.pause', {})).toEqual(paused);
    await ended;
    expect((await call('session.registers', {})).stop).toBe(paused.stop);
  });

  test.each([
    ['session.addBreakpoint', { spec: { ...A6, register: 0, when: 'written' } }],
    ['session.addBreakpoint', { spec: { ...A6, when: 'read' } }],
    ['session.addBreakpoint', { spec: { kind: 'memory', address: '0x10', length: 65_537, when: 'read' } }],
    ['session.addBreakpoint', { spec: { kind: 'memory', address: '16', length: 8, when: 'read' } }],
    ['session.lastWrite', { target: { kind: 'register', register: 32 } }],
    ['session.lastWrite', { target: { kind: 'memory', address: '0x10', length: 0 } }],
    ['session.goTo', { time: -1 }],
  ] as const)('%s %j is malformed', async (method, params) => {
    await start();
    await expect(service.call(method, params)).rejects.toMatchObject({ code: 'usage/params' });
  });

  test('breakpoints belong to the object and outlive the session', async () => {
    await start();
    await call('session.addBreakpoint', { spec: { kind: 'event', event: 'tail-call-taken' } });
    await call('session.end', {});
    expect(await call('session.state', {})).toBeNull();
    await start('entry', 'stack-v6');
    expect(await call('session.breakpoints', {})).toHaveLength(1);
    await call('session.continue', {});
    expect((await stopped()).reason).toMatchObject({ kind: 'event', breakpoints: [1] });
  });

  test('registers, frame, maps and memory of a stop', async () => {
    await start();
    await call('session.step', { step: 'into', granularity: 'bpf' });
    const { registers } = await call('session.registers', {});
    expect(registers).toHaveLength(33);
    const sp = registers.find((r) => r.abi === 'sp')!;
    const frame = await call('session.frame', { index: 0 });
    expect(frame.rows[0]).toMatchObject({ name: 'saved ra', size: 8 });
    const memory = await call('session.memory', { address: sp.hex, length: 16 });
    expect(memory.bytes).toHaveLength(16);
    expect(memory.region).toBe('kernel stack');
    const unmapped = await call('session.memory', { address: '0x10', length: 4 });
    expect(unmapped.bytes).toEqual(['..', '..', '..', '..']);
    const maps = await call('session.maps', {});
    expect(maps.find((m) => m.name === 'jump_table')).toMatchObject({
      type: 'prog_array',
      entries: [{ key: '00000000', target: 'entry' }],
    });
  });

  test('refuses what it cannot do with one sentence', async () => {
    await expect(call('session.step', { step: 'into', granularity: 'bpf' })).rejects.toThrow(
      'No program is being debugged; open an object and start one.',
    );
    await expect(service.call('session.nothing' as Method, {})).rejects.toThrow(/no request/);
    await expect(service.call('session.step', { step: 'sideways' })).rejects.toThrow(/^session.step: /);
    await expect(start('absent')).rejects.toThrow(/absent/);
    expect(() => service.openBytes('x.o', new Uint8Array(10))).toThrow();
  });
});
