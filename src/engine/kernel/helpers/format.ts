import { hex64 } from '../../base/hex';
import type { HelperWorld } from './call';

/** Longest string that `%s` follows (MAX_BPRINTF_BUF of the kernel is of this order). */
const STRING_LIMIT = 512;

type Letter = 'd' | 'i' | 'u' | 'x';

/** What one conversion of a format string asks for. */
type Conversion =
  | { readonly kind: 'percent' }
  | { readonly kind: 'char' }
  | { readonly kind: 'number'; readonly letter: Letter; readonly bits: 32 | 64 }
  | { readonly kind: 'string' }
  | { readonly kind: 'pointer'; readonly form: 'hashed' | 'raw' | 'symbol' | 'symbol-offset' }
  | { readonly kind: 'address'; readonly version: 4 | 6; readonly dotted: boolean };

interface Piece {
  readonly flags: string;
  readonly width: number;
  readonly conversion: Conversion;
}

/**
 * Renders a BPF format string as bpf_bprintf_prepare() and vsnprintf() do: `%[flags][width]` with d, i, u, x (l, ll), c, s, p and
 * the pointer forms px, pK, ps, pS, pB, pks, pus, pi4, pI4, pi6, pI6. Undefined for a format that the kernel refuses (-EINVAL).
 * @param next gives the arguments in order; undefined when there are too few
 */
export function formatBpf(
  world: HelperWorld,
  format: Uint8Array,
  next: () => bigint | undefined,
): string | undefined {
  if (format[format.length - 1] !== 0) return undefined;
  const end = format.indexOf(0);
  const text = String.fromCharCode(...format.subarray(0, end));
  // Printable ASCII and white space only.
  if (/[^\x20-\x7e\t-\r]/.test(text)) return undefined;
  let out = '';
  for (let at = 0; at < text.length;) {
    if (text[at] !== '%') {
      out += text[at++];
      continue;
    }
    const parsed = parsePiece(text.slice(at + 1));
    if (!parsed) return undefined;
    at += 1 + parsed.length;
    if (parsed.piece.conversion.kind === 'percent') {
      out += '%';
      continue;
    }
    const value = next();
    if (value === undefined) return undefined;
    const rendered = render(world, parsed.piece, value);
    if (rendered === undefined) return undefined;
    out += rendered;
  }
  return out;
}

const CONVERSIONS: readonly (readonly [RegExp, (match: RegExpExecArray) => Conversion])[] = [
  [/^%/, () => ({ kind: 'percent' })],
  [/^p[ku]s/, () => ({ kind: 'string' })],
  [
    /^p([iI])([46])/,
    ([, i, version]) => ({ kind: 'address', version: version === '4' ? 4 : 6, dotted: i === 'I' }),
  ],
  [/^p[xK]/, () => ({ kind: 'pointer', form: 'raw' })],
  [/^p([sSB])/, ([, letter]) => ({ kind: 'pointer', form: letter === 's' ? 'symbol' : 'symbol-offset' })],
  [/^p(?![0-9a-zA-Z])/, () => ({ kind: 'pointer', form: 'hashed' })],
  [/^c/, () => ({ kind: 'char' })],
  [/^s/, () => ({ kind: 'string' })],
  [
    /^(l{0,2})([diux])/,
    ([, size, letter]) => ({ kind: 'number', letter: letter as Letter, bits: size === '' ? 32 : 64 }),
  ],
];

function parsePiece(text: string): { piece: Piece; length: number } | undefined {
  const head = /^([0 +-]*)([1-9][0-9]*)?/.exec(text)!;
  const rest = text.slice(head[0].length);
  for (const [pattern, make] of CONVERSIONS) {
    const match = pattern.exec(rest);
    if (!match) continue;
    const piece = {
      flags: head[1] ?? '',
      width: Math.min(Number(head[2] ?? 0), STRING_LIMIT),
      conversion: make(match),
    };
    return { piece, length: head[0].length + match[0].length };
  }
  return undefined;
}

function render(world: HelperWorld, piece: Piece, value: bigint): string | undefined {
  const { conversion } = piece;
  switch (conversion.kind) {
    case 'percent':
      return '%';
    case 'char':
      return pad(String.fromCharCode(Number(value & 0xffn)), piece, false);
    case 'string':
      return pad(readString(world, value), piece, false);
    case 'number':
      return renderNumber(piece, conversion.letter, BigInt.asUintN(conversion.bits, value), conversion.bits);
    case 'pointer':
      return pad(renderPointer(world, conversion.form, value), piece, false);
    case 'address':
      return renderAddress(world, conversion.version, conversion.dotted, value);
  }
}

function renderNumber(piece: Piece, letter: Letter, value: bigint, bits: number): string {
  if (letter === 'x') return pad(value.toString(16), piece, true);
  const signed = letter === 'u' ? value : BigInt.asIntN(bits, value);
  const sign =
    signed < 0n
      ? '-'
      : letter === 'u'
        ? ''
        : piece.flags.includes('+')
          ? '+'
          : piece.flags.includes(' ')
            ? ' '
            : '';
  const digits = (signed < 0n ? -signed : signed).toString();
  if (piece.flags.includes('0') && !piece.flags.includes('-'))
    return sign + digits.padStart(piece.width - sign.length, '0');
  return pad(sign + digits, piece, false);
}

function pad(text: string, { flags, width }: Piece, zeros: boolean): string {
  if (flags.includes('-')) return text.padEnd(width);
  return text.padStart(width, zeros && flags.includes('0') ? '0' : ' ');
}

function renderPointer(
  world: HelperWorld,
  form: 'hashed' | 'raw' | 'symbol' | 'symbol-offset',
  value: bigint,
): string {
  if (form === 'hashed') return hashedPointer(value);
  if (form === 'raw') return value.toString(16).padStart(16, '0');
  const symbol = world.symbolAt(value);
  if (!symbol) return hex64(value);
  return form === 'symbol' ? symbol.name : `${symbol.name}+0x${symbol.offset.toString(16)}`;
}

/** `%p` hides addresses behind a keyed hash; any fixed mixing does for a model. */
function hashedPointer(value: bigint): string {
  if (value === 0n) return '(null)';
  const mixed = BigInt.asUintN(64, (value ^ (value >> 33n)) * 0xff51afd7ed558ccdn) >> 32n;
  return mixed.toString(16).padStart(16, '0');
}

/** The string at an address: up to its NUL or the first byte that cannot be read. */
function readString(world: HelperWorld, address: bigint): string {
  let text = '';
  for (let i = 0; i < STRING_LIMIT; i++) {
    const byte = world.env.memory.tryRead(address + BigInt(i), 1)?.[0];
    if (byte === undefined) return i === 0 ? '(fault)' : text;
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** An IP address in memory: with separators for `I`, without for `i` (IPv6) or with leading zeros (IPv4). */
function renderAddress(
  world: HelperWorld,
  version: 4 | 6,
  upper: boolean,
  address: bigint,
): string | undefined {
  const bytes = world.env.memory.tryRead(address, version === 4 ? 4 : 16);
  if (!bytes) return undefined;
  if (version === 4)
    return [...bytes].map((byte) => (upper ? String(byte) : String(byte).padStart(3, '0'))).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16).padStart(4, '0'),
  );
  return groups.join(upper ? ':' : '');
}
