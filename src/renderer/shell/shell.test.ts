// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { mountOver } from '../testing/mount';
import { startedSession, storesOver } from '../testing/stores';
import { useKeys } from '../commands/use-keys';
import { createCommands } from '../commands/commands';
import { useApp } from '../stores/app';
import { useListing } from '../stores/listing';
import { useNotices } from '../stores/notices';
import { useSession } from '../stores/session';
import { useSettings } from '../stores/settings';
import { useView } from '../stores/view';
import CommandPalette from './CommandPalette.vue';
import GoToDialog from './GoToDialog.vue';
import NoticeList from './NoticeList.vue';
import StatusBar from './StatusBar.vue';
import StopBar from './StopBar.vue';
import ToolBar from './ToolBar.vue';

let mounted: ReturnType<typeof mountOver> | undefined;
afterEach(() => mounted?.unmount());

async function show(component: Parameters<typeof mountOver>[0]): Promise<VueWrapper> {
  mounted = mountOver(component);
  await flushPromises();
  return mounted;
}
const button = (wrapper: VueWrapper, name: string) => wrapper.find(`button[aria-label="${name}"]`);

describe('toolbar', () => {
  it('names every button and says its key', async () => {
    await startedSession();
    const bar = await show(ToolBar);
    for (const element of bar.findAll('button')) {
      expect(element.attributes('aria-label') ?? element.text()).not.toBe('');
    }
    expect(button(bar, 'Step over').attributes('aria-keyshortcuts')).toBe('F10');
    expect(button(bar, 'Restart').attributes('aria-keyshortcuts')).toBe('Control+Shift+F5');
    expect(button(bar, 'Restart').attributes('aria-pressed')).toBeUndefined();
  });

  it('steps on click and is disabled while the program runs', async () => {
    const fake = await startedSession();
    const bar = await show(ToolBar);
    await button(bar, 'Step into').trigger('click');
    await flushPromises();
    expect(fake.calls).toContainEqual({
      method: 'session.step',
      params: { step: 'into', granularity: 'bpf' },
    });
    fake.push('session.changed', { ...fake.state(), status: 'running' });
    await flushPromises();
    expect(button(bar, 'Step into').attributes('aria-disabled')).toBe('true');
    expect(button(bar, 'Pause').attributes('aria-disabled')).toBeUndefined();
    const before = fake.calls.length;
    await button(bar, 'Step into').trigger('click');
    expect(fake.calls).toHaveLength(before);
  });

  it('switches the granularity', async () => {
    await startedSession();
    const bar = await show(ToolBar);
    const item = (label: string) => bar.findAll('.switch button').find((b) => b.text() === label)!;
    await item('Native').trigger('click');
    expect(useSettings().granularity).toBe('native');
    await item('Cycle').trigger('click');
    expect(useSettings().granularity).toBe('cycle');
  });

  it('shows the function that is chosen', async () => {
    await startedSession();
    const bar = await show(ToolBar);
    await bar.find('select').setValue('pass/pass');
    await flushPromises();
    expect(useListing().shownKey).toBe('pass/pass');
    expect(button(bar, 'Follow the pc').attributes('aria-pressed')).toBe('false');
  });
});

describe('what state the session is in', () => {
  it('is said in a live region', async () => {
    const fake = await startedSession();
    const bar = await show(StopBar);
    const live = bar.find('[role="status"]');
    expect(live.text()).toBe('Stopped at the entry of dispatch.');
    fake.push('session.changed', { ...fake.state(), status: 'running' });
    await flushPromises();
    expect(live.text()).toBe('The program runs. F6 pauses it.');
  });

  it('is a result at the end, with the return value’s name and the bytes', async () => {
    await startedSession();
    const bar = await show(StopBar);
    await useSession().step('out');
    await flushPromises();
    expect(bar.find('.state').text()).toBe('Ended');
    const result = bar.find('[aria-label="Result"]');
    expect(result.text()).toContain('2 XDP_PASS');
    expect(result.text()).toContain('0102030405060708090a0b0c0800');
    expect(result.text()).toContain('14 bytes');
  });

  it('is a fault in red', async () => {
    const fake = await startedSession();
    const bar = await show(StopBar);
    fake.push('session.changed', {
      ...fake.state(),
      stop: 4,
      reason: { kind: 'fault', text: 'Load of 8 bytes at 0x0: nothing is mapped there.', breakpoints: [] },
    });
    await flushPromises();
    expect(bar.find('.stop-bar').classes()).toContain('bad');
  });

  it('counts, and shows the tail call counter with its place', async () => {
    await startedSession();
    const bar = await show(StatusBar);
    for (let i = 0; i < 5; i++) await useSession().step('over', 'native');
    await flushPromises();
    expect(bar.find('.tcc').text()).toBe('TCC 33 in a6');
    expect(bar.text()).toContain('instructions5');
    expect(bar.text()).not.toContain('cycles');
    expect(bar.text()).toContain('6.12 · transparent · rv64imac');
  });
});

describe('keys', () => {
  function press(
    key: string,
    modifiers: KeyboardEventInit = {},
    target: EventTarget = document.body,
  ): KeyboardEvent {
    const event = new KeyboardEvent('keydown', {
      key,
      bubbles: true,
      cancelable: true,
      composed: true,
      ...modifiers,
    });
    target.dispatchEvent(event);
    return event;
  }
  const Keys = {
    setup() {
      useKeys(createCommands());
      return () => null;
    },
  };

  it('step, restart and switch, and are kept from the browser', async () => {
    const fake = await startedSession();
    await show(Keys);
    fake.calls.length = 0;
    for (const [key, modifiers] of [
      ['F10', {}],
      ['F11', {}],
      ['F5', { ctrlKey: true, shiftKey: true }],
    ] as const) {
      expect(press(key, modifiers).defaultPrevented).toBe(true);
      await flushPromises();
    }
    const asked = fake.calls.map(({ method }) => method).filter((m) => /step|restart/.test(m));
    expect(asked).toEqual(['session.step', 'session.step', 'session.restart']);
  });

  it('are prevented even when their command is disabled: F5 must not reload', async () => {
    storesOver();
    await useApp().begin();
    await show(Keys);
    expect(press('F5').defaultPrevented).toBe(true);
    expect(press('F6').defaultPrevented).toBe(true);
  });

  it('leave letters to text fields but not function keys', async () => {
    const fake = await startedSession();
    await show(Keys);
    const input = document.body.appendChild(document.createElement('input'));
    fake.calls.length = 0;
    expect(press('a', {}, input).defaultPrevented).toBe(false);
    expect(press('F10', {}, input).defaultPrevented).toBe(true);
    await flushPromises();
    expect(fake.calls[0]?.method).toBe('session.step');
    input.remove();
  });

  it('toggle a breakpoint at the cursor', async () => {
    const fake = await startedSession();
    await show(Keys);
    useListing().select({ column: 'bpf', row: 9 });
    press('F9');
    await flushPromises();
    expect(fake.calls).toContainEqual({
      method: 'session.addBreakpoint',
      params: { spec: { kind: 'bpf', function: 'dispatch/dispatch', slot: 9 } },
    });
    press('F10', { ctrlKey: true });
    await flushPromises();
    expect(fake.calls).toContainEqual({
      method: 'session.runTo',
      params: { target: { kind: 'bpf', function: 'dispatch/dispatch', slot: 9 } },
    });
  });
});

describe('palette and go to', () => {
  it('finds a command by words and runs it', async () => {
    const fake = await startedSession();
    await show(CommandPalette);
    useView().palette = true;
    await flushPromises();
    const input = document.querySelector<HTMLInputElement>('input[role="combobox"]')!;
    input.value = 'over step';
    input.dispatchEvent(new Event('input'));
    await flushPromises();
    const options = [...document.querySelectorAll('[role="option"]')].map((option) => option.textContent);
    expect(options).toEqual(['Step: Step overF10', 'Step: Step over, back in timeAlt+F10']);
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await flushPromises();
    expect(fake.calls.some(({ method }) => method === 'session.step')).toBe(true);
    expect(useView().palette).toBe(false);
  });

  it('goes to an address in another function', async () => {
    await startedSession();
    await show(GoToDialog);
    useView().goTo = true;
    await flushPromises();
    const input = document.querySelector<HTMLInputElement>('input[role="combobox"]')!;
    input.value = '0xffffffff80100204';
    input.dispatchEvent(new Event('input'));
    await flushPromises();
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await flushPromises();
    expect(useListing().shownKey).toBe('pass/pass');
    expect(useListing().cursor).toEqual({ column: 'native', row: 1 });
  });
});

it('shows notices until they are dismissed', async () => {
  storesOver();
  useNotices().add('error', 'The cable is loose.', 'Step over');
  const list = await show(NoticeList);
  expect(list.find('[role="alert"]').text()).toContain('Step over: The cable is loose.');
  await button(list, 'Dismiss').trigger('click');
  expect(list.find('[role="alert"]').exists()).toBe(false);
});
