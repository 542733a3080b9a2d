// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { expect, it } from 'vitest';
import { startedSession } from '../testing/stores';
import { useMemory } from './memory';
import { useSession } from './session';

it('fetches nothing until a pane shows it', async () => {
  const fake = await startedSession();
  const memory = useMemory();
  await useSession().step('over');
  await flushPromises();
  expect(fake.calls.some(({ method }) => method === 'session.memory' || method === 'session.maps')).toBe(
    false,
  );
  memory.memoryShown = 1;
  memory.mapsShown = 1;
  await flushPromises();
  expect(memory.view?.address).toBe('0xffffffc800003f40');
  expect(memory.maps.map(({ name }) => name)).toEqual(['jump_table', 'counters']);
});

it('follows a register from stop to stop until an address is asked for', async () => {
  await startedSession();
  const memory = useMemory();
  const session = useSession();
  memory.memoryShown = 1;
  memory.setFollow('a0');
  await flushPromises();
  expect(memory.target).toBe(0xffffffc800005000n);
  for (let i = 0; i < 4; i++) await session.step('over');
  await flushPromises();
  expect(memory.target).toBe(0x17a2b3c4d5n);
  expect(memory.view?.address).toBe('0x17a2b3c4d0');
  expect(memory.goToText('R6')).toBe(true);
  expect(memory.follow).toBeNull();
  expect(memory.target).toBe(0xffffffc800005000n);
  expect(memory.goToText('nowhere')).toBe(false);
});

it('marks bytes that changed since the stop before, where both were shown', async () => {
  await startedSession();
  const memory = useMemory();
  const session = useSession();
  memory.memoryShown = 1;
  memory.goTo(0xffffffc800003f00n);
  await flushPromises();
  expect(memory.changed.size).toBe(0);
  await session.step('over');
  await flushPromises();
  expect([...memory.changed]).toEqual([String(0xffffffc800003f00n + 40n)]);
  memory.move(512);
  await flushPromises();
  expect(memory.changed.size).toBe(0);
});

it('says why memory cannot be read', async () => {
  const fake = await startedSession();
  fake.fail('session.memory', 'Nothing is mapped there.');
  const memory = useMemory();
  memory.memoryShown = 1;
  memory.goTo(0n);
  await flushPromises();
  expect(memory.problem).toBe('Nothing is mapped there.');
});
