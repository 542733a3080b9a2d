import { blockOf, type Block } from '../../bench/timing/blocks';
import type { Random } from '../../src/engine/base/testing/random';
import { decode, type DecodedInsn } from '../../src/engine/rv64/decode';
import { disassemble } from '../../src/engine/rv64/disassemble';
import { encode, type Operands } from '../../src/engine/rv64/encode';
import type { ImmediateKind } from '../../src/engine/rv64/immediates';
import { BASE_SPECS, type BaseSpec } from '../../src/engine/rv64/table';

/** CSRs whose names llvm-mca knows. */
const CSRS = [0xc00, 0xc02, 0x140, 0x180, 0x7c0];

/** Small ones and multiples of 8 can often be compressed; the others seldom. */
function randomImmediate({ min, max, step }: ImmediateKind, random: Random): number {
  const [low, high] = random.below(2) === 0 ? [min, max] : [Math.max(min, -32), Math.min(max, 32)];
  const value = low + step * random.below(Math.floor((high - low) / step) + 1);
  const rounded = value - (value % 8);
  return random.below(2) === 0 && rounded >= min ? rounded : value;
}

/** A random instruction of one kind: its registers are those given, mostly, so that instructions depend on each other. */
export function randomInsn(spec: BaseSpec, random: Random, registers: readonly number[]): number {
  const { shape, never } = spec;
  for (;;) {
    const operands: { -readonly [name in keyof Operands]: Operands[name] } = {};
    for (const operand of shape.args) {
      if (operand === 'csr') operands.csr = random.pick(CSRS);
      else if (operand === 'imm') {
        operands.imm = randomImmediate(shape.imm!, random);
      } else operands[operand] = shape[operand]!.even ? 2 * random.below(16) : random.pick(registers);
    }
    if (shape.args.some((operand) => never[operand] !== undefined && operands[operand] === never[operand]))
      continue;
    if (spec.format === 'fence')
      Object.assign(operands, { pred: operands.imm! >> 4, succ: operands.imm! & 15 });
    if (shape.ordering) Object.assign(operands, { aq: random.below(2) === 1, rl: random.below(2) === 1 });
    return encode(spec.mnemonic, operands);
  }
}

/** A block of these uncompressed instructions. */
export function blockOfWords(name: string, words: readonly number[]): Block {
  const bytes = new Uint8Array(4 * words.length);
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word, true));
  return blockOf(name, [...disassemble(bytes, 0x1_0000n)]);
}

/** What JITed code consists of; chosen as often as all others together. */
const COMMON = new Set(['addi', 'addiw', 'add', 'ld', 'sd', 'slli', 'srli', 'lui', 'beq', 'lbu', 'lw', 'sw']);

/**
 * A straight-line block of 1 to 40 instructions for which `wanted` is true, among few or many registers; zero is among
 * them, and often the stack pointer, which has compressed forms of its own. Branches are not taken.
 */
export function randomBlock(name: string, random: Random, wanted: (insn: DecodedInsn) => boolean): Block {
  const registers = [
    0,
    ...(random.below(2) === 0 ? [2] : []),
    ...Array.from({ length: random.between(1, 12) }, () => random.below(32)),
  ];
  const all = BASE_SPECS;
  const common = all.filter(({ mnemonic }) => COMMON.has(mnemonic));
  const length = random.between(1, 40);
  const words: number[] = [];
  while (words.length < length) {
    const spec = random.pick(random.below(2) === 0 ? common : all);
    const word = randomInsn(spec, random, registers);
    if (wanted(decode(word)!)) words.push(word);
  }
  return blockOfWords(name, words);
}
