// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { mountOver } from '../testing/mount';
import { storesOver } from '../testing/stores';
import type { FakeTransport } from '../testing/fake-transport';
import { useApp } from '../stores/app';
import { useSettings } from '../stores/settings';
import { useTrampoline } from '../stores/trampoline';
import { sampleObject } from '../testing/sample-views';
import StartPage from './StartPage.vue';

let page: VueWrapper;
let fake: FakeTransport;
afterEach(() => page.unmount());

async function show(prepare: (fake: FakeTransport) => void = () => undefined): Promise<void> {
  fake = storesOver();
  prepare(fake);
  await useApp().begin();
  page = mountOver(StartPage);
  await flushPromises();
}
const button = (name: string) =>
  page.findAll('button').find((b) => b.attributes('aria-label') === name || b.text().startsWith(name))!;

describe('start page', () => {
  it('offers the examples, and debugs one with a click', async () => {
    await show();
    expect(page.findAll('.card h3').map((h) => h.text())).toEqual([
      'Tail call dispatcher',
      'XDP parser with counters',
      'Tail call hierarchy',
    ]);
    expect(page.find('.card').text()).toContain('a6 before and after bpf_ktime_get_ns');
    await button('Debug Tail call dispatcher').trigger('click');
    await flushPromises();
    expect(useApp().page).toBe('debug');
  });

  it('says what is wrong with a file and what to do next', async () => {
    await show((f) =>
      f.fail('app.openPath', 'notes.txt is not an ELF file: it begins with 48656c6c.', 'elf/magic'),
    );
    await useApp().openPath('/home/notes.txt');
    await flushPromises();
    const banner = page.find('[role="alert"]');
    expect(banner.text()).toContain('notes.txt was not opened');
    expect(banner.text()).toContain('notes.txt is not an ELF file: it begins with 48656c6c.');
    expect(banner.text()).toContain('Choose another file');
    await button('Dismiss').trigger('click');
    expect(page.find('[role="alert"]').exists()).toBe(false);
  });

  it('lists recent files and forgets them on request', async () => {
    await show();
    await useApp().openPath('/objects/a.o');
    useApp().closeObject();
    await flushPromises();
    expect(page.find('.recent .path').text()).toBe('/objects/a.o');
    await button('Remove tailcall_dispatch.o from the list').trigger('click');
    expect(useSettings().recent).toEqual([]);
  });
});

describe('setting up a program', () => {
  async function setUp(): Promise<void> {
    await show();
    await button('Set up Tail call dispatcher').trigger('click');
    await flushPromises();
  }

  it('lists the programs, and says why one cannot run', async () => {
    await setUp();
    const programs = page.findAll('.program');
    expect(programs.map((p) => p.find('.name').text())).toEqual(['dispatch', 'pass', 'watch']);
    expect(programs[2]?.text()).toContain('Programs of type lsm cannot be run yet');
    await programs[2]!.find('input').setValue(true);
    expect(button('Start').attributes('disabled')).toBeDefined();
  });

  it('leads to the trampolines where a program is run by one', async () => {
    await setUp();
    expect(button('Trampolines…')).toBeUndefined();
    page.unmount();
    const programs = sampleObject.programs.map(({ unsupported: _, ...program }) =>
      program.name === 'watch' ? { ...program, trampoline: true as const } : program,
    );
    await show((f) => f.handle('app.openExample', () => ({ ...sampleObject, programs })));
    await button('Set up Tail call dispatcher').trigger('click');
    await flushPromises();
    await page.findAll('.program input')[2]!.setValue(true);
    expect(page.find('.actions').text()).toContain('“Trampolines…” shows the code that runs it');
    await button('Trampolines…').trigger('click');
    await flushPromises();
    expect(useTrampoline().open).toBe(true);
    expect(fake.calls.at(-2)).toEqual({
      method: 'session.trampolines',
      params: { object: sampleObject.id, profile: useSettings().profile },
    });
  });

  it('counts the packet’s bytes, and names a wrong digit', async () => {
    await setUp();
    const field = page.find('textarea');
    expect(page.find('.length').text()).toBe('60 bytes');
    await field.setValue('00 11 2x');
    expect(field.attributes('aria-invalid')).toBe('true');
    expect(page.find('.hex-field .problem').text()).toBe(
      '“x” (line 1, column 8) is not a hexadecimal digit.',
    );
    expect(button('Start').attributes('disabled')).toBeDefined();
    await field.setValue('001122');
    await field.trigger('blur');
    expect(field.element.value).toBe('00 11 22');
    await page.find('form').trigger('submit');
    await flushPromises();
    const start = fake.calls.find(({ method }) => method === 'session.start');
    expect(start?.params).toMatchObject({ program: 'dispatch', inputs: { data: '001122' } });
  });

  it('offers only schemes that the kernel has', async () => {
    await setUp();
    const [kernel, tcc] = page.findAll('.profile select');
    await kernel!.setValue('7.3');
    expect(tcc!.findAll('option').map((o) => o.text())).toEqual(['stack-v6', 'transparent']);
    await kernel!.setValue('6.6');
    expect(tcc!.findAll('option').map((o) => o.text())).toEqual(['mainline', 'stack-v1']);
    expect(useSettings().profile).toEqual({ kernel: '6.6', tcc: 'mainline', isa: 'rv64imac' });
    await page.findAll('.isa input')[0]!.setValue(false);
    await page.findAll('.isa input')[2]!.setValue(true);
    expect(page.find('.isa code').text()).toBe('rv64ima_zbb');
  });
});
