/** Bytes chosen in a dump: where choosing began, and where it is now. Either may be the lower one. */
export interface ByteRange {
  readonly anchor: bigint;
  readonly focus: bigint;
}

export const firstByte = ({ anchor, focus }: ByteRange): bigint => (anchor < focus ? anchor : focus);
export const lastByte = ({ anchor, focus }: ByteRange): bigint => (anchor < focus ? focus : anchor);
/** Bytes */
export const rangeLength = (range: ByteRange): number => Number(lastByte(range) - firstByte(range)) + 1;
export const holds = (range: ByteRange, address: bigint): boolean =>
  firstByte(range) <= address && address <= lastByte(range);

const LAST = 2n ** 64n - 1n;

/** The range after a step of the cursor by some bytes; `extend` keeps where it began. Never beyond the ends of memory. */
export function stepped(range: ByteRange, by: number, extend: boolean): ByteRange {
  const wanted = range.focus + BigInt(by);
  const focus = wanted < 0n ? 0n : wanted > LAST ? LAST : wanted;
  return { anchor: extend ? range.anchor : focus, focus };
}
