/** llvm-mca's rules as we state them (bench/timing) against llvm-mca itself: what is said of differences rests on this. */
import { describe, expect, test } from 'vitest';
import { ALL_RULES, cyclesAsMca, type McaRules } from '../../bench/timing/as-mca';
import { blockOf, distinct, type Block } from '../../bench/timing/blocks';
import { exampleBlocks, goldenBlocks } from '../../bench/timing/images';
import { hasLlvmMca, llvmMcaCycles } from '../../bench/timing/llvm-mca';
import { mcaCost, type McaCore } from '../../bench/timing/mca-costs';
import { Random } from '../../src/engine/base/testing/random';
import { assemble } from '../../src/engine/rv64/assemble';
import { disassemble } from '../../src/engine/rv64/disassemble';
import { BASE_SPECS } from '../../src/engine/rv64/table';
import { blockOfWords, randomBlock, randomInsn } from './random-blocks';

/** Enough for pipes and divider to go out of step with the block. */
const ROUNDS = 5;

/** Blocks for which our rules say something else than llvm-mca; both may say that LLVM's model lacks an instruction. */
function different(blocks: readonly Block[], core: McaCore, rules?: McaRules): readonly string[] {
  const theirs = llvmMcaCycles(blocks, core, ROUNDS);
  return blocks.flatMap(({ name, insns, source }, i) => {
    const ours = cyclesAsMca(insns, core, ROUNDS, rules);
    return ours === theirs[i] ? [] : [`${name}: ours ${ours}, llvm-mca ${theirs[i]}\n${source}`];
  });
}

const installed = hasLlvmMca();

if (!installed) {
  test.skip('SKIPPED: llvm-mca-19 is not installed, so nothing compares our statement of its rules with it', () =>
    undefined);
}

describe.skipIf(!installed).each(['rocket', 'u74'] as const)('as llvm-mca, %s', (core) => {
  const jited = distinct([...exampleBlocks(), ...goldenBlocks()]);
  const known = (blocks: readonly Block[]): number =>
    blocks.filter(({ insns }) => insns.every((insn) => mcaCost(core, insn) !== undefined)).length;

  test('every instruction alone, also those that its model lacks', () => {
    const random = new Random(1);
    const blocks = BASE_SPECS.map((spec) =>
      blockOfWords(spec.mnemonic, [randomInsn(spec, random, [5, 6, 7])]),
    );
    expect(known(blocks)).toBeGreaterThan(95);
    expect(different(blocks, core)).toEqual([]);
  });

  test('every basic block of the examples and of all recorded images', () => {
    expect(known(jited)).toBeGreaterThan(2900);
    expect(different(jited, core)).toEqual([]);
  });

  test('2,000 random blocks', () => {
    const random = new Random(0x74);
    const blocks = Array.from({ length: 2000 }, (_, i) =>
      randomBlock(`random ${i}`, random, (insn) => mcaCost(core, insn) !== undefined),
    );
    expect(known(blocks)).toBe(2000);
    expect(different(blocks, core)).toEqual([]);
  });
});

describe.skipIf(!installed)('each rule is there for a reason', () => {
  test.each([
    // A load takes three cycles, a store one: it may not be done before the load.
    ['u74', 'completionInOrder', 'ld a0, 0(a1)\nsd a2, 0(a3)'],
    // The addition gets pipe B, which the multiplication then lacks.
    ['u74', 'pipesInTurns', 'add a0, a1, a2\nmul a3, a4, a5'],
    // The first addi reads zero; so the second is not seen to wait for the load.
    ['rocket', 'operandsOfFirst', 'addi a6, zero, 33\nlw a1, 0(a2)\naddi a1, a1, 512'],
    // The first mul writes zero; so the result of the second takes no time, but it waits until all before it is done.
    ['rocket', 'operandsOfFirst', 'mul zero, a0, a5\nmul a3, a2, a2\nadd a4, a3, a3'],
  ] as const)('%s: %s', (core, rule, source) => {
    const block = blockOf(rule, [...disassemble(assemble(source).bytes, 0n)]);
    expect(different([block], core)).toEqual([]);
    expect(different([block], core, { ...ALL_RULES, [rule]: false })).toHaveLength(1);
  });
});
