/** One step of an alignment: positions on both sides, undefined where a side has nothing beside the other. */
export type Aligned = readonly [left: number | undefined, right: number | undefined];

/** Beyond so many pairs of positions the sequences are paired in order instead; about 16 MiB of table. */
const MOST_CELLS = 4_000_000;

/**
 * Aligns two short sequences with the least cost (an edit distance): an element that stays alone costs 1, a pair what
 * `cost` says. Equal beginnings and ends are taken off first, so long sequences with few differences are cheap.
 * @param leftLength @param rightLength numbers of elements
 * @param cost of putting element `left` beside element `right`: 0 = equal, more for a worse match, undefined = never
 * @returns both sequences in order, each element once; where both sides have elements alone, the left ones come first
 */
export function align(
  leftLength: number,
  rightLength: number,
  cost: (left: number, right: number) => number | undefined,
): Aligned[] {
  let start = 0;
  while (start < leftLength && start < rightLength && cost(start, start) === 0) start++;
  let leftEnd = leftLength;
  let rightEnd = rightLength;
  while (leftEnd > start && rightEnd > start && cost(leftEnd - 1, rightEnd - 1) === 0) {
    leftEnd--;
    rightEnd--;
  }
  const aligned: Aligned[] = [];
  for (let i = 0; i < start; i++) aligned.push([i, i]);
  aligned.push(...middle(start, leftEnd, rightEnd, cost));
  for (let i = 0; leftEnd + i < leftLength; i++) aligned.push([leftEnd + i, rightEnd + i]);
  return aligned;
}

function middle(
  start: number,
  leftEnd: number,
  rightEnd: number,
  cost: (left: number, right: number) => number | undefined,
): Aligned[] {
  const rows = leftEnd - start;
  const columns = rightEnd - start;
  const width = columns + 1;
  if (rows * columns > MOST_CELLS) return inOrder(start, leftEnd, rightEnd);
  // best[i, j]: the least cost of what lies behind the first i elements on the left and j on the right.
  const best = new Float32Array((rows + 1) * width);
  const at = (i: number, j: number): number => best[i * width + j] ?? 0;
  const paired = (i: number, j: number): number =>
    (cost(start + i, start + j) ?? Infinity) + at(i + 1, j + 1);
  for (let i = rows; i >= 0; i--) {
    for (let j = columns; j >= 0; j--) {
      if (i === rows || j === columns) best[i * width + j] = rows - i + (columns - j);
      else best[i * width + j] = Math.min(paired(i, j), 1 + at(i + 1, j), 1 + at(i, j + 1));
    }
  }
  const aligned: Aligned[] = [];
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && paired(i, j) === at(i, j)) aligned.push([start + i++, start + j++]);
    else if (i < rows && 1 + at(i + 1, j) === at(i, j)) aligned.push([start + i++, undefined]);
    else aligned.push([undefined, start + j++]);
  }
  return aligned;
}

function inOrder(start: number, leftEnd: number, rightEnd: number): Aligned[] {
  return Array.from({ length: Math.max(leftEnd, rightEnd) - start }, (_, i): Aligned => [
    start + i < leftEnd ? start + i : undefined,
    start + i < rightEnd ? start + i : undefined,
  ]);
}
