// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';
import { createFakeTransport } from '../testing/fake-transport';
import { storesOver } from '../testing/stores';
import { sampleInfo } from '../testing/sample-views';
import { useApp } from './app';
import { useSession } from './session';
import { useSettings } from './settings';
import { useSetup } from './setup';

describe('the beginning', () => {
  it('opens what the command line names and stands at its entry', async () => {
    const fake = storesOver();
    fake.handle('app.info', () => ({ ...sampleInfo, initial: { path: '/objects/tailcall_dispatch.o' } }));
    const app = useApp();
    await app.begin();
    expect(app.page).toBe('debug');
    expect(useSession().view?.program).toBe('dispatch');
    expect(useSettings().recent).toEqual([
      { name: 'tailcall_dispatch.o', path: '/objects/tailcall_dispatch.o' },
    ]);
  });

  it('shows the sentence on the start page when that file cannot be opened', async () => {
    const fake = storesOver();
    fake.handle('app.info', () => ({ ...sampleInfo, initial: { path: '/notes.txt' } }));
    fake.fail('app.openPath', 'notes.txt is not an ELF file.', 'elf/magic');
    const app = useApp();
    await app.begin();
    expect(app.page).toBe('start');
    expect(app.openError).toEqual({ name: 'notes.txt', text: 'notes.txt is not an ELF file.' });
  });

  it('goes on with a session that is there already, as after a reload', async () => {
    const fake = createFakeTransport();
    fake.handle('session.state', () => fake.state());
    storesOver(fake);
    const app = useApp();
    await app.begin();
    expect(app.page).toBe('debug');
    expect(useSession().status).toBe('stopped');
  });

  it('works without examples and without settings', async () => {
    const fake = storesOver();
    fake.fail('app.examples', 'No index.');
    fake.fail('app.settings', 'Unreadable.');
    const app = useApp();
    await app.begin();
    expect(app.ready).toBe(true);
    expect(app.examples).toEqual([]);
  });
});

describe('opening', () => {
  it('chooses the first program that can run', async () => {
    const fake = storesOver();
    const app = useApp();
    await app.begin();
    fake.handle('app.openPath', () => ({
      id: 'x',
      name: 'x.o',
      license: '',
      maps: [],
      programs: [
        {
          name: 'no',
          section: 'lsm',
          type: 'lsm',
          instructions: 1,
          subprograms: [],
          inputs: {},
          unsupported: 'Not yet.',
        },
        { name: 'yes', section: 'xdp', type: 'xdp', instructions: 1, subprograms: [], inputs: {} },
      ],
    }));
    await app.openPath('/x.o');
    expect(app.programName).toBe('yes');
  });

  it('takes a dropped file’s bytes', async () => {
    const fake = storesOver();
    const app = useApp();
    await app.begin();
    expect(await app.openFile(new File([new Uint8Array([0x7f, 0x45])], 'drop.o'))).toBe(true);
    const call = fake.calls.find(({ method }) => method === 'app.openBytes');
    expect(call?.params).toEqual({ name: 'drop.o', bytes: new Uint8Array([0x7f, 0x45]) });
  });

  it('does nothing when the dialog is cancelled', async () => {
    const fake = storesOver();
    fake.handle('app.openDialog', () => null);
    const app = useApp();
    await app.begin();
    expect(await app.openDialog()).toBe(false);
    expect(app.object).toBeNull();
    expect(app.openError).toBeNull();
  });

  it('opens one thing at a time', async () => {
    const fake = storesOver();
    const app = useApp();
    await app.begin();
    await Promise.all([app.openPath('/a.o'), app.openPath('/b.o')]);
    expect(fake.calls.filter(({ method }) => method === 'app.openPath')).toHaveLength(1);
  });

  it('opens what a menu or the desktop asks for', async () => {
    const fake = storesOver();
    const app = useApp();
    await app.begin();
    fake.push('app.open', { path: '/objects/other.o' });
    await flushPromises();
    expect(fake.calls).toContainEqual({ method: 'app.openPath', params: { path: '/objects/other.o' } });
  });
});

describe('setting up', () => {
  it('starts with the bytes and the profile as they were entered', async () => {
    const fake = storesOver();
    const app = useApp();
    const setup = useSetup();
    await app.begin();
    await app.openExample('tailcall_dispatch');
    setup.dataText = '0x01 02\n03';
    setup.setProfile({ kernel: '7.2', tcc: 'mainline', isa: 'rv64ima_zba' });
    useSettings().change({ timing: 'u74' });
    expect(await setup.start()).toBe(true);
    expect(fake.calls).toContainEqual({
      method: 'session.start',
      params: {
        object: 'object-1',
        program: 'dispatch',
        profile: { kernel: '7.2', tcc: 'mainline', isa: 'rv64ima_zba' },
        inputs: { data: '010203' },
        timing: 'u74',
      },
    });
  });

  it('says why it cannot start', async () => {
    storesOver();
    const app = useApp();
    const setup = useSetup();
    await app.begin();
    expect(setup.problem).toBe('Choose a program.');
    await app.openExample('tailcall_dispatch');
    expect(setup.problem).toBeUndefined();
    setup.dataText = '0';
    expect(setup.problem).toMatch(/^Packet: “0”/);
    expect(await setup.start()).toBe(false);
    app.programName = 'watch';
    expect(setup.problem).toContain('lsm');
  });

  it('starts an example with its own inputs', async () => {
    const fake = storesOver();
    fake.handle('app.examples', () => [
      { id: 'e', title: 'E', description: '', hint: '', program: 'dispatch', inputs: { data: '86dd' } },
    ]);
    const app = useApp();
    const setup = useSetup();
    await app.begin();
    await app.openExample('e');
    expect(setup.dataText).toBe('86 dd');
    await app.start();
    const call = fake.calls.find(({ method }) => method === 'session.start');
    expect(call?.params).toMatchObject({ inputs: { data: '86dd' } });
  });

  it('suggests the inputs of the program that is chosen', async () => {
    storesOver();
    const app = useApp();
    const setup = useSetup();
    await app.begin();
    await app.openExample('tailcall_dispatch');
    app.programName = 'pass';
    await flushPromises();
    expect(setup.data).toEqual({ ok: true, hex: '00'.repeat(14), length: 14 });
  });
});
