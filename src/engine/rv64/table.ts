/**
 * The instruction table: the one place that knows encodings. Encoder, decoder, printer, assembler and the machine's
 * op numbers all follow from it.
 *
 * To add an instruction:
 *
 * 1. Write a row into the file of its extension under `insns/`: mnemonic, format, and the word with all operands zero
 *    (take it from the manual's listing; the mask follows from the format). A new extension is a new file and one line
 *    in `EXTENSIONS` below.
 * 2. If no format has its operands, add one to FORMATS (`formats.ts`): fields, argument order, assembly syntax; and
 *    if its immediate is scattered in a new way, the layout to IMMEDIATES (`immediates.ts`).
 * 3. A compressed instruction also says what it expands to, as assembly. The machine then needs nothing new.
 * 4. A base instruction needs its meaning in the machine, which the type checker will demand there.
 *
 * `decode`, `encode`, `enc.name`, `print` and `assemble` then know it, and the tests compare it with an independent
 * disassembler (`oracle.test.ts`) without being told.
 */
import { EngineError } from '../base/errors';
import { fieldBits, shapeOf, type Format, type FormatShape, type Operand } from './formats';
import { A } from './insns/a';
import { C } from './insns/c';
import { I } from './insns/i';
import { M } from './insns/m';
import { ZACAS } from './insns/zacas';
import { ZBA } from './insns/zba';
import { ZBB } from './insns/zbb';
import { ZBS } from './insns/zbs';
import { ZICOND } from './insns/zicond';
import { ZICSR } from './insns/zicsr';
import { ZIFENCEI } from './insns/zifencei';
import { findRegister } from './registers';
import type { BaseRow, CompressedRow } from './row';

/** Extensions with uncompressed instructions, and their rows. */
const EXTENSIONS = {
  I,
  M,
  A,
  Zicsr: ZICSR,
  Zifencei: ZIFENCEI,
  Zba: ZBA,
  Zbb: ZBB,
  Zbs: ZBS,
  Zacas: ZACAS,
  Zicond: ZICOND,
} as const satisfies Record<string, readonly BaseRow[]>;

type AnyBaseRow = (typeof EXTENSIONS)[keyof typeof EXTENSIONS][number];
/** A row of the table, as literal types: from it the typed encoders are derived. */
export type TableRow = AnyBaseRow | (typeof C)[number];

export type Extension = keyof typeof EXTENSIONS | 'C';
/** Mnemonics of uncompressed instructions: what a machine has to execute. */
export type BaseMnemonic = AnyBaseRow[0];
/** Mnemonics of compressed instructions, all beginning with `c.`. */
export type CompressedMnemonic = (typeof C)[number][0];
export type Mnemonic = BaseMnemonic | CompressedMnemonic;

interface CommonSpec {
  readonly extension: Extension;
  readonly format: Format;
  readonly shape: FormatShape;
  /** Bytes */
  readonly size: 2 | 4;
  /** A word w is this instruction if (w & mask) === match, unless `never` says otherwise. Both are unsigned. */
  readonly match: number;
  readonly mask: number;
  /** Operand values with which these bits are not this instruction. */
  readonly never: { readonly [operand in Operand]?: number };
}

/** An uncompressed instruction. */
export interface BaseSpec extends CommonSpec {
  readonly mnemonic: BaseMnemonic;
  /** A dense number from 0, in table order: index into {@link BASE_SPECS}. Stable within a build, not between versions. */
  readonly op: number;
  readonly expansion?: undefined;
}

/** Where an operand of the base instruction comes from: an operand of the compressed one, or a constant. */
export type ExpansionSource = Operand | number;

/** What a compressed instruction means. */
export interface Expansion {
  readonly base: BaseSpec;
  readonly rd: ExpansionSource;
  readonly rs1: ExpansionSource;
  readonly rs2: ExpansionSource;
  readonly imm: ExpansionSource;
}

export interface CompressedSpec extends CommonSpec {
  readonly mnemonic: CompressedMnemonic;
  readonly expansion: Expansion;
}

/** One instruction of the table. */
export type InsnSpec = BaseSpec | CompressedSpec;

function common(
  extension: Extension,
  [mnemonic, format, match]: BaseRow,
  options: BaseRow[3] = {},
): CommonSpec {
  const shape = shapeOf(format);
  const whole = shape.size === 2 ? 0xffff : 0xffffffff;
  const fields = fieldBits(shape);
  if ((match & fields) !== 0 || match > whole) {
    throw new EngineError(
      'rv64/table',
      `The table's row '${mnemonic}' has opcode bits where its format has operands.`,
      { mnemonic },
    );
  }
  const mask = (whole & ~(fields | (options.ignored ?? 0))) >>> 0;
  return { extension, format, shape, size: shape.size, match, mask, never: options.never ?? {} };
}

function baseSpecs(): readonly BaseSpec[] {
  const specs: BaseSpec[] = [];
  for (const extension of Object.keys(EXTENSIONS) as (keyof typeof EXTENSIONS)[]) {
    for (const row of EXTENSIONS[extension]) {
      const options: BaseRow[3] = row[3];
      specs.push({ mnemonic: row[0], op: specs.length, ...common(extension, row, options) });
    }
  }
  return specs;
}

/** All uncompressed instructions, by `op`. */
export const BASE_SPECS: readonly BaseSpec[] = baseSpecs();

const BASE_BY_MNEMONIC: ReadonlyMap<string, BaseSpec> = new Map(
  BASE_SPECS.map((spec) => [spec.mnemonic, spec]),
);

/** Reads a row's expansion, such as `addi rd, sp, imm`, with the syntax of the base instruction as the pattern. */
function parseExpansion(mnemonic: string, text: string): Expansion {
  const words = (line: string): string[] => line.split(/[\s,()]+/).filter((word) => word !== '');
  const [baseMnemonic = '', ...values] = words(text);
  const base = BASE_BY_MNEMONIC.get(baseMnemonic);
  const places = base ? words(base.shape.syntax) : [];
  if (base === undefined || places.length !== values.length) {
    throw new EngineError(
      'rv64/table',
      `The table's row '${mnemonic}' has an expansion that is no instruction: '${text}'.`,
      { mnemonic },
    );
  }
  const sources: Record<'rd' | 'rs1' | 'rs2' | 'imm', ExpansionSource> = { rd: 0, rs1: 0, rs2: 0, imm: 0 };
  places.forEach((place, index) => {
    const value = values[index]!;
    const operand = place === 'rd' || place === 'rs1' || place === 'rs2' ? place : 'imm';
    sources[operand] =
      value === 'rd' || value === 'rs1' || value === 'rs2' || value === 'imm'
        ? value
        : (findRegister(value) ?? Number(value));
  });
  return { base, ...sources };
}

/** All compressed instructions. */
export const COMPRESSED_SPECS: readonly CompressedSpec[] = C.map((row) => {
  const [mnemonic, format, match, expansion, options]: CompressedRow = row;
  return {
    mnemonic: row[0],
    ...common('C', [mnemonic, format, match], options),
    expansion: parseExpansion(mnemonic, expansion),
  };
});

/** The whole table. */
export const TABLE: readonly InsnSpec[] = [...BASE_SPECS, ...COMPRESSED_SPECS];

const BY_MNEMONIC: ReadonlyMap<string, InsnSpec> = new Map(TABLE.map((spec) => [spec.mnemonic, spec]));

/** The instruction named `mnemonic`, undefined when the table has none. */
export function findSpec(mnemonic: string): InsnSpec | undefined {
  return BY_MNEMONIC.get(mnemonic);
}

/** The instruction of a mnemonic that the type checker knows. */
export function specOf(mnemonic: BaseMnemonic): BaseSpec;
export function specOf(mnemonic: CompressedMnemonic): CompressedSpec;
export function specOf(mnemonic: Mnemonic): InsnSpec;
export function specOf(mnemonic: Mnemonic): InsnSpec {
  return BY_MNEMONIC.get(mnemonic)!;
}
