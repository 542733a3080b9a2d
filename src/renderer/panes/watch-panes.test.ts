// @vitest-environment happy-dom
import { DOMWrapper, flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defineComponent, h } from 'vue';
import WatchDialog from '../shell/WatchDialog.vue';
import StopBar from '../shell/StopBar.vue';
import { useBreakpoints } from '../stores/breakpoints';
import { useLayout } from '../stores/layout';
import { useListing } from '../stores/listing';
import { useMemory } from '../stores/memory';
import { useSession } from '../stores/session';
import { useWatch } from '../stores/watch';
import { mountOver } from '../testing/mount';
import { sampleListing } from '../testing/sample-listing';
import { startedSession } from '../testing/stores';
import BreakpointsPane from './BreakpointsPane.vue';
import FramePane from './FramePane.vue';
import MemoryPane from './MemoryPane.vue';
import RegistersPane from './RegistersPane.vue';

let mounted: VueWrapper | undefined;
afterEach(() => mounted?.unmount());

async function show(component: Parameters<typeof mountOver>[0]) {
  const wrapper = mountOver(component);
  mounted = wrapper;
  await flushPromises();
  return wrapper;
}

const body = () => new DOMWrapper(document.body);
const menuItem = (text: string) =>
  body()
    .findAll('[role="menuitem"]')
    .find((item) => item.text() === text)!;
const row = (wrapper: VueWrapper, abi: string) =>
  wrapper.findAll('tr.register').find((tr) => tr.find('.abi').text() === abi)!;

describe('the registers pane', () => {
  it('sets and removes watchpoints by its menu, and marks what is watched', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    const choose = async (text: string) => {
      await row(pane, 'a6').trigger('contextmenu');
      await flushPromises();
      await menuItem(text).trigger('click');
      await flushPromises();
    };
    await choose('Break when changed');
    const breakpoints = useBreakpoints();
    expect(breakpoints.list.map(({ spec }) => spec)).toEqual([
      { kind: 'register', register: 16, when: 'changed' },
    ]);
    expect(row(pane, 'a6').attributes('aria-label')).toMatch(/ watched$/);
    expect(row(pane, 'a6').attributes('title')).toContain('Watched by watchpoint 1');
    expect(row(pane, 's6').attributes('aria-label')).not.toContain('watched');
    await choose('Do not break when changed');
    expect(breakpoints.list).toEqual([]);
    await choose('Break when it equals…');
    expect(useWatch().draft).toMatchObject({ kind: 'register', register: 16, registerWhen: 'equals' });
  });

  it('answers who wrote a register last where that was asked, with the way there', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    for (let i = 0; i < 3; i++) await useSession().step('over', 'native');
    await flushPromises();
    await row(pane, 'a6').trigger('contextmenu');
    await flushPromises();
    await menuItem('Who wrote this last?').trigger('click');
    await flushPromises();
    const bar = pane.find('section[aria-label="Who wrote it last"]');
    expect(bar.find('[role="status"]').text()).toMatch(/was last written by .+: 0x0 → 0x21\.$/);
    await bar
      .findAll('button')
      .find((button) => button.text() === 'Go there')!
      .trigger('click');
    await flushPromises();
    expect(useSession().view?.counters.instructions).toBe(2);
    expect(pane.find('section[aria-label="Who wrote it last"]').exists()).toBe(false);
  });

  it('offers nothing for pc and the zero register', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    await row(pane, 'pc').trigger('contextmenu');
    await flushPromises();
    expect(
      body()
        .findAll('[role="menuitem"]')
        .map((item) => item.text()),
    ).not.toContain('Break when written');
    expect(menuItem('Who wrote this last?').attributes('aria-disabled')).toBe('true');
  });

  it('lets a long search be stopped', async () => {
    const fake = await startedSession();
    fake.handle('session.lastWrite', () => new Promise(() => undefined));
    const pane = await show(RegistersPane);
    void useWatch().ask({ kind: 'register', register: 16 }, 'registers');
    const { reason, ...standing } = fake.state();
    expect(reason).toBeDefined();
    fake.push('session.changed', { ...standing, status: 'running' });
    await flushPromises();
    expect(pane.text()).toContain('Searching the past for who wrote a6 last…');
    await pane
      .findAll('button')
      .find((button) => button.text() === 'Stop searching')!
      .trigger('click');
    expect(fake.calls.map(({ method }) => method)).toContain('session.pause');
  });
});

describe('the frame pane', () => {
  const slot = (pane: VueWrapper, name: string) =>
    pane.findAll('tbody tr').find((tr) => tr.find('.slot').text() === name)!;

  it('watches a slot by its menu, and says who wrote it last', async () => {
    await startedSession();
    const pane = await show(FramePane);
    for (let i = 0; i < 7; i++) await useSession().step('over', 'native');
    await flushPromises();
    const ra = useSession().frame!.rows.find(({ name }) => name === 'saved ra')!;
    const choose = async (text: string) => {
      await slot(pane, 'saved ra').trigger('contextmenu');
      await flushPromises();
      await menuItem(text).trigger('click');
      await flushPromises();
    };
    await choose('Break when written');
    expect(useBreakpoints().list.map(({ spec }) => spec)).toEqual([
      { kind: 'memory', address: ra.address, length: 8, when: 'written' },
    ]);
    await choose('Who wrote this last?');
    expect(pane.find('section[aria-label="Who wrote it last"]').text()).toContain(ra.address);
  });

  it('has one row in the order of Tab, which the arrow keys move; Enter shows its memory', async () => {
    await startedSession();
    const pane = await show(FramePane);
    const reached = () => pane.findAll('tbody tr').map((tr) => tr.attributes('tabindex'));
    expect(reached().filter((index) => index === '0')).toHaveLength(1);
    expect(reached()[0]).toBe('0');
    await pane.find('table').trigger('keydown', { key: 'ArrowDown' });
    await pane.find('table').trigger('keydown', { key: 'ArrowDown' });
    expect(reached()[2]).toBe('0');
    await pane.find('table').trigger('keydown', { key: 'Enter' });
    expect(useMemory().target).toBe(BigInt(useSession().frame!.rows[2]!.address));
  });
});

describe('the memory pane', () => {
  const opened = async () => {
    await startedSession();
    vi.spyOn(useLayout(), 'visible', 'get').mockReturnValue(['memory']);
    const pane = await show(MemoryPane);
    useMemory().goTo(0x1000n);
    await flushPromises();
    return pane;
  };
  const chosen = (pane: VueWrapper) => pane.findAll('td.chosen').length;

  it('chooses bytes by keys, with Shift more of them, and tells them', async () => {
    const pane = await opened();
    const dump = pane.find('[aria-label="Bytes"]');
    const press = (key: string, shiftKey = false) => dump.trigger('keydown', { key, shiftKey });
    await press('ArrowRight');
    await press('ArrowRight');
    await press('ArrowDown', true);
    expect(chosen(pane)).toBe(17);
    expect(pane.find('.choice').text()).toBe('17 bytes from 0x1001');
    await press('Escape');
    expect(chosen(pane)).toBe(0);
  });

  it('chooses bytes by mouse; its menu sets a watchpoint on all of them', async () => {
    const pane = await opened();
    const cells = pane.findAll('tbody td:not(.ascii)');
    await cells[4]!.trigger('mousedown', { button: 0 });
    await cells[7]!.trigger('mouseenter', { buttons: 1 });
    expect(chosen(pane)).toBe(4);
    await cells[5]!.trigger('mousedown', { button: 2 });
    expect(chosen(pane)).toBe(4);
    await cells[5]!.trigger('contextmenu');
    await flushPromises();
    await menuItem('Break when read').trigger('click');
    await flushPromises();
    expect(useBreakpoints().list.map(({ spec }) => spec)).toEqual([
      { kind: 'memory', address: '0x1004', length: 4, when: 'read' },
    ]);
    await useWatch().ask(useWatch().memoryTarget!, 'memory');
    expect(pane.find('section[aria-label="Who wrote it last"]').text()).toContain('4 bytes at 0x1004');
  });
});

it('the breakpoints pane lists watchpoints by kind and opens the dialog', async () => {
  await startedSession();
  const breakpoints = useBreakpoints();
  await breakpoints.add({ kind: 'register', register: 16, when: 'changed' });
  await breakpoints.add({ kind: 'memory', address: '0x10', length: 8, when: 'read' });
  const pane = await show(BreakpointsPane);
  expect(pane.findAll('li .kind').map((kind) => kind.text())).toEqual([
    'Register watchpoint',
    'Memory watchpoint',
  ]);
  expect(pane.findAll('li button.link').map((link) => link.text())).toEqual(['8 bytes at 0x10 read']);
  await pane.find('li button.link').trigger('click');
  expect(useMemory().target).toBe(0x10n);
  await pane.find('button.watch').trigger('click');
  expect(useWatch().draft).not.toBeNull();
});

it('the dialog makes a watchpoint of what is typed, and says what is wrong', async () => {
  await startedSession();
  await flushPromises();
  const Both = defineComponent({ render: () => h(WatchDialog) });
  const { commands } = await show(Both);
  expect(commands.run('add-watchpoint')).toBe(true);
  await flushPromises();
  const dialog = body().find('[role="dialog"]');
  const [watch] = dialog.findAll('select');
  await watch!.setValue('memory');
  const [address, length] = dialog.findAll('input');
  await address!.setValue('here');
  await dialog.find('form').trigger('submit');
  expect(dialog.find('[role="alert"]').text()).toMatch(/^Write an address/);
  await address!.setValue('0x20');
  expect(dialog.find('.now').text()).toBe('now 0x20');
  await length!.setValue('4');
  await dialog.findAll('select')[1]!.setValue('written');
  await dialog.find('form').trigger('submit');
  await flushPromises();
  expect(body().find('[role="dialog"]').exists()).toBe(false);
  expect(useBreakpoints().list.map(({ spec }) => spec)).toEqual([
    { kind: 'memory', address: '0x20', length: 4, when: 'written' },
  ]);
});

it('a stop at a watchpoint leads to the instruction that hit it', async () => {
  const fake = await startedSession();
  const { address, offset } = sampleListing.native[3]!;
  const by = { pc: address, symbol: `dispatch+${offset}`, function: sampleListing.function.key };
  const bar = await show(StopBar);
  const text = 'Watchpoint 1: a6 was written.';
  fake.push('session.changed', {
    ...fake.state(),
    stop: 9,
    reason: { kind: 'watch', text, breakpoints: [1], by },
  });
  await flushPromises();
  expect(bar.find('[role="status"]').text()).toBe(text);
  await bar
    .findAll('button')
    .find((button) => button.text() === 'Show the instruction')!
    .trigger('click');
  await flushPromises();
  expect(useListing().cursor).toEqual({ column: 'native', row: 3 });
});

it('a long search of the past is not told as a run of the program', async () => {
  const fake = await startedSession();
  fake.handle('session.lastWrite', () => new Promise(() => undefined));
  const bar = await show(StopBar);
  void useWatch().ask({ kind: 'register', register: 16 }, 'registers');
  fake.push('session.changed', { ...fake.state(), status: 'running' });
  await flushPromises();
  expect(bar.find('[role="status"]').text()).toBe('Searching the past. F6 ends the search.');
});
