import { blockCycles } from '../src/engine/machine/timing/block';
import { TIMING_PROFILES } from '../src/engine/machine/timing/profile';
import { distinct, type Block } from './timing/blocks';
import { causesOf, perRound, type Cause } from './timing/causes';
import { exampleBlocks, goldenBlocks } from './timing/images';
import { hasLlvmMca, llvmMcaCycles } from './timing/llvm-mca';
import type { McaCore } from './timing/mca-costs';

const CORES = ['rocket', 'u74'] as const;

const EXPLANATION = `
The causes, in the order in which they are added to our profile (bench/timing/as-mca.ts applies them):
- addresses wait for late arithmetic: LLVM does all arithmetic of the U74 in the late unit, so that an address waits two cycles more
  for it. The core does it early when the operands are there (LLVM review D153666), and so does the profile.
- LLVM's costs: 33 cycles for a division of 64 bits on rocket; results of atomics do not go to the late unit; one cycle for sc and
  CSR reads; a nop takes no pipe; two writes of one register may go together; a slow result that is overwritten is not waited for.
- in-order completion: llvm-mca lets no instruction be done before an earlier one. After a load or, in its u74 model, after
  arithmetic (3 cycles), an instruction of one cycle (a store, a nop) is held back. The cores issue it; results are written in
  order at the end of the pipeline. A call counts as 100 cycles.
- pipes in turns: llvm-mca gives arithmetic the two pipes in turns, not looking at what the next instruction needs.
- forgotten operands: llvm-mca decides by an opcode's first instruction in a block what all of them read. After "li a6, 33", which is
  "addi a6, zero, 33", no uncompressed addi of the block waits for its operand.`;

/** Shorter blocks say little. */
const LEAST = 4;

/** Blocks without jumps to elsewhere: what follows them is then the block again or nothing. */
const staysInside = ({ insns }: Block): boolean =>
  insns.length >= LEAST && insns.every(({ base }) => base.format !== 'jalr' && base.format !== 'j');

/** Our cycles beside llvm-mca's, a round. */
interface Comparison {
  readonly ours: number;
  /** Undefined where LLVM's model does not have all instructions. */
  readonly theirs: number | undefined;
  readonly causes: readonly Cause[];
}

function compare(blocks: readonly Block[], core: McaCore): readonly Comparison[] {
  const runs = new Map<number, readonly (number | undefined)[]>();
  const run = (rounds: number): readonly (number | undefined)[] => {
    const known = runs.get(rounds) ?? llvmMcaCycles(blocks, core, rounds);
    runs.set(rounds, known);
    return known;
  };
  return blocks.map(({ insns }, i) => {
    const ours = blockCycles(insns, TIMING_PROFILES[core]);
    const theirs = perRound((rounds) => run(rounds)[i] ?? Number.NaN);
    if (Number.isNaN(theirs)) return { ours, theirs: undefined, causes: [] };
    const causes = causesOf(insns, core) ?? [];
    const left = theirs - causes.reduce((sum, { cycles }) => sum + cycles, ours);
    const rest = Math.abs(left) > 1e-9 ? [{ name: 'not explained', cycles: left }] : [];
    return { ours, theirs, causes: [...causes, ...rest] };
  });
}

const short = (value: number): string => String(Math.round(value * 100) / 100);
const percent = ({ ours, theirs }: Comparison): number => (100 * (ours - theirs!)) / theirs!;
const causesText = (core: McaCore, { causes }: Comparison): string =>
  causes.length === 0
    ? ''
    : `${core}: ${causes.map(({ name, cycles }) => `${name} ${cycles > 0 ? '+' : ''}${short(cycles)}`).join(', ')}`;

function row(block: Block, results: readonly Comparison[]): string {
  const columns = results.flatMap((result) =>
    result.theirs === undefined
      ? ['–', short(result.ours), '–']
      : [short(result.theirs), short(result.ours), `${percent(result).toFixed(0)}%`],
  );
  const causes = results.map((result, i) => causesText(CORES[i]!, result)).filter((text) => text !== '');
  return `| ${[block.name, block.insns.length, ...columns, causes.join('; ')].join(' | ')} |`;
}

/** How many blocks are how far apart, and what the causes come to in all of them. */
function summary(core: McaCore, results: readonly Comparison[]): string {
  const known = results.filter(({ theirs }) => theirs !== undefined);
  const within = (limit: number): number => known.filter((one) => Math.abs(percent(one)) <= limit).length;
  const sums = new Map<string, number>();
  for (const { name, cycles } of known.flatMap(({ causes }) => causes))
    sums.set(name, (sums.get(name) ?? 0) + cycles);
  const total = (of: (one: Comparison) => number): string =>
    short(known.reduce((sum, one) => sum + of(one), 0));
  return [
    `${core}: ${known.length} blocks (${results.length - known.length} have instructions that LLVM's model lacks)`,
    `equal ${within(1e-9)}, at most 10 % apart ${within(10)}`,
    `cycles ${total(({ ours }) => ours)}, llvm-mca ${total(({ theirs }) => theirs!)}`,
    `by cause: ${[...sums].map(([name, cycles]) => `${name} ${short(cycles)}`).join(', ')}`,
  ].join('; ');
}

/**
 * Cycles of basic blocks of JITed code: our timing profiles beside llvm-mca's models of the same cores, and what makes each
 * difference. Prints a table in Markdown of the examples' blocks, and sums over them and all recorded images.
 */
export default function bench(): void {
  if (!hasLlvmMca()) {
    console.log("llvm-mca-19 is not installed (Debian's llvm-19); there is nothing to compare with.");
    return;
  }
  const examples = distinct(exampleBlocks());
  const blocks = examples.filter(staysInside);
  const results = CORES.map((core) => compare(blocks, core));
  console.log(
    '| block | insns | mca rocket | rocket | diff | mca u74 | u74 | diff | what makes the difference |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  blocks.forEach((block, i) => {
    console.log(
      row(
        block,
        results.map((result) => result[i]!),
      ),
    );
  });
  console.log('\nThese blocks:');
  CORES.forEach((core, i) => console.log(summary(core, results[i]!)));
  const all = distinct([...examples, ...goldenBlocks()]);
  console.log(
    '\nAll blocks of the examples and of the recorded images, also short ones and those that jump elsewhere:',
  );
  for (const core of CORES) console.log(summary(core, compare(all, core)));
  console.log(EXPLANATION);
}
