import { EngineError } from '../base/errors';
import { AQ, RL, type FormatShape, type Operand, type RegisterField } from './formats';
import type { DecodedInsn } from './decode';
import { registerName } from './registers';
import { specOf, type InsnSpec, type Mnemonic } from './table';

export { enc, type Encoders } from './enc';

/** Operands by name; those that an instruction does not have are ignored. */
export interface Operands {
  /** Register numbers 0 … 31 */
  readonly rd?: number;
  readonly rs1?: number;
  readonly rs2?: number;
  /** As DecodedInsn.imm */
  readonly imm?: number;
  /** CSR number 0 … 0xfff */
  readonly csr?: number;
  /** Acquire and release of atomics; false if left out. */
  readonly aq?: boolean;
  readonly rl?: boolean;
  /** Ordering sets of `fence`, 0 … 15 (i = 8, o = 4, r = 2, w = 1); everything if left out. */
  readonly pred?: number;
  readonly succ?: number;
}

function fail(spec: InsnSpec, operand: string, problem: string, value?: number): never {
  throw new EngineError('rv64/operand', `${spec.mnemonic}: ${problem}.`, {
    mnemonic: spec.mnemonic,
    operand,
    value,
  });
}

function checkedRegister(spec: InsnSpec, operand: Operand, field: RegisterField, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 31) {
    fail(spec, operand, `${operand} is ${value}, but registers are numbered 0 to 31`, value);
  }
  if (field.short && (value < 8 || value > 15)) {
    fail(
      spec,
      operand,
      `${operand} is ${registerName(value)}, but only s0, s1 and a0 to a5 can be encoded here`,
      value,
    );
  }
  if (field.even && value % 2 !== 0) {
    fail(
      spec,
      operand,
      `${operand} is ${registerName(value)}, but a pair begins with an even register`,
      value,
    );
  }
  return (field.short ? value & 7 : value) << field.shift;
}

function checkedImmediate(spec: InsnSpec, value: number): number {
  const kind = spec.shape.imm!;
  const { min, max, step } = kind;
  if (!Number.isInteger(value) || value < min || value > max || value % step !== 0) {
    // lui and auipc take their 20 bits with or without a sign; c.lui's value may be written as lui's.
    const bits = kind.pack(value);
    const other =
      spec.format === 'u'
        ? value >= -0x80000 && value < 0
        : spec.format === 'clui' && kind.unpack(bits) === value;
    if (!Number.isInteger(value) || !other) {
      const steps = step === 1 ? '' : ` in steps of ${step}`;
      fail(
        spec,
        'imm',
        `the immediate is ${value}, but it must be a whole number from ${min} to ${max}${steps}`,
        value,
      );
    }
    return bits;
  }
  return kind.pack(value);
}

/** The value of the immediate, with the defaults of instructions that may be written without one. */
function immediateOf(spec: InsnSpec, operands: Operands): number | undefined {
  if (spec.format === 'fence') {
    const { pred = 15, succ = 15 } = operands;
    for (const [name, set] of [
      ['pred', pred],
      ['succ', succ],
    ] as const) {
      if (!Number.isInteger(set) || set < 0 || set > 15)
        fail(spec, name, `${name} is ${set}, but it must be 0 to 15`, set);
    }
    return (pred << 4) | succ;
  }
  return spec.format === 'cnop' ? (operands.imm ?? 0) : operands.imm;
}

function fieldOf(spec: InsnSpec, operand: Operand, operands: Operands): number {
  const shape: FormatShape = spec.shape;
  const value = operand === 'imm' ? immediateOf(spec, operands) : operands[operand];
  if (value === undefined) fail(spec, operand, `the operand ${operand} is missing`);
  if (value === spec.never[operand]) {
    fail(spec, operand, `${operand} = ${value} is reserved or means another instruction`, value);
  }
  if (operand === 'imm') return checkedImmediate(spec, value);
  if (operand === 'csr') {
    if (!Number.isInteger(value) || value < 0 || value > 0xfff) {
      fail(spec, 'csr', `the CSR number is ${value}, but it must be 0 to 4095`, value);
    }
    return value << 20;
  }
  return checkedRegister(spec, operand, shape[operand]!, value);
}

/**
 * The instruction word, unsigned: 32 bits, or 16 for compressed mnemonics.
 * @throws EngineError `rv64/operand` when an operand is missing, out of range, or makes a reserved encoding.
 */
export function encode(mnemonic: Mnemonic, operands: Operands): number {
  const spec = specOf(mnemonic);
  let word = spec.match;
  for (const operand of spec.shape.args) word |= fieldOf(spec, operand, operands);
  if (spec.shape.ordering) word |= (operands.aq ? AQ : 0) | (operands.rl ? RL : 0);
  return word >>> 0;
}

/**
 * The word that `encode` gives for a decoded instruction, compressed if that was. It differs from `insn.word` only in
 * bits that decoders have to ignore.
 */
export function reencode(insn: DecodedInsn): number {
  const fence = insn.base.format === 'fence' ? { pred: insn.imm >> 4, succ: insn.imm & 15 } : {};
  return encode(insn.spec.mnemonic, { ...insn, ...fence });
}
