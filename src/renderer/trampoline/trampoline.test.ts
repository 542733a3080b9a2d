// @vitest-environment happy-dom
import { DOMWrapper, flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asKind, PLAIN_SPEC, suggestionFor, switchesOf } from '../model/trampoline';
import { useApp } from '../stores/app';
import { useSession } from '../stores/session';
import { useTrampoline } from '../stores/trampoline';
import type { FakeTransport } from '../testing/fake-transport';
import { mountOver } from '../testing/mount';
import { sampleSuggestions } from '../testing/sample-trampoline';
import { startedSession } from '../testing/stores';
import TrampolineDialog from './TrampolineDialog.vue';

describe('programs of a trampoline', () => {
  it('have the switches of their kind, and lose the others with it', () => {
    expect(switchesOf('fsession').map(({ key }) => key)).toEqual([
      ...['sleepable', 'ip', 'sessionCookie', 'interpreted'],
    ]);
    expect(switchesOf('struct_ops').map(({ key }) => key)).toEqual(['sleepable', 'interpreted']);
    const program = {
      kind: 'fsession',
      name: 'p',
      sleepable: true,
      ip: true,
      sessionCookie: true,
      cookie: '0x1',
    } as const;
    expect(asKind(program, 'lsm')).toEqual({ kind: 'lsm', name: 'p', sleepable: true, cookie: '0x1' });
    expect(asKind(program, 'struct_ops')).toEqual({ kind: 'struct_ops', name: 'p', sleepable: true });
  });

  it('find their trampoline, or that of the function that they are', () => {
    const [admit, schedule] = sampleSuggestions;
    expect(suggestionFor(sampleSuggestions, 'on_schedule')).toBe(schedule);
    expect(suggestionFor(sampleSuggestions, 'schedule')).toBe(schedule);
    expect(suggestionFor(sampleSuggestions, 'other')).toBe(admit);
    expect(suggestionFor([], 'other')).toBeUndefined();
  });
});

describe('the dialog of trampolines', () => {
  let fake: FakeTransport;
  let mounted: VueWrapper | undefined;
  const dialog = () => new DOMWrapper(document.body).find('[role="dialog"]');
  const made = () =>
    fake.calls.flatMap(({ method, params }) =>
      method === 'session.trampoline' ? [params as { spec: typeof PLAIN_SPEC; profile: object }] : [],
    );
  const lines = () => dialog().findAll('.all .line');
  const slots = () => dialog().findAll('tbody tr');
  const field = (label: string) => {
    const id = dialog()
      .findAll('label')
      .find((entry) => entry.text() === label)!
      .attributes('for')!;
    return dialog().find(`[id="${id}"]`);
  };
  const named = (label: string) => dialog().find(`[aria-label="${label}"]`);

  async function show(): Promise<void> {
    const wrapper = mountOver(TrampolineDialog);
    mounted = wrapper;
    await flushPromises();
    expect(wrapper.commands.run('trampoline')).toBe(true);
    await flushPromises();
  }

  beforeEach(async () => {
    // There is no layout here: the listing is as high as this says.
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(2000);
    fake = await startedSession();
  });
  afterEach(() => {
    mounted?.unmount();
    vi.restoreAllMocks();
  });

  it('shows what the session’s object wants: code with rules and slots, the frame', async () => {
    await show();
    expect(fake.calls.find(({ method }) => method === 'session.trampolines')!.params).toEqual({
      profile: { kernel: '6.12', tcc: 'transparent', isa: 'rv64imac' },
    });
    expect(made()[0]!.spec).toEqual(sampleSuggestions[0]!.spec);
    expect(dialog().text()).toContain('Trampoline on admit');
    expect(dialog().text()).toContain('int admit(struct xdp_md *ctx, u32 queue)');
    expect(lines().map((line) => line.findAll('[role="gridcell"]').map((cell) => cell.text()))).toEqual([
      ['0', 'addi sp, sp, -32', '', 'frame'],
      ['2', 'sd t0, 24(sp)', '→ return into the traced function', 'frame'],
      ['4', 'sd a6, -16(s0)', '→ tcc', 'tcc/store'],
      ['8', 'jalr 1628(t1)', '__bpf_prog_enter_recur', 'prog-enter'],
      ['c', 'jr t0', '', 'return'],
    ]);
    expect(lines()[2]!.attributes('aria-label')).toBe('sd a6, -16(s0), tcc/store, stores tcc');
    expect(slots().map((row) => row.findAll('td').map((cell) => cell.text()))).toEqual([
      ['-8', '+24', 'return into the traced function', '8', 't0'],
      ['-16', '+16', 'tcc', '8', 'a6'],
      ['-24', '+8', 'padding', '8', ''],
    ]);
    expect(dialog().find('.size').text()).toBe('14 bytes in a buffer of 18, frame of 32 bytes');
  });

  it('instructions and slots light up together, by mouse and by keys', async () => {
    await show();
    const grid = dialog().find('[role="grid"]');
    await grid.trigger('keydown', { key: 'End' });
    await grid.trigger('keydown', { key: 'ArrowUp' });
    await grid.trigger('keydown', { key: 'ArrowUp' });
    expect(grid.attributes('aria-activedescendant')).toBe('trampoline-line-2');
    expect(dialog().text()).toContain('Stores the counter.');
    expect(slots().map((row) => row.classes('chosen'))).toEqual([false, true, false]);
    await slots()[0]!.trigger('click');
    expect(lines().map((line) => line.classes('linked'))).toEqual([false, true, false, false, false]);
    expect(dialog().find('.frame .detail').text()).toBe(
      'return into the traced function: Why return into the traced function is there. 1 instruction here.',
    );
    await dialog().find('table').trigger('keydown', { key: 'End' });
    expect(dialog().find('.frame .detail').text()).toContain('No instruction of the trampoline uses it.');
  });

  it('is made anew from what is written', async () => {
    await show();
    await field('Arguments').setValue('u32, struct:16');
    await named('Cookie of on_entry').setValue('0xAB');
    await named('Kind of on_exit').setValue('fmod_ret');
    await named('Detach on_entry').trigger('click');
    await dialog()
      .findAll('button')
      .find((button) => button.text() === 'Attach one more')!
      .trigger('click');
    await named('Profile TCC scheme').setValue('mainline');
    await flushPromises();
    expect(made().at(-1)).toEqual({
      profile: { kernel: '6.12', tcc: 'mainline', isa: 'rv64imac' },
      spec: {
        ...sampleSuggestions[0]!.spec,
        args: 'u32, struct:16',
        programs: [{ kind: 'fmod_ret', name: 'on_exit', ip: true }, { kind: 'fmod_ret' }],
      },
    });
    expect(made().some(({ spec }) => spec.programs[0]!.cookie === '0xab')).toBe(true);
    // The prototype told of other arguments.
    expect(dialog().text()).not.toContain('struct xdp_md');
  });

  it('says what is wrong, and goes on when it is right again', async () => {
    await show();
    await field('Arguments').setValue('u7');
    await flushPromises();
    expect(dialog().find('[role="alert"]').text()).toBe("'u7' is no type; write u8 to u128.");
    expect(lines()).toEqual([]);
    await field('Arguments').setValue('u8');
    await flushPromises();
    expect(dialog().find('[role="alert"]').exists()).toBe(false);
    expect(lines()).toHaveLength(5);
  });

  it('says where arguments are a guess, until they are written', async () => {
    await show();
    const choice = dialog().find('.of select');
    await choice.setValue('1');
    await flushPromises();
    expect(made().at(-1)!.spec.function).toBe('schedule');
    expect(dialog().find('.advice').text()).toMatch(/does not describe schedule: .* Fill them in\.$/);
    await field('Arguments').setValue('void');
    expect(dialog().find('.advice').exists()).toBe(false);
    await choice.setValue('-1');
    await flushPromises();
    expect(made().at(-1)!.spec).toEqual(PLAIN_SPEC);
  });

  it('an answer that comes late is dropped', async () => {
    await show();
    const store = useTrampoline();
    let release: (() => void) | undefined;
    fake.handle('session.trampoline', async (params) => {
      if (params.spec.function === 'slow') await new Promise<void>((resolve) => (release = resolve));
      return { ...store.view!, spec: params.spec };
    });
    store.change({ function: 'slow' });
    store.change({ function: 'quick' });
    await flushPromises();
    release!();
    await flushPromises();
    expect([store.view!.spec.function, store.loading]).toEqual(['quick', false]);
  });

  it('on the start page it is about the open object, and without one about a plain function', async () => {
    await useSession().end();
    const app = useApp();
    app.page = 'start';
    await show();
    expect(fake.calls.find(({ method }) => method === 'session.trampolines')!.params).toMatchObject({
      object: app.object!.id,
    });
    useTrampoline().open = false;
    app.closeObject();
    await useTrampoline().show();
    await flushPromises();
    expect(made().at(-1)!.spec).toEqual(PLAIN_SPEC);
    expect(dialog().find('.of').exists()).toBe(false);
  });
});
