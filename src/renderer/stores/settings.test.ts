// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createFakeTransport, type FakeTransport } from '../testing/fake-transport';
import { storesOver } from '../testing/stores';
import { useNotices } from './notices';
import { useSettings } from './settings';
import { useView } from './view';

let fake: FakeTransport;
beforeEach(() => {
  vi.useFakeTimers();
  fake = storesOver(createFakeTransport());
});
afterEach(() => {
  vi.useRealTimers();
});

const saves = () => fake.calls.filter(({ method }) => method === 'app.saveSettings');

it('saves once for changes in quick succession', async () => {
  const settings = useSettings();
  settings.change({ theme: 'dark' });
  settings.setFontSize(14);
  settings.change({ granularity: 'native' });
  expect(saves()).toEqual([]);
  await vi.runAllTimersAsync();
  expect(saves()).toEqual([
    {
      method: 'app.saveSettings',
      params: { settings: { theme: 'dark', fontSize: 14, granularity: 'native' } },
    },
  ]);
});

it('saves what is not saved yet when the page goes, and nothing otherwise', async () => {
  const settings = useSettings();
  window.dispatchEvent(new Event('pagehide'));
  expect(saves()).toEqual([]);
  settings.change({ theme: 'dark' });
  window.dispatchEvent(new Event('pagehide'));
  expect(saves()).toHaveLength(1);
  await vi.runAllTimersAsync();
  window.dispatchEvent(new Event('pagehide'));
  expect(saves()).toHaveLength(1);
});

it('keeps the code size within bounds', () => {
  const settings = useSettings();
  settings.setFontSize(100);
  expect(settings.fontSize).toBe(22);
  settings.setFontSize(1);
  expect(settings.fontSize).toBe(9);
});

it('puts the file opened last in front and keeps eight', () => {
  const settings = useSettings();
  for (let i = 0; i < 10; i++) settings.remember(`p${i}.o`, `/objects/p${i}.o`);
  settings.remember('p5.o', '/objects/p5.o');
  expect(settings.recent.map(({ name }) => name)).toEqual([
    'p5.o',
    'p9.o',
    'p8.o',
    'p7.o',
    'p6.o',
    'p4.o',
    'p3.o',
    'p2.o',
  ]);
  settings.forget('/objects/p9.o');
  expect(settings.recent).toHaveLength(7);
});

it('says once that settings cannot be saved', async () => {
  fake.fail('app.saveSettings', 'The disk is full.');
  const settings = useSettings();
  settings.change({ theme: 'dark' });
  await vi.runAllTimersAsync();
  settings.change({ theme: 'light' });
  await vi.runAllTimersAsync();
  expect(useNotices().notices).toMatchObject([
    { title: 'Settings were not saved', text: 'The disk is full.' },
  ]);
});

it('remembers choices of view beside the layout, and takes no nonsense for one', () => {
  const settings = useSettings();
  const view = useView();
  expect(view.addresses).toBe('full');
  view.addresses = 'offset';
  settings.changeLayout('dock', { version: 1 });
  expect(view.addresses).toBe('offset');
  settings.changeLayout('view', { addresses: 42 });
  expect(view.addresses).toBe('full');
});
