import { describe, expect, it } from 'vitest';
import type { CompareRowView } from '../../shared/views';
import { sampleComparison } from '../testing/sample-compare';
import { differences, displayLines, linesInSight, nextDifference, type DisplayLine } from './compare-lines';

const profile = (tcc: string) => ({ kernel: '6.12', tcc, isa: 'rv64imac' });
const view = sampleComparison({ left: profile('transparent'), right: profile('mainline') });
const rowsOf = (lines: readonly DisplayLine[]) =>
  lines.map((line) => (line.kind === 'gap' ? `(${line.rows})` : line.first ? String(line.row) : ''));

describe('lines of a comparison', () => {
  it('are one for each pair of native instructions, the first of a row with its BPF instruction', () => {
    const lines = displayLines(view, false);
    const natives = view.rows.reduce((sum, row) => sum + Math.max(1, row.lines.length), 0);
    expect(lines).toHaveLength(natives);
    const call = lines.findIndex((line) => line.kind === 'code' && line.bpf?.slot === 1);
    expect(lines.slice(call, call + 2)).toMatchObject([
      { kind: 'code', row: 2, first: true, bpf: { side: 'both' }, native: { mark: 'left' } },
      { kind: 'code', row: 2, first: false, native: { mark: 'placement' } },
    ]);
  });

  it('leave out what is the same, with the number of rows left out', () => {
    const lines = displayLines(view, true);
    expect(rowsOf(lines).filter(Boolean)).toEqual(['0', '(1)', '2', '(5)', '8', '(3)', '12', '(2)', '15']);
    expect(lines.some((line) => line.kind === 'code' && view.rows[line.row]!.same)).toBe(false);
  });

  it('say both BPF instructions where they are not the same, and the side of one that is alone', () => {
    const cell = (slot: number, text: string) => ({ slot, text });
    const row = (part: Partial<CompareRowView>): CompareRowView => ({ ...view.rows[1]!, ...part });
    const rows = [
      row({ left: cell(3, 'r1 += 264'), right: cell(4, 'r1 += 304'), rewritten: true, same: false }),
      row({ left: undefined, right: cell(5, 'r2 = 1'), lines: [] }),
    ];
    expect(displayLines({ ...view, rows }, false)).toMatchObject([
      { row: 0, first: true, bpf: { side: 'left', slot: 3 }, native: {} },
      { row: 0, first: false, bpf: { side: 'right', slot: 4 } },
      { row: 1, first: true, bpf: { side: 'right', slot: 5 } },
    ]);
  });

  it('give the stations of next and previous difference, round and round', () => {
    const lines = displayLines(view, false);
    const stations = differences(lines, view);
    expect(stations).toHaveLength(view.differing);
    expect(stations.map((line) => rowsOf(lines)[line])).toEqual(['0', '2', '8', '12', '15']);
    const [first, second] = stations as [number, number];
    expect(nextDifference(stations, -1)).toBe(first);
    expect(nextDifference(stations, first)).toBe(second);
    expect(nextDifference(stations, stations.at(-1)!)).toBe(first);
    expect(nextDifference(stations, second, true)).toBe(first);
    expect(nextDifference(stations, first, true)).toBe(stations.at(-1));
    expect(nextDifference([], 5)).toBeUndefined();
  });

  it.each([
    [0, 180, 1000, 0, 26],
    [1800, 180, 1000, 84, 126],
    [17_900, 180, 1000, 978, 1000],
    [0, 180, 3, 0, 3],
    [900, 180, 3, 3, 3],
    [0, 0, 0, 0, 0],
  ])('at %i pixels, %i high, of %i lines: %i to %i are on the page', (top, height, count, first, last) => {
    expect(linesInSight({ top, height }, 18, count)).toEqual({ first, last });
  });
});
