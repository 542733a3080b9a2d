// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompareView as View } from '../../shared/views';
import { useCompare } from '../stores/compare';
import type { FakeTransport } from '../testing/fake-transport';
import { mountOver } from '../testing/mount';
import { sampleComparison } from '../testing/sample-compare';
import { startedSession } from '../testing/stores';
import CompareView from './CompareView.vue';

let fake: FakeTransport;
let pane: ReturnType<typeof mountOver>;

beforeEach(async () => {
  // There is no layout here: the table is as high as this says.
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(2000);
  fake = await startedSession();
});
afterEach(() => {
  pane.unmount();
  vi.restoreAllMocks();
});

async function show(): Promise<VueWrapper> {
  pane = mountOver(CompareView);
  await flushPromises();
  return pane;
}
const button = (wrapper: VueWrapper, label: string) =>
  wrapper.findAll('button').find((b) => b.attributes('aria-label') === label || b.text() === label)!;
const lines = (wrapper: VueWrapper) => wrapper.findAll('.all .line');

describe('the code of two profiles', () => {
  it('stands side by side, differences marked by colour and sign', async () => {
    const wrapper = await show();
    const call = lines(wrapper).findIndex(
      (line) => line.find('.slot').exists() && line.find('.slot').text() === '1',
    );
    const cells = lines(wrapper)
      .slice(call, call + 4)
      .map((line) => line.findAll('[role="gridcell"]').map((cell) => cell.text()));
    expect(cells).toEqual([
      ['1call bpf_ktime_get_ns#5', 'mv s6, a6', '<', '', '14', '10', '-4'],
      ['', 'auipc ra, 0xfff82', '~', 'auipc ra, 0xfff82', '', '', ''],
      ['', 'jalr ra, 1456(ra) # bpf_ktime_get_ns', '~', 'jalr ra, 1456(ra) # bpf_ktime_get_ns', '', '', ''],
      ['', 'mv a6, s6', '<', '', '', '', ''],
    ]);
    expect(lines(wrapper)[call]!.classes()).toContain('left');
    expect(lines(wrapper)[call]!.attributes('aria-label')).toBe(
      '1: call bpf_ktime_get_ns#5, mv s6, a6 against nothing, only left',
    );
  });

  it('has totals, a legend, and a word about placement', async () => {
    const wrapper = await show();
    expect(wrapper.find('.totals').text()).toMatch(/^bytes\s*\d+ → \s*to\s*\d+\s*-8/);
    expect(wrapper.find('.count').text()).toBe('5 of 16 rows differ');
    expect(wrapper.find('.legend').text()).toContain('differs by placement alone (counts as the same)');
    expect(wrapper.find('.legend .placement').attributes('title')).toMatch(/lead to the same place/);
  });

  it('says why an instruction is there, on both sides where the rules differ', async () => {
    const wrapper = await show();
    await lines(wrapper)[0]!.trigger('click');
    expect(wrapper.find('.why').text()).toContain('room for the jump of an attached trampoline');
    useCompare().point(lines(wrapper).findIndex((line) => line.classes('left')));
    await flushPromises();
    expect(wrapper.find('.why').text()).toMatch(/^only left\s*mv s6, a6\s*tcc\/save-around-call/);
  });

  it('is walked by keys: lines, ends, differences', async () => {
    const wrapper = await show();
    const grid = wrapper.find('[role="grid"]');
    await grid.trigger('keydown', { key: 'ArrowDown' });
    await grid.trigger('keydown', { key: 'ArrowDown' });
    expect(grid.attributes('aria-activedescendant')).toBe('compare-line-1');
    await grid.trigger('keydown', { key: 'End' });
    expect(wrapper.find('.cursor').text()).toContain('ret');
    await grid.trigger('keydown', { key: 'Home' });
    expect(pane.commands.run('next-difference')).toBe(true);
    await flushPromises();
    expect(wrapper.find('.count').text()).toBe('Difference 2 of 5');
    expect(pane.commands.run('previous-difference')).toBe(true);
    await button(wrapper, 'Previous difference').trigger('click');
    expect(wrapper.find('.count').text()).toBe('Difference 5 of 5');
  });

  it('leaves out what is the same', async () => {
    const wrapper = await show();
    const all = lines(wrapper).length;
    await wrapper.find('.only input').setValue(true);
    expect(lines(wrapper).length).toBeLessThan(all);
    expect(wrapper.findAll('.line.gap').map((gap) => gap.text())).toEqual([
      '1 row is the same',
      '5 rows are the same',
      '3 rows are the same',
      '2 rows are the same',
    ]);
  });

  it('is copied as text', async () => {
    const write = vi.fn(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText: write }, userAgent: '' });
    const wrapper = await show();
    await button(wrapper, 'Copy as text').trigger('click');
    expect(write).toHaveBeenCalledWith(useCompare().asText());
    vi.unstubAllGlobals();
  });
});

describe('choosing profiles', () => {
  it('offers pairs that exist, and compares what is chosen', async () => {
    const wrapper = await show();
    await wrapper.find('[aria-label="Right kernel"]').setValue('7.3');
    await flushPromises();
    const scheme = wrapper.find('[aria-label="Right TCC scheme"]');
    expect(scheme.findAll('option').map((option) => option.text())).toEqual(['stack-v6', 'transparent']);
    expect(fake.calls.at(-1)).toMatchObject({ params: { right: { kernel: '7.3', tcc: 'transparent' } } });
    await button(wrapper, 'Swap the sides').trigger('click');
    await flushPromises();
    expect(fake.calls.at(-1)).toMatchObject({
      params: { left: { kernel: '7.3' }, right: { kernel: '6.12', tcc: 'transparent' } },
    });
  });

  it('shows why a profile refuses the program, with others to take instead', async () => {
    const refused = (view: View): View => ({
      ...view,
      right: { profile: view.right.profile, problem: 'tail_calls are not allowed with bpf-to-bpf calls.' },
      rows: [],
    });
    fake.handle('session.compare', (params) =>
      params.right.tcc === 'mainline' ? refused(sampleComparison(params)) : sampleComparison(params),
    );
    const wrapper = await show();
    const alert = wrapper.find('[role="alert"]');
    expect(alert.text()).toContain('6.12 mainline rv64imac (right): tail_calls are not allowed');
    expect(alert.findAll('button').map((b) => b.text())).toEqual(['stack-v1', 'stack-v3', 'stack-v6']);
    expect(pane.commands.run('next-difference')).toBe(false);
    await button(wrapper, 'stack-v6').trigger('click');
    await flushPromises();
    expect(wrapper.find('[role="alert"]').exists()).toBe(false);
    expect(lines(wrapper).length).toBeGreaterThan(30);
  });

  it('shows what went wrong with a way to try again', async () => {
    fake.fail('session.compare', 'The debugger behind this window has ended.');
    const wrapper = await show();
    expect(wrapper.find('[role="alert"]').text()).toContain('has ended');
    fake.handle('session.compare', sampleComparison);
    await button(wrapper, 'Try again').trigger('click');
    await flushPromises();
    expect(lines(wrapper).length).toBeGreaterThan(30);
  });
});

describe('two runs', () => {
  async function showRuns(): Promise<VueWrapper> {
    const wrapper = await show();
    await button(wrapper, 'Run').trigger('click');
    await wrapper.find('.runs form').trigger('submit');
    await flushPromises();
    return wrapper;
  }
  const row = (wrapper: VueWrapper, what: string) =>
    wrapper
      .findAll('.runs tbody tr')
      .find((tr) => tr.find('th').text() === what)!
      .findAll('td')
      .map((td) => td.text());

  it('are a table of results and costs', async () => {
    const wrapper = await showRuns();
    expect(wrapper.find('.verdict').text()).toBe('= Return value, data, context and maps agree.');
    expect(row(wrapper, 'return value')).toEqual(['2', '', '2', '']);
    expect(row(wrapper, 'stores')).toEqual(['80', '', '95', '+15']);
    expect(wrapper.findAll('.runs tbody th').map((th) => th.text())).toEqual([
      ...['ended with', 'return value', 'data out', 'context out', 'instructions', 'loads', 'stores'],
      ...['cycles', 'stack bytes', 'tail calls', 'helper calls'],
    ]);
  });

  it('say when one was given up at the limit', async () => {
    useCompare().setRight({ kernel: '6.12', tcc: 'stack-v1', isa: 'rv64imac' });
    const wrapper = await showRuns();
    expect(wrapper.find('.verdict').classes()).toContain('bad');
    expect(wrapper.find('.verdict').text()).toMatch(
      /The right run did not end within 1.000.000 instructions\./,
    );
    expect(row(wrapper, 'ended with')).toEqual(['exit', '', 'limit', '']);
    expect(row(wrapper, 'return value')).toEqual(['2', '≠', '-', '']);
  });
});
