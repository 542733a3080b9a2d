// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { describe, expect, it, vi } from 'vitest';
import type { RegistersView } from '../../shared/views';
import { createFakeTransport } from '../testing/fake-transport';
import { startedSession, storesOver } from '../testing/stores';
import { SESSION } from '../testing/sample-listing';
import { useApp } from './app';
import { useNotices } from './notices';
import { useSession } from './session';

describe('a session', () => {
  it('starts at the entry and fetches what the panes show', async () => {
    await startedSession();
    const session = useSession();
    expect(session.status).toBe('stopped');
    expect(session.view?.reason?.kind).toBe('entry');
    expect(session.registers?.stop).toBe(session.view?.stop);
    expect(session.stack?.frames[0]?.name).toBe('dispatch');
    expect(session.frame?.frame).toBe(0);
    expect(useApp().page).toBe('debug');
  });

  it('steps with the granularity of the settings', async () => {
    const fake = await startedSession();
    await useSession().step('over');
    expect(fake.calls).toContainEqual({
      method: 'session.step',
      params: { step: 'over', granularity: 'bpf' },
    });
  });

  it('takes one step at a time', async () => {
    const fake = await startedSession();
    const session = useSession();
    const next = { ...fake.state(), stop: fake.state().stop + 1 };
    fake.handle('session.step', () => Promise.resolve(next));
    await Promise.all([session.step('over'), session.step('over'), session.step('over')]);
    expect(fake.calls.filter(({ method }) => method === 'session.step')).toHaveLength(1);
  });

  it('takes the next step as soon as a stop is told, even before the last step is answered', async () => {
    const fake = await startedSession();
    const session = useSession();
    const answers: (() => void)[] = [];
    fake.handle('session.step', () => {
      const next = { ...fake.state(), stop: fake.state().stop + answers.length + 1 };
      return new Promise((resolve) => {
        answers.push(() => resolve(next));
        fake.push('session.changed', next);
      });
    });
    const first = session.step('over');
    expect(session.canMove).toBe(true);
    const second = session.step('over');
    expect(answers).toHaveLength(2);
    const stop = session.view!.stop;
    answers[0]?.();
    expect(await first).toBe(true);
    answers[1]?.();
    expect(await second).toBe(true);
    expect(session.view!.stop).toBe(stop);
    expect(session.canMove).toBe(true);
  });

  it('is under way until its own stop is told: the late answer of the last step does not end it', async () => {
    const fake = await startedSession();
    const session = useSession();
    const answers: (() => void)[] = [];
    fake.handle('session.step', () => {
      const next = { ...fake.state(), stop: fake.state().stop + 1 };
      return new Promise((resolve) => answers.push(() => resolve(next)));
    });
    const first = session.step('over');
    fake.push('session.changed', { ...fake.state(), stop: fake.state().stop + 1 });
    const second = session.step('over');
    answers[0]?.();
    await first;
    expect(session.action).toBe('step');
    expect(session.canMove).toBe(false);
    answers[1]?.();
    await second;
    expect(session.canMove).toBe(true);
  });

  it('runs until the stop comes as an event', async () => {
    vi.useFakeTimers();
    try {
      await startedSession();
      const session = useSession();
      await session.resume();
      expect(session.status).toBe('running');
      expect(session.canMove).toBe(false);
      await vi.runAllTimersAsync();
      expect(session.status).toBe('ended');
      expect(session.view?.result?.retval).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what comes late', () => {
  it('drops registers of an earlier stop', async () => {
    const fake = await startedSession();
    const session = useSession();
    let answerLate: (reply: RegistersView) => void = () => undefined;
    const stale = session.registers!;
    fake.handle('session.registers', () => new Promise((resolve) => (answerLate = resolve)));
    await session.step('over');
    expect(session.view!.stop).toBeGreaterThan(stale.stop);
    answerLate({ ...stale, registers: [] });
    await flushPromises();
    expect(session.registers).toBe(stale);
  });

  it('drops states of an earlier stop and of a session that has ended', async () => {
    const fake = await startedSession();
    const session = useSession();
    const first = fake.state();
    await session.step('over');
    const now = session.view;
    fake.push('session.changed', first);
    expect(session.view).toBe(now);
    await session.end();
    fake.push('session.changed', { ...first, stop: 99 });
    expect(session.view).toBeNull();
  });

  it('takes a state of a new session, and then none of the old one', async () => {
    const fake = await startedSession();
    const session = useSession();
    fake.push('session.changed', { ...fake.state(), session: 'session-2', stop: 1 });
    expect(session.view?.session).toBe('session-2');
    fake.push('session.changed', { ...fake.state(), session: SESSION, stop: 50 });
    expect(session.view?.session).toBe('session-2');
  });

  it('shows the frame that was chosen last when answers overtake each other', async () => {
    const fake = await startedSession();
    const session = useSession();
    const answers: (() => void)[] = [];
    const original = session.frame!;
    fake.handle('session.frame', ({ index }) => {
      return new Promise((resolve) => answers.push(() => resolve({ ...original, frame: index })));
    });
    session.selectFrame(1);
    session.selectFrame(2);
    answers[1]?.();
    await flushPromises();
    answers[0]?.();
    await flushPromises();
    expect(session.frame?.frame).toBe(2);
  });
});

describe('what goes wrong', () => {
  it('becomes a notice with the sentence, and the session can go on', async () => {
    const fake = await startedSession();
    const session = useSession();
    fake.fail(
      'session.step',
      'The program has returned; restart the session to run it again.',
      'debugger/ended',
    );
    expect(await session.step('into')).toBe(false);
    expect(useNotices().notices).toMatchObject([
      {
        kind: 'error',
        title: 'Step into',
        text: 'The program has returned; restart the session to run it again.',
      },
    ]);
    expect(session.action).toBeNull();
    expect(session.canMove).toBe(true);
  });

  it('says in the frame pane why a frame has no layout', async () => {
    const fake = await startedSession();
    const session = useSession();
    fake.fail('session.frame', 'bpf_test_run is kernel code; only BPF functions have a frame layout.');
    session.selectFrame(2);
    await flushPromises();
    expect(session.frame).toBeNull();
    expect(session.frameProblem).toContain('kernel code');
    expect(useNotices().notices).toEqual([]);
  });

  it('is no news when the session has moved on', async () => {
    const fake = await startedSession();
    fake.fail('session.registers', 'The program is running; pause it to look at it.', 'debugger/running');
    await useSession().step('over');
    await flushPromises();
    expect(useNotices().notices).toEqual([]);
  });

  it('asks for no frame when the stack is empty', async () => {
    const fake = createFakeTransport();
    await startedSession(fake);
    const session = useSession();
    fake.calls.length = 0;
    await session.step('out');
    await flushPromises();
    expect(session.status).toBe('ended');
    expect(fake.calls.map(({ method }) => method)).not.toContain('session.frame');
    expect(session.frame).toBeNull();
  });

  it('keeps the start page when start is refused', async () => {
    const fake = createFakeTransport();
    storesOver(fake);
    const app = useApp();
    await app.begin();
    await app.openExample('tailcall_dispatch');
    fake.fail('session.start', 'dispatch calls helper 999, which is not built yet.');
    expect(await app.start()).toBe(false);
    expect(app.page).toBe('start');
    expect(useNotices().notices[0]?.text).toBe('dispatch calls helper 999, which is not built yet.');
  });
});

it('pauses a run that has only been asked for', async () => {
  const fake = await startedSession();
  const session = useSession();
  const run = session.resume();
  expect(session.status).toBe('stopped');
  expect(session.canPause).toBe(true);
  const pause = session.pause();
  await Promise.all([run, pause]);
  const asked = fake.calls.map(({ method }) => method);
  expect(asked.indexOf('session.pause')).toBeGreaterThan(asked.indexOf('session.continue'));
  expect(asked).toContain('session.continue');
});

it('pauses a step that takes long', async () => {
  const fake = await startedSession();
  const session = useSession();
  let finish: () => void = () => undefined;
  fake.handle('session.step', () => new Promise((resolve) => (finish = () => resolve({ ...fake.state() }))));
  const step = session.step('over');
  expect(session.running).toBe(true);
  let paused: () => void = () => undefined;
  fake.handle(
    'session.pause',
    () =>
      new Promise((resolve) => {
        paused = () =>
          resolve({ ...fake.state(), stop: 9, reason: { kind: 'pause', text: 'Paused.', breakpoints: [] } });
      }),
  );
  const pause = session.pause();
  expect(session.pausing).toBe(true);
  paused();
  await pause;
  finish();
  await step;
  expect(session.running).toBe(false);
  expect(session.view?.reason?.kind).toBe('pause');
});
