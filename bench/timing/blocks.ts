import type { DecodedInsn } from '../../src/engine/rv64/decode';
import { disassemble, type DisassembledInsn } from '../../src/engine/rv64/disassemble';

/** Instructions that are executed one after the other, from the first to the last. */
export interface Block {
  readonly name: string;
  readonly insns: readonly DecodedInsn[];
  /** One instruction a line, as llvm-mca reads it. */
  readonly source: string;
}

const JUMPS = new Set<string>(['branch', 'j', 'jalr']);

/** Targets do not matter to llvm-mca. */
function asSource({ insn, mnemonic, operands }: DisassembledInsn): string {
  const { format } = insn!.base;
  return `${mnemonic} ${format === 'branch' || format === 'j' ? operands.replace(/[^ ]+$/, '.') : operands}`;
}

/** A block of these instructions. */
export const blockOf = (name: string, lines: readonly DisassembledInsn[]): Block => ({
  name,
  insns: lines.map(({ insn }) => insn!),
  source: lines.map(asSource).join('\n'),
});

/**
 * The basic blocks of an image: between jumps and targets of jumps. Data among the code ends a block and belongs to none.
 * `base`: the address of the first byte.
 */
export function blocksOf(name: string, image: Uint8Array, base: bigint): readonly Block[] {
  const lines = [...disassemble(image, base)];
  const starts = new Set<bigint>();
  for (const { insn, address, size } of lines) {
    if (!insn || !JUMPS.has(insn.base.format)) continue;
    starts.add(address + BigInt(size));
    if (insn.base.format !== 'jalr') starts.add(address + BigInt(insn.imm));
  }
  const blocks: Block[] = [];
  let piece: DisassembledInsn[] = [];
  const end = (): void => {
    if (piece.length > 0) blocks.push(blockOf(`${name}+0x${(piece[0]!.address - base).toString(16)}`, piece));
    piece = [];
  };
  for (const line of lines) {
    if (!line.insn || starts.has(line.address)) end();
    if (line.insn) piece.push(line);
  }
  end();
  return blocks;
}

/** Blocks without those that another one equals, instruction by instruction. */
export function distinct(blocks: Iterable<Block>): readonly Block[] {
  const bySource = new Map<string, Block>();
  for (const block of blocks) if (!bySource.has(block.source)) bySource.set(block.source, block);
  return [...bySource.values()];
}
