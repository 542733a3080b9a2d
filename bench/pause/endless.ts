import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';

const CLANG = 'clang-19';

/** Compiles endless.c into a directory: the object's path, or nothing where there is no compiler (which is said). */
export function compileEndless(dir: string): string | undefined {
  if (spawnSync(CLANG, ['--version']).status !== 0) {
    console.log(`${CLANG} is not installed; the program cannot be compiled.`);
    return undefined;
  }
  const object = path.join(dir, 'endless.o');
  const source = path.resolve('bench/pause/endless.c');
  execFileSync(CLANG, ['-O2', '-target', 'bpf', '-g', '-c', source, '-o', object]);
  return object;
}

/** `median 1.2 ms, 95 % 3.4 ms, longest 5.6 ms` */
export function quantiles(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms`;
}
