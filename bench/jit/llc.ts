import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Random } from '../../src/engine/rv64/testing/random';

const LLC = 'llc-19';
const BLOCK = 20;
const OPERATIONS = ['add', 'sub', 'and', 'or', 'xor', 'mul'];

/** A function of about `size` LLVM IR instructions: arithmetic, loads and stores in blocks of {@link BLOCK}, one compare and branch a block. */
function module(size: number, random: Random): string {
  const lines = ['define i64 @f(ptr %m, i64 %a, i64 %b) {', 'b0:'];
  let value = 0;
  for (let block = 0; block * BLOCK < size; block++) {
    // Blocks know only what they have made themselves, as between labels at -O0.
    const known = ['%a', '%b'];
    for (let i = 0; i < BLOCK - 2; i++) {
      const operand = random.pick(known);
      const kind = random.below(10);
      if (kind === 0) {
        lines.push(`store i64 ${operand}, ptr %m`);
        continue;
      }
      const name = `%v${value++}`;
      if (kind === 1) lines.push(`${name} = load i64, ptr %m`);
      else if (kind < 5) lines.push(`${name} = ${random.pick(OPERATIONS)} i64 ${operand}, ${random.below(8192) - 4096}`);
      else lines.push(`${name} = ${random.pick(OPERATIONS)} i64 ${operand}, ${random.pick(known)}`);
      known.push(name);
    }
    lines.push(`%c${block} = icmp ugt i64 ${random.pick(known)}, 9`);
    lines.push(`br i1 %c${block}, label %b${block + 1}, label %end`, `b${block + 1}:`);
  } // prettier-ignore
  return [...lines, 'br label %end', 'end:', 'ret i64 %a', '}', ''].join('\n');
}

/** Seconds of processor time that llc takes for a file, the least of three; undefined if it is not installed. */
function seconds(file: string): number | undefined {
  const script = `TIMEFORMAT='%U %S'; time ${LLC} -march=riscv64 -mattr=+m,+a,+c -O0 -filetype=obj -o /dev/null "$0"`;
  let best: number | undefined;
  for (let attempt = 0; attempt < 3; attempt++) {
    const { stderr, status } = spawnSync('bash', ['-c', script, file], { encoding: 'utf8' });
    const times = /([\d.]+) ([\d.]+)\s*$/.exec(stderr);
    if (status !== 0 || !times) return undefined;
    best = Math.min(best ?? Infinity, Number(times[1]) + Number(times[2]));
  }
  return best;
}

/**
 * LLVM IR instructions per second of processor time from a text file to a RISC-V object at -O0, start-up left out; for a
 * sense of scale only, as LLVM reads text, selects and allocates registers.
 */
export function llcSpeed(size: number, random: Random): number | undefined {
  const directory = mkdtempSync(path.join(tmpdir(), 'hartbeat-llc-'));
  try {
    const [empty, full] = [1, size].map((count) => {
      const file = path.join(directory, `${count}.ll`);
      writeFileSync(file, module(count, random));
      return seconds(file);
    });
    return empty === undefined || full === undefined ? undefined : size / Math.max(full - empty, 1e-3);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
