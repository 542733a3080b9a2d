import { BASE_SPECS } from '../rv64/table';
import * as numbers from './core/ops';

/**
 * Ops that the core knows besides the instructions of the table: what the pre-decoder makes of an instruction in its
 * place, and how records hang together.
 */
const PSEUDO_OPS = {
  NOP: 'An instruction without effect: fences, and arithmetic into x0.',
  STUB: 'Goes on at offset + imm of this region, which may not be decoded yet. Counts as no instruction.',
  LINK: 'Goes on at the record imm. Counts as no instruction.',
  MARK: 'Notes that the machine came here, gives the record back what the mark imm keeps of it and goes on with that.',
  RAISE_SP: 'addi sp, sp, imm with a positive imm.',
  BREAK: 'A breakpoint in the place of the op it hides.',
  ILLEGAL: 'No instruction that this hart executes.',
  FETCH_FAULT: 'An instruction whose bytes cannot all be fetched; the byte at offset + imm is the first.',
  CSR_CYCLE: 'Reads the cycle counter into rd.',
  CSR_TIME: 'Reads the time register into rd.',
  CSR_INSTRET: 'Reads the retired-instructions counter into rd.',
} as const;

/** The name of a mnemonic's constant in core/ops.ts: `amoadd.w` is `AMOADD_W`. */
const constantName = (mnemonic: string): string => mnemonic.toUpperCase().replaceAll('.', '_');

/** The text of core/ops.ts, made from the instruction table and {@link PSEUDO_OPS}. */
export function opsSource(): string {
  const lines = [
    '// Made from the instruction table by opsSource() in op-numbers.ts; its test says how to make it anew.',
    ...BASE_SPECS.map(({ mnemonic, op }) => `export const ${constantName(mnemonic)} = ${op};`),
    ...Object.entries(PSEUDO_OPS).map(
      ([name, meaning], index) => `/** ${meaning} */\nexport const ${name} = ${BASE_SPECS.length + index};`,
    ),
  ];
  return lines.join('\n') + '\n';
}

const NUMBERS: Readonly<Record<string, number | undefined>> = numbers;

const BY_SPEC: readonly number[] = BASE_SPECS.map(
  ({ mnemonic }) => NUMBERS[constantName(mnemonic)] ?? numbers.ILLEGAL,
);

/** The core's op number of an instruction of the table, given its `op` there. */
export const coreOp = (tableOp: number): number => BY_SPEC[tableOp]!;
