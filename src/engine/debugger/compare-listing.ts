import { align } from '../base/align';
import { pairUnits, bpfUnits, type BpfUnit, type UnitPair } from './compare-bpf';
import {
  loadMovedAddress,
  nativeCodes,
  sameMeaning,
  type CompiledFunction,
  type NativeCode,
} from './compare-native';
import type {
  CompareBpfView,
  CompareLineView,
  CompareMark,
  CompareNativeView,
  CompareRowView,
  CompareSizeView,
} from './views';

/**
 * The code of one function under two profiles, row by row: prologue, one row for each BPF instruction, epilogue.
 *
 * What differs is told without addresses. A jump is the same when it goes to what corresponds on the other side, a call
 * and the address of a map when they lead to the same thing; where their bytes differ nevertheless, only the placement of
 * images and maps makes the difference (`placement`).
 */
export function compareListings(left: CompiledFunction, right: CompiledFunction): CompareRowView[] {
  const sides: readonly [Side, Side] = [sideOf(left), sideOf(right)];
  const drafts = draftRows(sides);
  const places: readonly [Places, Places] = [
    new Places(drafts, 'left', targetsIn(sides[0].native)),
    new Places(drafts, 'right', targetsIn(sides[1].native)),
  ];
  return drafts.map((draft) => finish(draft, sides, places));
}

/** Totals of a function: what the last pass produced, without the exception table. */
export function sizeOf({ code }: CompiledFunction): CompareSizeView {
  return { bytes: code.fn.finalLen, instructions: code.map.native.length };
}

interface Side {
  readonly compiled: CompiledFunction;
  readonly units: readonly BpfUnit[];
  readonly native: readonly NativeCode[];
}

function sideOf(compiled: CompiledFunction): Side {
  return { compiled, units: bpfUnits(compiled), native: nativeCodes(compiled) };
}

/** The native code of one row on one side. */
interface Stretch {
  /** Bytes from the image's first byte; an empty stretch lies where the code behind it begins. */
  readonly from: number;
  readonly to: number;
  readonly native: readonly NativeCode[];
}

interface Draft extends UnitPair {
  readonly part: CompareRowView['part'];
  readonly stretch: Readonly<Record<'left' | 'right', Stretch>>;
  readonly lines: readonly { readonly left?: NativeCode; readonly right?: NativeCode }[];
}

function draftRows([left, right]: readonly [Side, Side]): Draft[] {
  const pairs = pairUnits(left.units, right.units);
  const cutLeft = cutter(left);
  const cutRight = cutter(right);
  const draft = (part: Draft['part'], pair: UnitPair, l: number, r: number): Draft => {
    const stretch = { left: cutLeft(l), right: cutRight(r) };
    return { part, ...pair, stretch, lines: lineUp(stretch.left.native, stretch.right.native) };
  };
  const ends = (side: Side, unit: BpfUnit | undefined): number =>
    unit ? side.compiled.code.map.endOf(unit.slot + unit.slots - 1) : 0;
  const rows = [draft('prologue', {}, left.compiled.code.fn.prologueLen, right.compiled.code.fn.prologueLen)];
  for (const pair of pairs) rows.push(draft('body', pair, ends(left, pair.left), ends(right, pair.right)));
  rows.push(draft('epilogue', {}, left.compiled.code.fn.finalLen, right.compiled.code.fn.finalLen));
  return rows;
}

/** Cuts a side's native code into stretches, one after the other; each call takes what is left before an offset. */
function cutter({ native }: Side): (to: number) => Stretch {
  let next = 0;
  let from = 0;
  return (to) => {
    const first = next;
    const begin = from;
    while (next < native.length && (native[next]?.offset ?? 0) < to) next++;
    from = Math.max(from, to);
    return { from: begin, to: from, native: native.slice(first, next) };
  };
}

/** Equal instructions beside each other; of the others those that one rule made, or that do the same with other operands. */
function lineUp(left: readonly NativeCode[], right: readonly NativeCode[]): Draft['lines'] {
  const cost = (l: number, r: number): number | undefined => {
    const a = left[l];
    const b = right[r];
    if (!a || !b) return undefined;
    if (sameMeaning(a, b)) return 0;
    if (a.form === b.form) return 0.5;
    if (mnemonicOf(a) === mnemonicOf(b)) return 0.75;
    return a.rule === b.rule ? 1 : undefined;
  };
  return align(left.length, right.length, cost).map(([l, r]) => ({
    left: l === undefined ? undefined : left[l],
    right: r === undefined ? undefined : right[r],
  }));
}

const mnemonicOf = ({ text }: NativeCode): string => text.split(' ', 1)[0]!;

/** Offsets that the function's own jumps go to. */
function targetsIn(native: readonly NativeCode[]): ReadonlySet<number> {
  return new Set(native.flatMap(({ jump }) => (jump === undefined ? [] : [jump])));
}

/** Which rows begin at an offset, and where in a row it is: so that targets of jumps on both sides can be compared. */
class Places {
  /** First and last row whose stretch begins at an offset; there are several where rows before it have no code. */
  private readonly rowsAt = new Map<number, { readonly first: number; last: number }>();
  /** Row and number of paired instructions before it, of every instruction. */
  private readonly within = new Map<number, { readonly row: number; readonly paired: number }>();

  /** @param wanted the offsets that will be asked for */
  constructor(drafts: readonly Draft[], side: 'left' | 'right', wanted: ReadonlySet<number>) {
    drafts.forEach(({ stretch, lines }, row) => {
      const { from } = stretch[side];
      const known = this.rowsAt.get(from);
      if (known) known.last = row;
      else if (wanted.has(from)) this.rowsAt.set(from, { first: row, last: row });
      let paired = 0;
      for (const line of lines) {
        const mine = line[side];
        if (mine && wanted.has(mine.offset)) this.within.set(mine.offset, { row, paired });
        if (line.left && line.right) paired++;
      }
    });
  }

  /** Whether an offset here corresponds to one there. */
  corresponds(here: number, other: Places, there: number): boolean {
    const mine = this.rowsAt.get(here);
    const theirs = other.rowsAt.get(there);
    if (mine && theirs && mine.first <= theirs.last && theirs.first <= mine.last) return true;
    const a = this.within.get(here);
    const b = other.within.get(there);
    return a !== undefined && b !== undefined && a.row === b.row && a.paired === b.paired;
  }
}

function finish(
  draft: Draft,
  sides: readonly [Side, Side],
  places: readonly [Places, Places],
): CompareRowView {
  const lines = draft.lines.map(({ left, right }): CompareLineView => {
    const mark = markOf(left, right, places, draft);
    // Of one meaning in two encodings the text says nothing of the difference.
    const encoded = mark === 'changed' && left?.text === right?.text;
    return {
      mark,
      ...(left && { left: nativeView(left, encoded) }),
      ...(right && { right: nativeView(right, encoded) }),
    };
  });
  const { left, right } = draft.stretch;
  const source = sourceOf(draft, sides);
  return {
    part: draft.part,
    ...(draft.left && { left: bpfView(draft.left) }),
    ...(draft.right && { right: bpfView(draft.right) }),
    rewritten: draft.left !== undefined && draft.right !== undefined && draft.left.key !== draft.right.key,
    ...(source && { source }),
    lines,
    leftSize: { bytes: left.to - left.from, instructions: left.native.length },
    rightSize: { bytes: right.to - right.from, instructions: right.native.length },
    delta: right.to - right.from - (left.to - left.from),
    same: lines.every(({ mark }) => mark === 'same' || mark === 'placement'),
  };
}

function markOf(
  left: NativeCode | undefined,
  right: NativeCode | undefined,
  [here, there]: readonly [Places, Places],
  { stretch }: Draft,
): CompareMark {
  if (left && right) {
    if (!sameMeaning(left, right)) return 'changed';
    const jumps = left.jump !== undefined && right.jump !== undefined;
    if (jumps && !here.corresponds(left.jump, there, right.jump)) return 'changed';
    return left.bytes === right.bytes ? 'same' : 'placement';
  }
  // Of two constants for addresses of the same thing one may take more instructions.
  const alone = left ?? right;
  const others = left ? stretch.right : stretch.left;
  if (alone && others.native.some((other) => loadMovedAddress(alone, other))) return 'placement';
  return left ? 'left' : 'right';
}

function nativeView(
  { offset, bytes, text, mnemonic, rule }: NativeCode,
  encoded: boolean,
): CompareNativeView {
  return { offset, bytes, text: encoded ? `${text} (${mnemonic})` : text, rule };
}

function bpfView({ slot, text, rule }: BpfUnit): CompareBpfView {
  return { slot, text, ...(rule !== undefined && { rule }) };
}

function sourceOf(draft: Draft, [left, right]: readonly [Side, Side]): CompareRowView['source'] {
  const line = draft.left
    ? left.compiled.code.map.lineAt(draft.left.slot)
    : draft.right && right.compiled.code.map.lineAt(draft.right.slot);
  return line && { file: line.file, line: line.line, text: line.text.trim() };
}
