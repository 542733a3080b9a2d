import { IMMEDIATES, type ImmediateKind } from './immediates';

/** The operands that an instruction may have. */
export type Operand = 'rd' | 'rs1' | 'rs2' | 'csr' | 'imm';

/**
 * A register's place in the word: five bits at `shift`, or three bits that mean x8 to x15 (the RVC "prime" registers). The
 * first register of a pair is `even`: its lowest bit is opcode, always 0.
 */
export interface RegisterField {
  readonly shift: number;
  readonly short: boolean;
  readonly even?: true;
}

/**
 * What instructions of one format have in common. All that is not a field is opcode: the table derives the masks.
 */
export interface FormatShape {
  /** Bytes */
  readonly size: 2 | 4;
  /** Order of the operands in the positional encoders (`enc`), before aq and rl. */
  readonly args: readonly Operand[];
  /**
   * Assembly syntax. Operand names stand for themselves; `target` is an immediate relative to pc, shown as an address;
   * `pred` and `succ` are the ordering sets of a fence; `hex` is an immediate shown in hexadecimal; other words are literal.
   */
  readonly syntax: string;
  readonly rd?: RegisterField;
  readonly rs1?: RegisterField;
  readonly rs2?: RegisterField;
  /** A CSR number in bits 31:20. */
  readonly csr?: true;
  readonly imm?: ImmediateKind;
  /** Acquire in bit 26 and release in bit 25, written as a suffix of the mnemonic. */
  readonly ordering?: true;
}

const at = (shift: number): RegisterField => ({ shift, short: false });
const shortAt = (shift: number): RegisterField => ({ shift, short: true });

const pairAt = (shift: number): RegisterField => ({ shift, short: false, even: true });

const rd = at(7);
const rs1 = at(15);
const rs2 = at(20);

/** Instruction formats: those of the manual, told apart further where assembly syntax or immediate differ. */
const FORMATS = {
  r: { size: 4, args: ['rd', 'rs1', 'rs2'], syntax: 'rd, rs1, rs2', rd, rs1, rs2 },
  unary: { size: 4, args: ['rd', 'rs1'], syntax: 'rd, rs1', rd, rs1 },
  i: { size: 4, args: ['rd', 'rs1', 'imm'], syntax: 'rd, rs1, imm', rd, rs1, imm: IMMEDIATES.i },
  shift6: { size: 4, args: ['rd', 'rs1', 'imm'], syntax: 'rd, rs1, imm', rd, rs1, imm: IMMEDIATES.shamt6 },
  shift5: { size: 4, args: ['rd', 'rs1', 'imm'], syntax: 'rd, rs1, imm', rd, rs1, imm: IMMEDIATES.shamt5 },
  load: { size: 4, args: ['rd', 'rs1', 'imm'], syntax: 'rd, imm(rs1)', rd, rs1, imm: IMMEDIATES.i },
  jalr: { size: 4, args: ['rd', 'rs1', 'imm'], syntax: 'rd, imm(rs1)', rd, rs1, imm: IMMEDIATES.i },
  store: { size: 4, args: ['rs1', 'rs2', 'imm'], syntax: 'rs2, imm(rs1)', rs1, rs2, imm: IMMEDIATES.s },
  branch: { size: 4, args: ['rs1', 'rs2', 'imm'], syntax: 'rs1, rs2, target', rs1, rs2, imm: IMMEDIATES.b },
  u: { size: 4, args: ['rd', 'imm'], syntax: 'rd, hex', rd, imm: IMMEDIATES.u },
  j: { size: 4, args: ['rd', 'imm'], syntax: 'rd, target', rd, imm: IMMEDIATES.j },
  amo: { size: 4, args: ['rd', 'rs1', 'rs2'], syntax: 'rd, rs2, (rs1)', rd, rs1, rs2, ordering: true },
  amopair: {
    size: 4,
    args: ['rd', 'rs1', 'rs2'],
    syntax: 'rd, rs2, (rs1)',
    rd: pairAt(7),
    rs1,
    rs2: pairAt(20),
    ordering: true,
  },
  lr: { size: 4, args: ['rd', 'rs1'], syntax: 'rd, (rs1)', rd, rs1, ordering: true },
  csr: { size: 4, args: ['rd', 'csr', 'rs1'], syntax: 'rd, csr, rs1', rd, csr: true, rs1 },
  csri: { size: 4, args: ['rd', 'csr', 'imm'], syntax: 'rd, csr, imm', rd, csr: true, imm: IMMEDIATES.zimm },
  fence: { size: 4, args: ['imm'], syntax: 'pred, succ', imm: IMMEDIATES.fence },
  none: { size: 4, args: [], syntax: '' },

  ci: { size: 2, args: ['rd', 'imm'], syntax: 'rd, imm', rd, imm: IMMEDIATES.ci },
  cnop: { size: 2, args: ['imm'], syntax: 'imm', imm: IMMEDIATES.ci },
  clui: { size: 2, args: ['rd', 'imm'], syntax: 'rd, hex', rd, imm: IMMEDIATES.clui },
  cslli: { size: 2, args: ['rd', 'imm'], syntax: 'rd, imm', rd, imm: IMMEDIATES.cshamt },
  c16sp: { size: 2, args: ['imm'], syntax: 'sp, imm', imm: IMMEDIATES.c16sp },
  clwsp: { size: 2, args: ['rd', 'imm'], syntax: 'rd, imm(sp)', rd, imm: IMMEDIATES.cwload },
  cldsp: { size: 2, args: ['rd', 'imm'], syntax: 'rd, imm(sp)', rd, imm: IMMEDIATES.cdload },
  cswsp: { size: 2, args: ['rs2', 'imm'], syntax: 'rs2, imm(sp)', rs2: at(2), imm: IMMEDIATES.cwstore },
  csdsp: { size: 2, args: ['rs2', 'imm'], syntax: 'rs2, imm(sp)', rs2: at(2), imm: IMMEDIATES.cdstore },
  cr: { size: 2, args: ['rd', 'rs2'], syntax: 'rd, rs2', rd, rs2: at(2) },
  cjr: { size: 2, args: ['rs1'], syntax: 'rs1', rs1: at(7) },
  cnone: { size: 2, args: [], syntax: '' },
  ciw: { size: 2, args: ['rd', 'imm'], syntax: 'rd, sp, imm', rd: shortAt(2), imm: IMMEDIATES.ciw },
  clw: {
    size: 2,
    args: ['rd', 'rs1', 'imm'],
    syntax: 'rd, imm(rs1)',
    rd: shortAt(2),
    rs1: shortAt(7),
    imm: IMMEDIATES.cw,
  },
  cld: {
    size: 2,
    args: ['rd', 'rs1', 'imm'],
    syntax: 'rd, imm(rs1)',
    rd: shortAt(2),
    rs1: shortAt(7),
    imm: IMMEDIATES.cd,
  },
  csw: {
    size: 2,
    args: ['rs1', 'rs2', 'imm'],
    syntax: 'rs2, imm(rs1)',
    rs1: shortAt(7),
    rs2: shortAt(2),
    imm: IMMEDIATES.cw,
  },
  csd: {
    size: 2,
    args: ['rs1', 'rs2', 'imm'],
    syntax: 'rs2, imm(rs1)',
    rs1: shortAt(7),
    rs2: shortAt(2),
    imm: IMMEDIATES.cd,
  },
  ca: { size: 2, args: ['rd', 'rs2'], syntax: 'rd, rs2', rd: shortAt(7), rs2: shortAt(2) },
  candi: { size: 2, args: ['rd', 'imm'], syntax: 'rd, imm', rd: shortAt(7), imm: IMMEDIATES.ci },
  cshift: { size: 2, args: ['rd', 'imm'], syntax: 'rd, imm', rd: shortAt(7), imm: IMMEDIATES.cshamt },
  cj: { size: 2, args: ['imm'], syntax: 'target', imm: IMMEDIATES.cj },
  cb: { size: 2, args: ['rs1', 'imm'], syntax: 'rs1, target', rs1: shortAt(7), imm: IMMEDIATES.cb },
} as const satisfies Record<string, FormatShape>;

export type Format = keyof typeof FORMATS;

/** The formats again, all with the same properties in the same order: engines read such objects fastest. */
const SHAPES = new Map<Format, FormatShape>(
  Object.entries<FormatShape>(FORMATS).map(
    ([name, { size, args, syntax, rd, rs1, rs2, csr, imm, ordering }]) => [
      name as Format,
      { size, args, syntax, rd, rs1, rs2, csr, imm, ordering },
    ],
  ),
);

/** The shape of a format, with its optional parts visible to the type checker. */
export const shapeOf = (format: Format): FormatShape => SHAPES.get(format)!;

/** Bits of the acquire and release flags. */
export const AQ = 1 << 26;
export const RL = 1 << 25;

/** All bits of the word that hold operands of this format (int32). */
export function fieldBits(shape: FormatShape): number {
  let bits = shape.imm?.bits ?? 0;
  for (const field of [shape.rd, shape.rs1, shape.rs2]) {
    if (field) bits |= (field.short ? 7 : field.even ? 30 : 31) << field.shift;
  }
  if (shape.csr) bits |= 0xfff << 20;
  if (shape.ordering) bits |= AQ | RL;
  return bits;
}
