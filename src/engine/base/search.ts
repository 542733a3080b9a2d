/**
 * Index of the first element whose key is at least `value` (binary search); the length of the list when there is none.
 * @param list ascending by key
 */
export function firstAtLeast<T>(list: readonly T[], value: number, key: (item: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = list[middle];
    if (item !== undefined && key(item) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last element whose key is at most `value`; undefined when there is none. */
export function lastAtMost<T>(list: readonly T[], value: number, key: (item: T) => number): T | undefined {
  return list[firstAtLeast(list, value + 1, key) - 1];
}
