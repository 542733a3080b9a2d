// @vitest-environment happy-dom
import { DOMWrapper, flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PassesView } from '../../shared/views';
import { passHeads, passLines, passSummary, totalLine } from '../model/passes';
import { useListing } from '../stores/listing';
import { usePasses } from '../stores/passes';
import { useSession } from '../stores/session';
import type { FakeTransport } from '../testing/fake-transport';
import { mountOver } from '../testing/mount';
import { startedSession } from '../testing/stores';
import PassesDialog from './PassesDialog.vue';

const LOG: PassesView = {
  session: 's',
  function: { key: 'p/f', program: 'p', name: 'f', kind: 'main', address: '0x0', size: 16 },
  passes: [
    { kind: 'dry-run', prologue: 0, epilogue: 0, total: 10 },
    { kind: 'round', round: 1, prologue: 8, epilogue: 2, total: 16 },
    { kind: 'round', round: 2, prologue: 8, epilogue: 2, total: 16 },
    { kind: 'final', prologue: 8, epilogue: 2, total: 16 },
  ],
  allocatedAfter: 2,
  rows: [
    { slot: 0, text: 'r0 = 0', sizes: [2, 2, 2, 2] },
    { slot: 1, text: 'goto pc+0', sizes: [8, 4, 4, 4] },
  ],
  leftOut: 0,
};

describe('the table of passes', () => {
  it('has a column for each pass, and marks what differs from the pass before', () => {
    expect(passHeads(LOG).map(({ name }) => name)).toEqual(['dry', '1', '2', 'final']);
    const lines = passLines(LOG);
    expect(lines.map(({ name, moves }) => [name, moves])).toEqual([
      ['[prologue]', false],
      ['r0 = 0', false],
      ['goto pc+0', true],
      ['[epilogue]', false],
    ]);
    expect(lines[2]!.cells.map(({ change }) => change)).toEqual([0, -4, 0, 0]);
    expect(lines[0]!.cells.map(({ absent }) => absent)).toEqual([true, false, false, false]);
    expect(totalLine(LOG).cells.map(({ size }) => size)).toEqual([10, 16, 16, 16]);
  });

  it('says how the size came to stand, and what was left out', () => {
    expect(passSummary(LOG)).toBe(
      '2 passes until the size stood. The image of 16 bytes was allocated after pass 2, the first that came out as long as the one before.',
    );
    expect(passSummary({ ...LOG, leftOut: 40_000 })).toContain('2 instructions whose size changed');
  });
});

describe('the dialog of passes', () => {
  let fake: FakeTransport;
  let mounted: VueWrapper | undefined;
  const dialog = () => new DOMWrapper(document.body).find('[role="dialog"]');
  const asked = () => fake.calls.filter(({ method }) => method === 'session.passes');

  beforeEach(async () => {
    fake = await startedSession();
    const wrapper = mountOver(PassesDialog);
    mounted = wrapper;
    await flushPromises();
    expect(wrapper.commands.run('passes')).toBe(true);
    await flushPromises();
  });
  afterEach(() => mounted?.unmount());

  it('shows the pass log of the function that the columns show', () => {
    expect(asked().map(({ params }) => params)).toEqual([{ function: useListing().shownKey }]);
    expect(dialog().text()).toContain('passes of dispatch');
    expect(dialog().find('[role="table"]').attributes('aria-rowcount')).toBe(
      String(usePasses().view!.rows.length + 4),
    );
    expect(
      dialog()
        .findAll('[role="columnheader"]')
        .map((head) => head.text()),
    ).toEqual(['BPF instruction', 'dry', '1', '2 ▼', '3', 'final']);
  });

  it('asks once for each function', async () => {
    usePasses().open = false;
    await usePasses().show();
    expect(asked()).toHaveLength(1);
    usePasses().open = false;
    await useListing().choose('pass/pass');
    await usePasses().show();
    expect(asked()).toHaveLength(2);
    expect(usePasses().view?.function.key).toBe('pass/pass');
  });

  it('says why there is none, and closes when the session ends', async () => {
    fake.fail('session.passes', 'The session has no function of that name.');
    usePasses().open = false;
    await useListing().choose('pass/pass');
    await usePasses().show();
    await flushPromises();
    expect(dialog().find('[role="alert"]').text()).toBe('The session has no function of that name.');
    await useSession().end();
    await flushPromises();
    expect(dialog().exists()).toBe(false);
  });
});
