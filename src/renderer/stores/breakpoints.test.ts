// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils';
import { expect, it } from 'vitest';
import { startedSession } from '../testing/stores';
import { sameSpec, useBreakpoints } from './breakpoints';
import { useNotices } from './notices';

it('toggles a breakpoint on and off and says so', async () => {
  await startedSession();
  const breakpoints = useBreakpoints();
  await flushPromises();
  const spec = { kind: 'bpf', function: 'dispatch/dispatch', slot: 9 } as const;
  await breakpoints.toggle(spec);
  expect(breakpoints.list).toMatchObject([{ spec, enabled: true }]);
  expect(breakpoints.said).toBe('Breakpoint set: dispatch slot 9.');
  await breakpoints.setEnabled(breakpoints.list[0]!.id, false);
  expect(breakpoints.list[0]?.enabled).toBe(false);
  await breakpoints.toggle(spec);
  expect(breakpoints.list).toEqual([]);
  expect(breakpoints.said).toBe('Breakpoint removed: dispatch slot 9.');
});

it('takes the debugger’s word over an answer that is on its way', async () => {
  const fake = await startedSession();
  const breakpoints = useBreakpoints();
  await breakpoints.add({ kind: 'event', event: 'tail-call-taken' });
  const pushed = [{ ...breakpoints.list[0]!, hits: 5 }];
  fake.push('session.breakpoints', pushed);
  expect(breakpoints.list).toEqual(pushed);
});

it('keeps the list when the debugger refuses', async () => {
  const fake = await startedSession();
  const breakpoints = useBreakpoints();
  fake.fail('session.addBreakpoint', 'No code of this session comes from other.c.');
  await breakpoints.add({ kind: 'line', file: 'other.c', line: 1 });
  expect(breakpoints.list).toEqual([]);
  expect(useNotices().notices[0]?.text).toBe('No code of this session comes from other.c.');
});

it('knows places apart', () => {
  expect(sameSpec({ kind: 'native', address: '0x10' }, { kind: 'native', address: '0x010' })).toBe(true);
  expect(sameSpec({ kind: 'native', address: '0x10' }, { kind: 'native', address: '0x12' })).toBe(false);
  expect(sameSpec({ kind: 'bpf', function: 'a/a', slot: 1 }, { kind: 'bpf', function: 'a/b', slot: 1 })).toBe(
    false,
  );
  expect(sameSpec({ kind: 'line', file: 'a.c', line: 1 }, { kind: 'line', file: 'a.c', line: 1 })).toBe(true);
  expect(
    sameSpec(
      { kind: 'event', event: 'helper-call' },
      { kind: 'event', event: 'helper-call', helper: 'bpf_redirect' },
    ),
  ).toBe(false);
});
