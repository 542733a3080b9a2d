/** Operands for tests: of every instruction, with edge and random values. */
import type { Operands } from '../encode';
import type { Operand, RegisterField } from '../formats';
import type { ImmediateKind } from '../immediates';
import type { InsnSpec, Mnemonic } from '../table';
import type { Random } from './random';

export interface Sample {
  readonly mnemonic: Mnemonic;
  readonly operands: Operands;
}

type Values = { [operand in Operand]?: number };

const ALL = Array.from({ length: 32 }, (_, number) => number);
const SHORT = ALL.slice(8, 16);
const EVEN = ALL.filter((number) => number % 2 === 0);

/** The registers that a field can hold. */
const registersOf = ({ short, even }: RegisterField): readonly number[] =>
  short ? SHORT : even ? EVEN : ALL;
const CSRS = [0x000, 0x001, 0x100, 0x300, 0x7c0, 0x800, 0xb00, 0xc00, 0xc01, 0xc02, 0xc1f, 0xf14, 0xfff];

/** Both ends, the values around 0, and every value with a single bit. */
export function edgeImmediates({ min, max, step }: ImmediateKind): readonly number[] {
  const values = new Set([min, min + step, -step, 0, step, max - step, max]);
  for (let bit = step; bit <= max; bit *= 2) values.add(bit).add(-bit);
  return [...values].filter((value) => value >= min && value <= max);
}

/** The values worth trying for one operand of an instruction. */
function edges(spec: InsnSpec, operand: Operand): readonly number[] {
  const { shape, never } = spec;
  const all =
    operand === 'imm' ? edgeImmediates(shape.imm!) : operand === 'csr' ? CSRS : registersOf(shape[operand]!);
  return all.filter((value) => value !== never[operand]);
}

function randomValue(spec: InsnSpec, operand: Operand, random: Random): number {
  const { shape, never } = spec;
  for (;;) {
    let value: number;
    if (operand === 'imm') {
      const { min, max, step } = shape.imm!;
      value = min + step * random.below((max - min) / step + 1);
    } else if (operand === 'csr') value = random.pick(CSRS);
    else value = random.pick(registersOf(shape[operand]!));
    if (value !== never[operand]) return value;
  }
}

/** Each operand goes through all its edge values while the others are random; then `count` random samples follow. */
export function samplesOf(spec: InsnSpec, random: Random, count: number): readonly Sample[] {
  const { args, ordering } = spec.shape;
  const samples: Sample[] = [];
  const add = (given: Values): void => {
    const values: Values = {};
    for (const operand of args) values[operand] = given[operand] ?? randomValue(spec, operand, random);
    const fence = spec.format === 'fence' ? { pred: values.imm! >> 4, succ: values.imm! & 15 } : {};
    const flags = ordering ? { aq: random.below(2) === 1, rl: random.below(2) === 1 } : {};
    samples.push({ mnemonic: spec.mnemonic, operands: { ...values, ...fence, ...flags } });
  };
  for (const operand of args) {
    for (const value of edges(spec, operand)) add({ [operand]: value });
  }
  for (let index = 0; index < (args.length === 0 ? 1 : count); index++) add({});
  return samples;
}
