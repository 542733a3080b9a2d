import { spawnSync } from 'node:child_process';
import { EngineError } from '../../src/engine/base/errors';
import type { Block } from './blocks';
import type { McaCore } from './mca-costs';

const TOOL = 'llvm-mca-19';
const CPUS: Readonly<Record<McaCore, string>> = { rocket: 'rocket-rv64', u74: 'sifive-u74' };

/** Whether llvm-mca is installed (Debian: llvm-19). */
export const hasLlvmMca = (): boolean => spawnSync(TOOL, ['--version']).status === 0;

/**
 * "Total Cycles" of each block when it is executed `rounds` times, by llvm-mca; undefined for a block of which it skips an
 * instruction because its model of the core does not have it.
 * @throws EngineError `rv64/tool` when llvm-mca fails.
 */
export function llvmMcaCycles(
  blocks: readonly Block[],
  core: McaCore,
  rounds: number,
): readonly (number | undefined)[] {
  const options = [
    '-mtriple=riscv64',
    `-mcpu=${CPUS[core]}`,
    '-mattr=+m,+a,+c,+zba,+zbb,+zbs',
    `-iterations=${rounds}`,
    '-instruction-info=0',
    '-resource-pressure=0',
    '-skip-unsupported-instructions=any',
  ];
  const input = blocks
    .map(({ source }, i) => `# LLVM-MCA-BEGIN b${i}\n${source}\n# LLVM-MCA-END b${i}\n`)
    .join('');
  const { status, stdout, stderr } = spawnSync(TOOL, options, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new EngineError('rv64/tool', `${TOOL} failed: ${stderr.trim()}.`, { tool: TOOL });
  const answers = new Map<number, { readonly instructions: number; readonly cycles: number }>();
  const region = /Code Region - b(\d+)\s+Iterations:\s+\d+\s+Instructions:\s+(\d+)\s+Total Cycles:\s+(\d+)/g;
  for (const [, block, instructions, cycles] of stdout.matchAll(region))
    answers.set(Number(block), { instructions: Number(instructions), cycles: Number(cycles) });
  return blocks.map(({ insns }, i) => {
    const answer = answers.get(i);
    return answer?.instructions === rounds * insns.length ? answer.cycles : undefined;
  });
}
