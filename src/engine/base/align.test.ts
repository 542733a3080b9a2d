import { describe, expect, test } from 'vitest';
import { align, type Aligned } from './align';

/** Two texts letter by letter: equal letters cost nothing, the two cases of a letter half. */
function aligned(left: string, right: string): string {
  const cost = (l: number, r: number) => {
    const [a, b] = [left[l]!, right[r]!];
    if (a === b) return 0;
    return a.toLowerCase() === b.toLowerCase() ? 0.5 : undefined;
  };
  return align(left.length, right.length, cost)
    .map(([l, r]) => `${l === undefined ? '-' : left[l]}${r === undefined ? '-' : right[r]}`)
    .join(' ');
}

describe('an alignment', () => {
  test.each([
    ['', '', ''],
    ['abc', 'abc', 'aa bb cc'],
    ['abc', '', 'a- b- c-'],
    ['', 'ab', '-a -b'],
    ['abc', 'abxc', 'aa bb -x cc'],
    ['abxc', 'abc', 'aa bb x- cc'],
    ['axc', 'ayc', 'aa x- -y cc'],
    ['aBc', 'abc', 'aa Bb cc'],
    // The better of two partners, although the other one comes first.
    ['xb', 'xBb', 'xx -B bb'],
    ['xaby', 'xbay', 'xx a- bb -a yy'],
  ])('of %j and %j', (left, right, expected) => {
    expect(aligned(left, right)).toBe(expected);
  });

  test('has every element once and in order, at a cost that no other alignment beats', () => {
    let state = 12345;
    const random = (below: number) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
    for (let round = 0; round < 300; round++) {
      const text = () => Array.from({ length: random(7) }, () => 'abAB'[random(4)]).join('');
      const [left, right] = [text(), text()];
      const cost = (l: number, r: number) =>
        left[l] === right[r] ? 0 : left[l]!.toLowerCase() === right[r]!.toLowerCase() ? 0.5 : undefined;
      const found = align(left.length, right.length, cost);
      expect(found.flatMap(([l]) => (l === undefined ? [] : [l]))).toEqual([...left].map((_, i) => i));
      expect(found.flatMap(([, r]) => (r === undefined ? [] : [r]))).toEqual([...right].map((_, i) => i));
      expect(total(found, cost)).toBe(least(left.length, right.length, cost));
    }
  });

  test('of sequences that are too long to search pairs what is left in order', () => {
    const found = align(3000, 3001, () => 1);
    expect(found.slice(0, 2)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(found.at(-1)).toEqual([undefined, 3000]);
  });
});

type Cost = (left: number, right: number) => number | undefined;

function total(found: readonly Aligned[], cost: Cost): number {
  return found.reduce(
    (sum, [l, r]) => sum + (l === undefined || r === undefined ? 1 : (cost(l, r) ?? Infinity)),
    0,
  );
}

/** The least cost by trying everything. */
function least(left: number, right: number, cost: Cost): number {
  if (left === 0 || right === 0) return left + right;
  return Math.min(
    1 + least(left - 1, right, cost),
    1 + least(left, right - 1, cost),
    (cost(left - 1, right - 1) ?? Infinity) + least(left - 1, right - 1, cost),
  );
}
