// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { expect, it } from 'vitest';
import type { LastWriteView } from '../../shared/views';
import { startedSession } from '../testing/stores';
import { useBreakpoints } from './breakpoints';
import { useSession } from './session';
import { useWatch } from './watch';

const A6 = { kind: 'register', register: 16 } as const;

it('asks who wrote a register last, and goes there', async () => {
  const fake = await startedSession();
  const session = useSession();
  const watch = useWatch();
  for (let i = 0; i < 3; i++) await session.step('over', 'native');
  await flushPromises();
  const asking = watch.ask(A6, 'registers');
  expect(watch.searching).toBe(true);
  await asking;
  expect(watch.asked).toEqual({ pane: 'registers', label: 'a6' });
  expect(watch.answer).toMatchObject({ time: 2, after: '0x21' });
  expect(fake.calls.at(-1)).toEqual({ method: 'session.lastWrite', params: { target: A6 } });
  await watch.goThere();
  await flushPromises();
  expect(session.view).toMatchObject({ reason: { kind: 'run-to' }, counters: { instructions: 2 } });
  // The answer was about the stop before.
  expect(watch.asked).toBeNull();
});

it('keeps what is shown of the stop when a long search comes back to it', async () => {
  const fake = await startedSession();
  const session = useSession();
  const watch = useWatch();
  await flushPromises();
  session.selectFrame(1);
  await flushPromises();
  let answer: ((view: LastWriteView) => void) | undefined;
  fake.handle('session.lastWrite', () => new Promise((resolve) => (answer = resolve)));
  const asking = watch.ask(A6, 'registers');
  const { reason, ...standing } = fake.state();
  fake.push('session.changed', { ...standing, status: 'running' });
  await flushPromises();
  expect([session.running, watch.searching]).toEqual([true, true]);
  const before = fake.calls.length;
  fake.push('session.changed', { ...standing, reason });
  answer?.({
    session: standing.session,
    stop: standing.stop,
    target: A6,
    label: 'a6',
    text: 'Nothing.',
    time: 0,
    instructions: 0,
  });
  await asking;
  await flushPromises();
  expect(session.status).toBe('stopped');
  expect(session.selectedFrame).toBe(1);
  expect(fake.calls.length).toBe(before);
  expect(watch.answer?.text).toBe('Nothing.');
});

it('says why there is no answer; a search that the user has ended says nothing', async () => {
  const fake = await startedSession();
  const watch = useWatch();
  fake.fail('session.lastWrite', 'This session keeps no history, so it cannot go back.');
  await watch.ask(A6, 'registers');
  expect(watch.refusal).toBe('This session keeps no history, so it cannot go back.');
  fake.fail('session.lastWrite', 'The search was ended.', 'debugger/interrupted');
  await watch.ask(A6, 'registers');
  expect([watch.asked, watch.refusal]).toEqual([null, null]);
});

it('sets the watchpoint of the dialog, or says what is wrong with it', async () => {
  await startedSession();
  await flushPromises();
  const watch = useWatch();
  watch.compose({ kind: 'memory', address: '0x10', length: 2 });
  expect(watch.draft).toMatchObject({ kind: 'memory', address: '0x10', length: '2', memoryWhen: 'changed' });
  watch.change({ address: 'nowhere' });
  expect(await watch.set()).toBe(false);
  expect(watch.problem).toMatch(/^Write an address/);
  watch.change({ address: 'sp + 8' });
  expect(watch.problem).toBeNull();
  expect(await watch.set()).toBe(true);
  expect(watch.draft).toBeNull();
  expect(useBreakpoints().list.map(({ spec }) => spec)).toEqual([
    { kind: 'memory', address: '0xffffffc800003f88', length: 2, when: 'changed' },
  ]);
  expect(await watch.set()).toBe(false);
});

it('leaves the dialog open when the debugger refuses', async () => {
  const fake = await startedSession();
  const watch = useWatch();
  fake.fail('session.addBreakpoint', 'Register x0 cannot be watched.');
  watch.compose(A6, { registerWhen: 'written' });
  expect(await watch.set()).toBe(false);
  expect(watch.draft).toMatchObject({ register: 16, registerWhen: 'written' });
});
