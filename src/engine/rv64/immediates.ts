/**
 * Immediates: where their bits lie in an instruction word. Each is written as in the manual's format drawings
 * (Unprivileged ISA, "Immediate Encoding Variants" and the RVC formats): `31:25=11:5` says that bits 31 to 25 of the
 * word hold bits 11 to 5 of the value.
 */

/** One immediate's place, range and conversion. Values are plain numbers: bytes for offsets, bits for shifts. */
export interface ImmediateKind {
  readonly signed: boolean;
  /** Smallest and largest encodable value, and the step between encodable values. */
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The bits of the instruction word that belong to the immediate. */
  readonly bits: number;
  /** The value's bits in their places (int32). Values out of range are cut off silently. */
  readonly pack: (value: number) => number;
  /** The value in an instruction word. */
  readonly unpack: (word: number) => number;
}

/** Bits that travel the same distance between value and word: word = value << left >>> right, under a mask of the word. */
interface Move {
  readonly left: number;
  readonly right: number;
  readonly mask: number;
}

const NOTHING: Move = { left: 0, right: 0, mask: 0 };

/** The `count` low bits of an int32. */
const lowBits = (count: number): number => (count >= 32 ? -1 : (1 << count) - 1);

interface Range {
  readonly high: number;
  readonly low: number;
}

function parseRange(text: string): Range {
  const [high, low = high] = text.split(':').map(Number);
  return { high: high!, low: low! };
}

/** Pieces with the same distance become one move, so that most immediates need one to four. */
function movesOf(pieces: readonly { readonly word: Range; readonly value: Range }[]): readonly Move[] {
  const masks = new Map<number, number>();
  for (const { word, value } of pieces) {
    const distance = word.low - value.low;
    const bits = lowBits(word.high - word.low + 1) << word.low;
    masks.set(distance, (masks.get(distance) ?? 0) | bits);
  }
  return [...masks].map(([distance, mask]) => ({
    left: Math.max(distance, 0),
    right: Math.max(-distance, 0),
    mask,
  }));
}

/** The first four moves are unrolled: this runs once per encoded and decoded instruction. */
function packer(moves: readonly Move[]): (value: number) => number {
  const [a = NOTHING, b = NOTHING, c = NOTHING, d = NOTHING, ...rest] = moves;
  const one = (value: number): number => ((value << a.left) >> a.right) & a.mask;
  if (moves.length === 1) return one;
  const four = (value: number): number =>
    (((value << a.left) >> a.right) & a.mask) |
    (((value << b.left) >> b.right) & b.mask) |
    (((value << c.left) >> c.right) & c.mask) |
    (((value << d.left) >> d.right) & d.mask);
  if (rest.length === 0) return four;
  const more = packer(rest);
  return (value) => four(value) | more(value);
}

/** The value before sign extension. */
function unpacker(moves: readonly Move[]): (word: number) => number {
  const [a = NOTHING, b = NOTHING, c = NOTHING, d = NOTHING, ...rest] = moves;
  const one = (word: number): number => ((word & a.mask) >>> a.left) << a.right;
  if (moves.length === 1) return one;
  const four = (word: number): number =>
    (((word & a.mask) >>> a.left) << a.right) |
    (((word & b.mask) >>> b.left) << b.right) |
    (((word & c.mask) >>> c.left) << c.right) |
    (((word & d.mask) >>> d.left) << d.right);
  if (rest.length === 0) return four;
  const more = unpacker(rest);
  return (word) => four(word) | more(word);
}

function immediate(sign: 'signed' | 'unsigned', layout: string): ImmediateKind {
  const pieces = layout.split(' ').map((piece) => {
    const [word, value] = piece.split('=').map(parseRange);
    return { word: word!, value: value! };
  });
  const width = Math.max(...pieces.map((piece) => piece.value.high)) + 1;
  const step = 2 ** Math.min(...pieces.map((piece) => piece.value.low));
  const moves = movesOf(pieces);
  const signed = sign === 'signed';
  const unsignedValue = unpacker(moves);
  const unused = 32 - width;
  return {
    signed,
    min: signed ? -(2 ** (width - 1)) : 0,
    max: (signed ? 2 ** (width - 1) : 2 ** width) - step,
    step,
    bits: moves.reduce((bits, move) => bits | move.mask, 0),
    pack: packer(moves),
    unpack: signed ? (word) => (unsignedValue(word) << unused) >> unused : unsignedValue,
  };
}

/**
 * c.lui holds the low six bits of what `lui` would hold, sign-extended. Its value here is that of `lui`, the unsigned
 * 20-bit field, so that the expansion needs no special case; negative numbers are accepted for the same bits.
 */
function luiImmediate(): ImmediateKind {
  const six = immediate('signed', '12=5 6:2=4:0');
  return { ...six, unpack: (word) => six.unpack(word) & 0xfffff };
}

/** Every immediate of the table, by the name of the instruction format that uses it. */
export const IMMEDIATES = {
  i: immediate('signed', '31:20=11:0'),
  s: immediate('signed', '31:25=11:5 11:7=4:0'),
  b: immediate('signed', '31=12 30:25=10:5 11:8=4:1 7=11'),
  /** The 20-bit field of lui and auipc as it stands; the instruction adds `field << 12`. */
  u: immediate('unsigned', '31:12=19:0'),
  j: immediate('signed', '31=20 30:21=10:1 20=11 19:12=19:12'),
  shamt6: immediate('unsigned', '25:20=5:0'),
  shamt5: immediate('unsigned', '24:20=4:0'),
  /** csrrwi and its kind */
  zimm: immediate('unsigned', '19:15=4:0'),
  /** Predecessor set in bits 7:4, successor set in bits 3:0, each `iorw` from high to low. */
  fence: immediate('unsigned', '27:20=7:0'),
  ci: immediate('signed', '12=5 6:2=4:0'),
  cshamt: immediate('unsigned', '12=5 6:2=4:0'),
  clui: luiImmediate(),
  c16sp: immediate('signed', '12=9 6=4 5=6 4:3=8:7 2=5'),
  ciw: immediate('unsigned', '12:11=5:4 10:7=9:6 6=2 5=3'),
  cw: immediate('unsigned', '12:10=5:3 6=2 5=6'),
  cd: immediate('unsigned', '12:10=5:3 6:5=7:6'),
  cwload: immediate('unsigned', '12=5 6:4=4:2 3:2=7:6'),
  cdload: immediate('unsigned', '12=5 6:5=4:3 4:2=8:6'),
  cwstore: immediate('unsigned', '12:9=5:2 8:7=7:6'),
  cdstore: immediate('unsigned', '12:10=5:3 9:7=8:6'),
  cj: immediate('signed', '12=11 11=4 10:9=9:8 8=10 7=6 6=7 5:3=3:1 2=5'),
  cb: immediate('signed', '12=8 11:10=4:3 6:5=7:6 4:3=2:1 2=5'),
} as const satisfies Record<string, ImmediateKind>;
