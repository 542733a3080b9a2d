import { describe, expect, test } from 'vitest';
import { passesView } from './pass-views';
import { exampleSession } from './testing/examples';

describe('the pass log of a function', () => {
  const session = exampleSession('tailcall_dispatch', 'dispatch');
  const view = session.views.passes('dispatch/dispatch');

  test('has the size of every BPF instruction in every pass; each pass adds up', () => {
    expect(view).toMatchObject({ session: 's1', function: { key: 'dispatch/dispatch' }, leftOut: 0 });
    expect(view.passes.map(({ kind, round }) => (round === undefined ? kind : `${kind} ${round}`))).toEqual([
      'dry-run',
      'round 1',
      'round 2',
      'round 3',
      'final',
    ]);
    for (const [pass, { prologue, epilogue, total }] of view.passes.entries()) {
      const body = view.rows.reduce((sum, { sizes }) => sum + sizes[pass]!, 0);
      expect(prologue + body + epilogue).toBe(total);
    }
    expect(view.passes[0]).toMatchObject({ prologue: 0, epilogue: 0 });
    expect(view.passes.at(-1)!.total).toBe(view.function.size);
  });

  test('names the instructions as the BPF column does, without second slots', () => {
    const { bpf, native } = session.views.listing('dispatch/dispatch');
    expect(view.rows.map(({ slot, text }) => [slot, text])).toEqual(
      bpf.filter(({ continuation }) => !continuation).map(({ slot, text }) => [slot, text]),
    );
    for (const { slot, sizes } of view.rows) {
      const bytes = native.filter((row) => row.slot === slot).map((row) => row.bytes.length / 2);
      expect(sizes.at(-1)).toBe(bytes.reduce((sum, size) => sum + size, 0));
    }
  });

  test('says after which pass the image was allocated: the first as long as the one before', () => {
    const { passes, allocatedAfter } = view;
    const first = passes.findIndex(
      ({ kind, total }, i) => kind === 'round' && passes[i - 1]!.total === total,
    );
    expect(allocatedAfter).toBe(first);
    expect(passes[allocatedAfter]).toMatchObject({ kind: 'round', round: 2 });
  });

  test('a function of a program with several is written twice', () => {
    const { passes } = exampleSession('hierarchy', 'entry').views.passes('entry/call_entry');
    expect(passes.slice(-2).map(({ kind }) => kind)).toEqual(['first-image', 'final']);
  });

  test('of a long function the instructions alone whose size changes have rows', () => {
    const code = session.index.get('dispatch/dispatch');
    const { kernel } = session.execution;
    const moving = view.rows.filter(({ sizes }) => new Set(sizes).size > 1);
    expect(moving.length).toBeGreaterThan(1);
    const long = passesView(kernel, code, view.rows.length - 1);
    expect(long.rows).toEqual(moving);
    expect(long.leftOut).toBe(view.rows.length - moving.length);
    expect(long.passes).toEqual(view.passes);
    expect(passesView(kernel, code, 1)).toMatchObject({
      rows: [moving[0]],
      leftOut: view.rows.length - 1,
    });
  });

  test('a function that there is not is refused', () => {
    expect(() => session.views.passes('nobody/nothing')).toThrow(/nobody\/nothing/);
  });
});
