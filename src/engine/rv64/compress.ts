import { decode } from './decode';
import { encode } from './encode';
import type { Operand, RegisterField } from './formats';
import { isCompressedHint } from './hints';
import { COMPRESSED_SPECS, type BaseMnemonic, type CompressedSpec } from './table';

/** The operands of a base instruction; 0 where it has none. */
export interface BaseOperands {
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly imm: number;
}

type Values = { [operand in Operand]?: number };

const OPERANDS = ['rd', 'rs1', 'rs2', 'imm'] as const;
const COMMUTATIVE: ReadonlySet<BaseMnemonic> = new Set<BaseMnemonic>([
  ...(['add', 'addw', 'and', 'or', 'xor', 'beq', 'bne'] as const),
]);

const BY_BASE = new Map<BaseMnemonic, CompressedSpec[]>();
for (const spec of COMPRESSED_SPECS) {
  const { mnemonic } = spec.expansion.base;
  BY_BASE.set(mnemonic, [...(BY_BASE.get(mnemonic) ?? []), spec]);
}

/** Reads an expansion backwards: the compressed instruction's operands, or undefined if the base operands do not fit it. */
function unexpand(spec: CompressedSpec, operands: BaseOperands): Values | undefined {
  const values: Values = {};
  for (const operand of OPERANDS) {
    const source = spec.expansion[operand];
    const value = operands[operand];
    if (typeof source === 'number') {
      if (source !== value) return undefined;
    } else {
      if (values[source] !== undefined && values[source] !== value) return undefined;
      values[source] = value;
    }
  }
  return values;
}

function isEncodable({ shape, never }: CompressedSpec, values: Values): boolean {
  const registerFits = (field: RegisterField | undefined, value = 0): boolean =>
    !field?.short || (value >= 8 && value <= 15);
  return (
    shape.args.every((operand) => values[operand] !== never[operand]) &&
    registerFits(shape.rd, values.rd) &&
    registerFits(shape.rs1, values.rs1) &&
    registerFits(shape.rs2, values.rs2) &&
    (shape.imm === undefined || shape.imm.unpack(shape.imm.pack(values.imm!)) === values.imm)
  );
}

function compressExactly(mnemonic: BaseMnemonic, operands: BaseOperands): number | undefined {
  for (const spec of BY_BASE.get(mnemonic) ?? []) {
    const values = unexpand(spec, operands);
    if (values === undefined || !isEncodable(spec, values)) continue;
    const word = encode(spec.mnemonic, values);
    const insn = decode(word);
    if (insn !== undefined && !isCompressedHint(insn)) return word;
  }
  return undefined;
}

/**
 * The halfword that does the same as a base instruction, undefined when there is none. Chooses as assemblers do: also
 * c.mv for adding zero, c.li for addiw with zero, and swapped operands of commutative operations and comparisons; never a HINT.
 */
export function compress(mnemonic: BaseMnemonic, operands: BaseOperands): number | undefined {
  const exact = compressExactly(mnemonic, operands);
  if (exact !== undefined) return exact;
  const { rd, rs1, rs2, imm } = operands;
  if (mnemonic === 'addi' && imm === 0 && rs1 !== 0)
    return compressExactly('add', { rd, rs1: 0, rs2: rs1, imm: 0 });
  // A small constant is the same in 32 bits.
  if (mnemonic === 'addiw' && rs1 === 0 && rd !== 0) return compressExactly('addi', { rd, rs1, rs2, imm });
  if (COMMUTATIVE.has(mnemonic)) return compressExactly(mnemonic, { rd, rs1: rs2, rs2: rs1, imm });
  return undefined;
}
