import { expect, it } from 'vitest';
import type { BreakpointSpec, BreakpointView } from '../../shared/views';
import { sampleListing } from '../testing/sample-listing';
import { breakpointMarks } from './breakpoint-marks';
import { buildLinks } from './links';

const links = buildLinks(sampleListing);
const native = sampleListing.native;
const firstOfSlot = (slot: number) => native.findIndex((row) => row.slot === slot);

function breakpoint(
  spec: BreakpointSpec,
  rows: readonly number[],
  more: Partial<BreakpointView> = {},
): BreakpointView {
  return {
    id: 1,
    spec,
    enabled: true,
    addresses: rows.map((row) => native[row]?.address ?? ''),
    hits: 0,
    label: 'here',
    ...more,
  };
}

const kinds = (column: 'source' | 'bpf' | 'native', ...list: BreakpointView[]) =>
  [...breakpointMarks(column, sampleListing, links, list)].map(([row, { kind }]) => [row, kind]);

it('marks a line breakpoint as its own in the source and as implied elsewhere', () => {
  const point = breakpoint({ kind: 'line', file: 'tailcall_dispatch.c', line: 19 }, [firstOfSlot(9)]);
  expect(kinds('source', point)).toEqual([[18, 'own']]);
  expect(kinds('bpf', point)).toEqual([[9, 'implied']]);
  expect(kinds('native', point)).toEqual([[firstOfSlot(9), 'implied']]);
});

it('marks a native breakpoint in the prologue in the native column only', () => {
  const point = breakpoint({ kind: 'native', address: native[2]!.address }, [2]);
  expect(kinds('native', point)).toEqual([[2, 'own']]);
  expect(kinds('bpf', point)).toEqual([]);
  expect(kinds('source', point)).toEqual([]);
});

it('lets an own mark win over an implied one', () => {
  const line = breakpoint({ kind: 'line', file: 'tailcall_dispatch.c', line: 19 }, [firstOfSlot(9)]);
  const slot = breakpoint({ kind: 'bpf', function: 'dispatch/dispatch', slot: 9 }, [firstOfSlot(9)], {
    id: 2,
  });
  expect(kinds('bpf', line, slot)).toEqual([[9, 'own']]);
  expect(kinds('bpf', slot, line)).toEqual([[9, 'own']]);
});

it('leaves breakpoints of other functions and of events out', () => {
  const other = breakpoint({ kind: 'bpf', function: 'pass/pass', slot: 0 }, [], {
    addresses: ['0xffffffff80100204'],
  });
  expect(kinds('bpf', other, breakpoint({ kind: 'event', event: 'helper-call' }, []))).toEqual([]);
});

it('says hits, state and problem in the title', () => {
  const point = breakpoint({ kind: 'bpf', function: 'dispatch/dispatch', slot: 9 }, [], {
    enabled: false,
    hits: 1,
    problem: 'It cannot be reached.',
  });
  const mark = breakpointMarks('bpf', sampleListing, links, [point]).get(9);
  expect(mark).toMatchObject({ enabled: false, problem: true });
  expect(mark?.title).toBe('Breakpoint 1: here, disabled, 1 hit\nIt cannot be reached.');
});
