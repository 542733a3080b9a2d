// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { mountOver } from '../testing/mount';
import { startedSession } from '../testing/stores';
import { useBreakpoints } from '../stores/breakpoints';
import { useListing } from '../stores/listing';
import { useSession } from '../stores/session';
import { useView } from '../stores/view';
import BreakpointsPane from './BreakpointsPane.vue';
import FramePane from './FramePane.vue';
import MapsPane from './MapsPane.vue';
import MemoryPane from './MemoryPane.vue';
import RegistersPane from './RegistersPane.vue';
import StackPane from './StackPane.vue';
import { useMemory } from '../stores/memory';

let mounted: VueWrapper | undefined;
afterEach(() => mounted?.unmount());

async function show(component: Parameters<typeof mountOver>[0]): Promise<VueWrapper> {
  const wrapper = mountOver(component);
  mounted = wrapper;
  await flushPromises();
  return wrapper;
}

const row = (wrapper: VueWrapper, abi: string) =>
  wrapper.findAll('tr.register').find((tr) => tr.find('.abi').text() === abi)!;

describe('registers', () => {
  it('show ABI name, BPF register, hex and decimal', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    expect(
      row(pane, 'a0')
        .findAll('td')
        .map((td) => td.text()),
    ).toEqual(['', 'a0', 'R1', '0xffffffc800005000', '-240518148096']);
  });

  it('mark what changed by colour and by a mark, with the value before', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    for (let i = 0; i < 2; i++) await useSession().step('over', 'bpf');
    await flushPromises();
    const s1 = row(pane, 's1');
    expect(s1.classes()).toContain('changed');
    expect(s1.find('.mark').text()).toBe('●');
    expect(s1.attributes('title')).toBe('Before: 0x0');
    expect(s1.attributes('aria-label')).toBe('s1 R6 0xffffffc800005000 changed');
    expect(row(pane, 'a1').find('.mark').text()).toBe('');
  });

  it('mark a6 and s6 as carriers of the tail call counter, with what they hold just now', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    expect(pane.findAll('.tag').map((tag) => tag.text())).toEqual(['TCC', 'TCC']);
    expect(pane.findAll('tr.note').map((tr) => tr.text())).toEqual([
      'Not set yet: the prologue sets it to 33.',
      'The caller’s value, saved in the frame.',
    ]);
  });

  it('order by number when that is chosen, and move by arrow keys', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    useView().registerOrder = 'number';
    await flushPromises();
    expect(
      pane
        .findAll('td.abi')
        .slice(0, 4)
        .map((td) => td.text()),
    ).toEqual(['pc', 'zero', 'ra', 'sp']);
    const [first] = pane.findAll('tr.register');
    (first!.element as HTMLElement).focus();
    await first!.trigger('keydown', { key: 'ArrowDown' });
    await flushPromises();
    expect(document.activeElement?.getAttribute('aria-label')).toContain('zero');
  });

  it('copy the register that has the focus', async () => {
    await startedSession();
    const pane = await show(RegistersPane);
    const written = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    (row(pane, 'a6').element as HTMLElement).focus();
    await row(pane, 'a6').trigger('keydown', { key: 'c', ctrlKey: true });
    expect(written).toHaveBeenCalledWith('a6       0x0                0');
  });
});

describe('call stack', () => {
  it('lists frames innermost first, with the note of a tail call', async () => {
    await startedSession();
    const pane = await show(StackPane);
    const options = pane.findAll('[role="option"]');
    expect(options.map((option) => option.find('.name').text())).toEqual([
      'dispatch',
      'entry',
      'bpf_test_run',
    ]);
    expect(options[0]?.attributes('aria-selected')).toBe('true');
    expect(options[1]?.text()).toContain('entered by a tail call from entry; that frame was replaced');
  });

  it('selects a frame by click and by keys; columns and frame layout follow', async () => {
    await startedSession();
    const pane = await show(StackPane);
    const session = useSession();
    await pane.findAll('[role="option"]')[1]!.trigger('click');
    await flushPromises();
    expect(session.selectedFrame).toBe(1);
    expect(session.frame?.name).toBe('entry');
    expect(useListing().current.source).toEqual([14]);
    await pane.find('[role="listbox"]').trigger('keydown', { key: 'ArrowUp' });
    await flushPromises();
    expect(session.selectedFrame).toBe(0);
  });
});

describe('frame layout', () => {
  it('shows slots from high to low addresses, stored or not yet', async () => {
    await startedSession();
    const pane = await show(FramePane);
    expect(pane.text()).toContain('prologue: 0 of 5 registers saved so far');
    for (let i = 0; i < 7; i++) await useSession().step('over', 'native');
    await flushPromises();
    const rows = pane.findAll('tbody tr').map((tr) => tr.findAll('td').map((td) => td.text()));
    expect(rows[0]).toEqual(['-8', '+56', 'saved ra', '8', '0xffffffff80001230']);
    expect(rows[2]).toEqual(['-24', '+40', 'saved s1 (R6)', '8', '●0xffffffff80001232']);
    expect(rows[3]?.at(-1)).toBe('—');
  });

  it('says why a slot is there when it is chosen', async () => {
    await startedSession();
    const pane = await show(FramePane);
    await pane.findAll('tbody tr')[4]!.trigger('click');
    expect(pane.find('.detail').text()).toBe('s6 keeps the TCC across helper calls');
  });

  it('says why a kernel function has none', async () => {
    const fake = await startedSession();
    fake.fail('session.frame', 'bpf_test_run is kernel code; only BPF functions have a frame layout.');
    const pane = await show(FramePane);
    useSession().selectFrame(2);
    await flushPromises();
    expect(pane.text()).toContain('bpf_test_run is kernel code');
  });
});

describe('breakpoints pane', () => {
  it('adds event breakpoints, with a helper’s name where one is given', async () => {
    const fake = await startedSession();
    const pane = await show(BreakpointsPane);
    expect(pane.text()).toContain('No breakpoints');
    await pane.find('select').setValue('helper-call');
    await pane.find('form input').setValue(' bpf_ktime_get_ns ');
    await pane.find('form').trigger('submit');
    await flushPromises();
    expect(fake.calls.at(-1)).toEqual({
      method: 'session.addBreakpoint',
      params: { spec: { kind: 'event', event: 'helper-call', helper: 'bpf_ktime_get_ns' } },
    });
    await pane.find('select').setValue('tail-call-refused');
    await pane.find('form').trigger('submit');
    await flushPromises();
    expect(pane.findAll('li .label').map((label) => label.text())).toEqual([
      'helper call bpf_ktime_get_ns',
      'tail call refused',
    ]);
  });

  it('enables, disables and removes', async () => {
    await startedSession();
    const breakpoints = useBreakpoints();
    await breakpoints.add({ kind: 'bpf', function: 'dispatch/dispatch', slot: 9 });
    const pane = await show(BreakpointsPane);
    await pane.find('li input').setValue(false);
    await flushPromises();
    expect(breakpoints.list[0]?.enabled).toBe(false);
    await pane.find('button[aria-label="Remove breakpoint 1"]').trigger('click');
    await flushPromises();
    expect(breakpoints.list).toEqual([]);
  });

  it('marks the one that was hit and counts', async () => {
    const fake = await startedSession();
    const breakpoints = useBreakpoints();
    await breakpoints.add({ kind: 'bpf', function: 'dispatch/dispatch', slot: 9 });
    const pane = await show(BreakpointsPane);
    fake.push('session.breakpoints', [{ ...breakpoints.list[0]!, hits: 1 }]);
    fake.push('session.changed', {
      ...fake.state(),
      stop: 9,
      reason: { kind: 'breakpoint', text: 'Breakpoint 1.', breakpoints: [1] },
    });
    await flushPromises();
    expect(pane.find('li').classes()).toContain('hit');
    expect(pane.find('.hits').text()).toBe('1 hit');
  });
});

it('shows maps with their entries, and the programs of a prog array', async () => {
  await startedSession();
  const pane = await show(MapsPane);
  useMemory().mapsShown = 1;
  await flushPromises();
  const tables = pane.findAll('table');
  expect(tables[0]?.findAll('tbody tr').map((tr) => tr.text())).toEqual([
    '000000000' + '0c000000pass',
    '010000001' + '0d000000drop',
  ]);
  expect(tables[1]?.findAll('tbody tr')[0]?.text()).toContain('42');
  expect(pane.text()).toContain('More entries are not shown.');
});

it.each([
  ['maps', MapsPane, 'No maps yet They show when the program stops.'],
  ['memory', MemoryPane, 'No memory yet It shows when the program stops.'],
])('%s that were first asked for during a run are not said to be none', async (_name, component, text) => {
  const fake = await startedSession();
  fake.push('session.changed', { ...fake.state(), status: 'running' });
  const pane = await show(component);
  expect(pane.text().replaceAll(/\s+/g, ' ')).toContain(text);
});

it.each([
  ['registers', RegistersPane, 'session.registers', 'table'],
  ['frames', StackPane, 'session.stack', 'ol'],
] as const)('%s of the stop before are busy until those of the new one are there', async (...row) => {
  const [, component, method, element] = row;
  const fake = await startedSession();
  const pane = await show(component);
  const busy = () => pane.find(element).attributes('aria-busy');
  expect(busy()).toBe('false');
  fake.handle(method, () => new Promise<never>(() => undefined));
  await useSession().step('over', 'bpf');
  await flushPromises();
  expect(busy()).toBe('true');
});
