import { EngineError } from '../base/errors';
import { AQ, RL, type Format, type FormatShape, type RegisterField } from './formats';
import { TABLE, type TableRow } from './table';

/** Arguments of the positional encoders by format; the order is that of the format's `args`. */
interface EncodeArgs {
  r: [rd: number, rs1: number, rs2: number];
  unary: [rd: number, rs1: number];
  i: [rd: number, rs1: number, imm: number];
  shift6: [rd: number, rs1: number, shamt: number];
  shift5: [rd: number, rs1: number, shamt: number];
  load: [rd: number, rs1: number, imm: number];
  jalr: [rd: number, rs1: number, imm: number];
  store: [rs1: number, rs2: number, imm: number];
  branch: [rs1: number, rs2: number, imm: number];
  u: [rd: number, imm20: number];
  j: [rd: number, imm: number];
  amo: [rd: number, rs1: number, rs2: number, aq?: boolean | number, rl?: boolean | number];
  amopair: [rd: number, rs1: number, rs2: number, aq?: boolean | number, rl?: boolean | number];
  lr: [rd: number, rs1: number, aq?: boolean | number, rl?: boolean | number];
  csr: [rd: number, csr: number, rs1: number];
  csri: [rd: number, csr: number, zimm: number];
  fence: [pred: number, succ: number];
  none: [];
  ci: [rd: number, imm: number];
  cnop: [imm?: number];
  clui: [rd: number, imm20: number];
  cslli: [rd: number, shamt: number];
  c16sp: [imm: number];
  clwsp: [rd: number, imm: number];
  cldsp: [rd: number, imm: number];
  cswsp: [rs2: number, imm: number];
  csdsp: [rs2: number, imm: number];
  cr: [rd: number, rs2: number];
  cjr: [rs1: number];
  cnone: [];
  ciw: [rd: number, imm: number];
  clw: [rd: number, rs1: number, imm: number];
  cld: [rd: number, rs1: number, imm: number];
  csw: [rs1: number, rs2: number, imm: number];
  csd: [rs1: number, rs2: number, imm: number];
  ca: [rd: number, rs2: number];
  candi: [rd: number, imm: number];
  cshift: [rd: number, shamt: number];
  cj: [imm: number];
  cb: [rs1: number, imm: number];
}

/** `amoadd.d` is called amoadd_d. */
type Underscored<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Head}_${Underscored<Tail>}`
  : Name;

/** The positional encoders: one function per mnemonic of the table. */
export type Encoders = {
  readonly [Row in TableRow as Underscored<Row[0]>]: (...args: EncodeArgs[Row[1] & Format]) => number;
};

/** A register argument's place: (value & mask) << shift. */
interface Place {
  readonly shift: number;
  readonly mask: number;
}

const placeOf = ({ shift, short }: RegisterField): Place => ({ shift, mask: short ? 7 : 31 });

type Encoder = (...args: number[]) => number;

/**
 * A closure for the operands that the shape has, in the order of `shape.args`. Every format has its immediate last and
 * its registers first, so that the kinds of operands alone tell how to make the word.
 */
function encoderFor(shape: FormatShape, match: number): Encoder {
  const kinds = shape.args
    .map((operand) => (operand === 'imm' || operand === 'csr' ? operand : 'register'))
    .join(' ');
  const places = shape.args.flatMap((operand) => {
    const field = operand === 'imm' || operand === 'csr' ? undefined : shape[operand];
    return field ? [placeOf(field)] : [];
  });
  const [a = { shift: 0, mask: 0 }, b = a, c = a] = places;
  const pack = shape.imm?.pack ?? (() => 0);

  if (shape.ordering) {
    return places.length === 3
      ? (x, y, z, aq, rl) =>
          (match |
            ((x! & 31) << 7) |
            ((y! & 31) << 15) |
            ((z! & 31) << 20) |
            (aq ? AQ : 0) |
            (rl ? RL : 0)) >>>
          0
      : (x, y, aq, rl) =>
          (match | ((x! & 31) << 7) | ((y! & 31) << 15) | (aq ? AQ : 0) | (rl ? RL : 0)) >>> 0;
  }
  switch (kinds) {
    case 'register register register':
      return (x, y, z) =>
        (match | ((x! & a.mask) << a.shift) | ((y! & b.mask) << b.shift) | ((z! & c.mask) << c.shift)) >>> 0;
    case 'register register imm':
      return (x, y, imm) =>
        (match | ((x! & a.mask) << a.shift) | ((y! & b.mask) << b.shift) | pack(imm!)) >>> 0;
    case 'register register':
      return (x, y) => (match | ((x! & a.mask) << a.shift) | ((y! & b.mask) << b.shift)) >>> 0;
    case 'register imm':
      return (x, imm) => (match | ((x! & a.mask) << a.shift) | pack(imm!)) >>> 0;
    case 'register':
      return (x) => (match | ((x! & a.mask) << a.shift)) >>> 0;
    case 'imm':
      return (imm) => (match | pack(imm!)) >>> 0;
    case 'register csr register':
      return (x, csr, y) =>
        (match | ((x! & a.mask) << a.shift) | (csr! << 20) | ((y! & b.mask) << b.shift)) >>> 0;
    case 'register csr imm':
      return (x, csr, imm) => (match | ((x! & a.mask) << a.shift) | (csr! << 20) | pack(imm!)) >>> 0;
    case '':
      return () => match;
    default:
      throw new EngineError('rv64/table', `No encoder is written for operands in the order '${kinds}'.`, {
        kinds,
      });
  }
}

function buildEncoders(): Encoders {
  const encoders: Record<string, Encoder> = {};
  for (const { mnemonic, format, shape, match } of TABLE) {
    const encoder: Encoder =
      format === 'fence'
        ? (pred, succ) => (match | shape.imm!.pack((pred! << 4) | succ!)) >>> 0
        : encoderFor(shape, match);
    encoders[mnemonic.replaceAll('.', '_')] = encoder;
  }
  return encoders as Encoders;
}

/**
 * Fast encoders with positional operands: `enc.addi(rd, rs1, imm)`, loads `enc.ld(rd, rs1, imm)`, stores
 * `enc.sd(rs1, rs2, imm)`, `enc.lui(rd, imm20)`, `enc.amoadd_d(rd, rs1, rs2, aq, rl)` with rs1 the address,
 * `enc.csrrs(rd, csr, rs1)`, `enc.c_lw(rd, rs1, imm)`. They give unsigned words, 16 bits for `c_` names.
 *
 * Nothing is checked: bits of an operand that have no place in the word are dropped. {@link encode} checks.
 */
export const enc: Encoders = buildEncoders();
