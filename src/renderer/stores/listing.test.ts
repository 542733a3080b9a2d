// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';
import { startedSession } from '../testing/stores';
import { sampleListing, SESSION, targetListing } from '../testing/sample-listing';
import { useListing } from './listing';
import { useSession } from './session';

const native = (text: string) => sampleListing.native.findIndex((row) => row.text === text);

describe('the three columns', () => {
  it('show the function that the session stands in, and follow the pc', async () => {
    await startedSession();
    const listing = useListing();
    await flushPromises();
    expect(listing.shownKey).toBe('dispatch/dispatch');
    expect(listing.current.native).toEqual([0]);
    await useSession().step('over');
    await flushPromises();
    expect(sampleListing.native[listing.current.native[0]!]?.slot).toBe(0);
    expect(listing.reveal.rows.native).toEqual(listing.current.native);
  });

  it('light up what belongs to the current instruction, or to the row that is pointed at', async () => {
    await startedSession();
    const listing = useListing();
    await flushPromises();
    await useSession().step('over');
    await flushPromises();
    expect(listing.linked.bpf).toEqual([0]);
    listing.hovered = { column: 'native', row: native('mv a6, s6') };
    expect(listing.linked.bpf).toEqual([1]);
    expect(listing.linked.source).toEqual([14]);
    listing.hovered = null;
    listing.select({ column: 'source', row: 18 });
    expect(listing.linked.bpf.map((row) => sampleListing.bpf[row]?.slot)).toEqual([9, 10, 11, 12, 13]);
    expect(listing.reveal).toMatchObject({ except: 'source', rows: listing.linked });
  });

  it('stay where the user went until follow is switched on again', async () => {
    await startedSession();
    const listing = useListing();
    await flushPromises();
    await listing.choose('pass/pass');
    expect(listing.follow).toBe(false);
    expect(listing.current.native).toEqual([]);
    await useSession().step('over');
    await flushPromises();
    expect(listing.shownKey).toBe('pass/pass');
    listing.setFollow(true);
    await flushPromises();
    expect(listing.shownKey).toBe('dispatch/dispatch');
  });

  it('follow the selected frame of the call stack', async () => {
    await startedSession();
    const session = useSession();
    const listing = useListing();
    await flushPromises();
    session.selectFrame(1);
    await flushPromises();
    expect(listing.current.source).toEqual([14]);
    // The frame waits for a call to return: the call is shown, not the instruction behind it.
    const behind = sampleListing.native.findIndex(
      ({ address }) => address === session.stack?.frames[1]?.location.pc,
    );
    expect(listing.current.native).toEqual([behind - 1]);
  });

  it('show the call that led into a helper while the helper is at work', async () => {
    const fake = await startedSession();
    const session = useSession();
    const listing = useListing();
    await flushPromises();
    const location = { pc: '0xffffffff80001000', symbol: 'bpf_ktime_get_ns' };
    const [, caller] = session.stack!.frames;
    fake.handle('session.stack', () => ({
      session: SESSION,
      stop: 9,
      frames: [
        { index: 0, kind: 'helper', name: 'bpf_ktime_get_ns', location },
        { ...caller!, index: 1 },
      ],
    }));
    fake.push('session.changed', { ...fake.state(), stop: 9, location });
    await flushPromises();
    expect(session.selectedFrame).toBe(0);
    expect(session.place).toMatchObject({ waits: true, location: { slot: 1 } });
    expect(listing.current.bpf).toEqual([1]);
  });

  it('fetch each listing once', async () => {
    const fake = await startedSession();
    const listing = useListing();
    await flushPromises();
    await listing.choose('pass/pass');
    await listing.choose('dispatch/dispatch');
    await listing.choose('pass/pass');
    expect(fake.calls.filter(({ method }) => method === 'session.listing')).toHaveLength(2);
  });

  it('drop a listing that comes after another function was chosen', async () => {
    const fake = await startedSession();
    const listing = useListing();
    await flushPromises();
    let late: () => void = () => undefined;
    fake.handle('session.listing', () => new Promise((resolve) => (late = () => resolve(targetListing))));
    const first = listing.choose('pass/pass');
    await listing.choose('dispatch/dispatch');
    late();
    await first;
    expect(listing.shownKey).toBe('dispatch/dispatch');
  });
});

it('makes breakpoints and run targets of rows', async () => {
  await startedSession();
  const listing = useListing();
  await flushPromises();
  expect(listing.targetOf({ column: 'source', row: 18 })).toEqual({
    kind: 'line',
    file: 'tailcall_dispatch.c',
    line: 19,
  });
  expect(listing.targetOf({ column: 'bpf', row: 5 })).toEqual({
    kind: 'bpf',
    function: 'dispatch/dispatch',
    slot: 4,
  });
  expect(listing.targetOf({ column: 'native', row: 2 })).toEqual({
    kind: 'native',
    address: sampleListing.native[2]?.address,
  });
  expect(listing.targetOf(null)).toBeUndefined();
  expect(listing.cursorTarget()).toEqual({ kind: 'native', address: sampleListing.native[0]?.address });
});
