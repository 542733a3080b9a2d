import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadObject } from '../loader/load';
import { compareRunsView, ComparedRun, type ComparedRunRequest } from './compare-runs';
import { sceneObject } from './testing/scene';
import type { CompareRunsView } from './views';

const file = new URL('../../../examples/hierarchy.o', import.meta.url);
const hierarchy = loadObject(new Uint8Array(readFileSync(file)), 'hierarchy.o');
const INPUTS = { data: '00'.repeat(64) };

function compared(
  request: Omit<ComparedRunRequest, 'profile'>,
  left: string,
  right: string,
): CompareRunsView {
  const [l, r] = [left, right].map((tcc) => {
    const run = new ComparedRun({ ...request, profile: { kernel: '6.12', tcc, isa: 'rv64imac' } });
    while (run.runSlice(50_000));
    return run;
  });
  return compareRunsView(request, l!, r!);
}

test('two schemes with one budget for the run agree in everything but what it costs', () => {
  const view = compared(
    { object: hierarchy, program: 'entry', inputs: INPUTS, limit: 1e6 },
    'transparent',
    'stack-v6',
  );
  expect(view.differences).toEqual([]);
  for (const side of [view.left, view.right]) {
    expect(side).toMatchObject({
      stop: { kind: 'exit' },
      result: { retval: 34 },
      counters: { tailCalls: 33 },
    });
  }
  expect(view.right.counters!.stores).toBeGreaterThan(view.left.counters!.stores);
  expect(view.right.stackBytes).toBeGreaterThan(view.left.stackBytes!);
});

test('a run without end is given up at the limit, which is no result', () => {
  const view = compared(
    { object: hierarchy, program: 'entry', inputs: INPUTS, limit: 60_000 },
    'transparent',
    'stack-v1',
  );
  expect(view.left.result!.retval).toBe(34);
  expect(view.right.stop).toMatchObject({ kind: 'limit', text: expect.stringContaining('60000') as string });
  expect(view.right.result).toBeUndefined();
  expect(view.right.location!.function).toMatch(/^entry\//);
  expect(view.right.counters!.instructions).toBe(60_000);
  expect(view.differences).toEqual(['return value', 'map hierarch.bss']);
});

test('a profile that refuses the program is a problem of its side', () => {
  const view = compared(
    { object: hierarchy, program: 'entry', inputs: INPUTS, limit: 1e6 },
    'mainline',
    'transparent',
  );
  expect(view.left).toEqual({
    profile: { kernel: '6.12', tcc: 'mainline', isa: 'rv64imac' },
    problem: expect.stringContaining('tail_calls are not allowed') as string,
  });
  expect(view.right.result!.retval).toBe(34);
});

test('maps are compared whatever order they give their elements in', () => {
  const counting = (slots: string) => ({
    object: sceneObject({
      programs: {
        main: `
          *(u32 *)(r10 -4) = 0
          *(u64 *)(r10 -16) = ${slots}
          r1 = map[name:numbers]
          r2 = r10
          r2 += -4
          r3 = r10
          r3 += -16
          r4 = 0
          call bpf_map_update_elem
          r0 = 0
          exit`,
      },
      arrays: { numbers: 2 },
    }),
    program: 'main',
    inputs: INPUTS,
    limit: 1e6,
  });
  const run = (slots: string) => {
    const made = new ComparedRun({
      ...counting(slots),
      profile: { kernel: '6.12', tcc: 'mainline', isa: 'rv64imac' },
    });
    while (made.runSlice(1000));
    return made;
  };
  const request = counting('7');
  expect(compareRunsView(request, run('7'), run('7')).differences).toEqual([]);
  expect(compareRunsView(request, run('7'), run('8')).differences).toEqual(['map numbers']);
});
