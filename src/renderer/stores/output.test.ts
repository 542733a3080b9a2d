// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { expect, it } from 'vitest';
import { startedSession } from '../testing/stores';
import { sampleOutput } from '../testing/sample-views';
import { useOutput } from './output';

const some = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => sampleOutput(from + i, (from + i) * 10));

it('adds each line once, in order, whether it was pushed or asked for', async () => {
  const fake = await startedSession();
  fake.handle('session.output', () => some(0, 3));
  const output = useOutput();
  fake.push('session.output', some(2, 5));
  await flushPromises();
  fake.push('session.output', some(4, 6));
  expect(output.lines.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
});

it('filters by text and by kind, and copies what is left', async () => {
  const fake = await startedSession();
  const output = useOutput();
  await flushPromises();
  fake.push('session.output', some(0, 6));
  output.filter = 'PRINTK';
  expect(output.visible.map(({ kind }) => kind)).toEqual(['printk', 'printk']);
  expect(output.asText().split('\n')).toHaveLength(2);
  output.filter = '';
  output.toggleKind('printk');
  expect(output.visible.map(({ kind }) => kind)).toEqual(['helper', 'tail-call', 'helper', 'tail-call']);
  output.toggleKind('printk');
  expect(output.visible).toHaveLength(6);
});

it('shows only what comes after it was cleared', async () => {
  const fake = await startedSession();
  const output = useOutput();
  await flushPromises();
  fake.push('session.output', some(0, 4));
  output.clear();
  expect(output.visible).toEqual([]);
  fake.push('session.output', some(4, 5));
  expect(output.visible.map(({ index }) => index)).toEqual([4]);
});

it('asks for the lines that an event left out, when the program stops', async () => {
  const fake = await startedSession();
  const output = useOutput();
  await flushPromises();
  fake.push('session.output', some(0, 2));
  fake.push('session.output', some(7, 9));
  fake.handle('session.output', () => some(0, 9));
  fake.push('session.changed', { ...fake.state(), stop: 5 });
  await flushPromises();
  expect(output.lines.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});
