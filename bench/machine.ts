import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readElf } from '../src/engine/elf/read';
import type { ElfFile } from '../src/engine/elf/types';
import { loadBareMetal, type BareMetal } from '../src/engine/machine/bare-metal';
import type { MachineSnapshot } from '../src/engine/machine/types';

const GCC = 'riscv64-linux-gnu-gcc';
const QEMU = 'qemu-riscv64';
const ROUNDS = 5;
/** Instructions between two snapshots. */
const INTERVAL = 1_000_000;
/** Snapshots kept: every second one is dropped when there are more, as a history would. */
const KEPT = 64;
/** Share of qemu's speed that the machine must reach with timing and breakpoints. */
const WANTED = 0.065;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function compile(dir: string): string {
  const file = path.join(dir, 'workload.elf');
  const flags = [
    '-O2',
    '-march=rv64imac',
    '-mabi=lp64',
    '-static',
    '-nostdlib',
    '-nostartfiles',
    '-ffreestanding',
  ];
  const source = path.resolve('bench/machine/workload.c');
  execFileSync(GCC, [
    ...flags,
    '-fno-tree-loop-distribute-patterns',
    '-fno-pie',
    '-no-pie',
    '-o',
    file,
    source,
  ]);
  return file;
}

/** A way to run the workload on the machine. */
interface Way {
  readonly name: string;
  readonly prepare: (elf: ElfFile) => BareMetal;
  readonly run: (program: BareMetal) => void;
}

const whole = (program: BareMetal): void => {
  const stop = program.run();
  if (stop.reason !== 'exit') throw new Error(`the workload ended with ${stop.reason}`);
};

/** Breakpoints in the workload's code that are never reached: on the padding after its functions and in the entry's end. */
function withBreakpoints(program: BareMetal, elf: ElfFile): BareMetal {
  for (const symbol of elf.symbols.filter(({ name }) => name === '_start')) {
    for (let i = 0; i < 16; i++)
      program.machine.setBreakpoint(symbol.value + symbol.size + BigInt(2 * i) + 2n);
  }
  return program;
}

function withSnapshots(program: BareMetal): void {
  let kept: MachineSnapshot[] = [program.machine.snapshot()];
  for (;;) {
    const stop = program.run(INTERVAL);
    if (stop.reason === 'exit') return;
    kept.push(program.machine.snapshot());
    if (kept.length <= KEPT) continue;
    kept.forEach((snapshot, index) => index % 2 === 1 && snapshot.release());
    kept = kept.filter((_, index) => index % 2 === 0);
  }
}

const WAYS: readonly Way[] = [
  { name: 'no timing', prepare: (elf) => loadBareMetal(elf, { timing: 'none' }), run: whole },
  { name: 'timing (rocket)', prepare: (elf) => loadBareMetal(elf, { timing: 'rocket' }), run: whole },
  {
    name: 'timing, breakpoints',
    prepare: (elf) => withBreakpoints(loadBareMetal(elf, { timing: 'rocket' }), elf),
    run: whole,
  },
  {
    name: 'timing, breakpoints, snapshots',
    prepare: (elf) => withBreakpoints(loadBareMetal(elf, { timing: 'rocket' }), elf),
    run: withSnapshots,
  },
  {
    name: 'timing (rocket) with caches',
    prepare: (elf) => loadBareMetal(elf, { timing: 'rocket', caches: true }),
    run: whole,
  },
  { name: 'timing (u74)', prepare: (elf) => loadBareMetal(elf, { timing: 'u74' }), run: whole },
];

/** CPU seconds of the workload under qemu. */
function qemuSeconds(file: string): number {
  const script =
    'import resource, subprocess, sys\nsubprocess.run(sys.argv[1:])\nr = resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(r.ru_utime + r.ru_stime)';
  const { stdout } = spawnSync('python3', ['-c', script, QEMU, file], { encoding: 'utf8' });
  return Number(stdout.trim());
}

/**
 * Million instructions per second of CPU time, the best of several rounds, in turns with qemu's user emulation on the same
 * machine: ratios are what counts, because machines and their load differ.
 */
export default function bench(): void {
  for (const tool of [GCC, QEMU]) {
    if (spawnSync(tool, ['--version']).status !== 0) {
      console.log(`${tool} is not installed; the workload cannot be compiled and compared.`);
      return;
    }
  }
  const dir = mkdtempSync(path.join(tmpdir(), 'hartbeat-bench-'));
  try {
    const file = compile(dir);
    const elf = readElf(new Uint8Array(readFileSync(file)), 'workload');
    const best = new Map<string, number>();
    const keep = (name: string, mips: number): void =>
      void best.set(name, Math.max(best.get(name) ?? 0, mips));
    let instructions = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, prepare, run } of WAYS) {
        const program = prepare(elf);
        const start = cpuSeconds();
        run(program);
        const seconds = cpuSeconds() - start;
        instructions = Number(program.machine.counters().instructions);
        keep(name, instructions / seconds / 1e6);
      }
      keep(QEMU, instructions / qemuSeconds(file) / 1e6);
    }
    report(instructions, best);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function report(instructions: number, best: ReadonlyMap<string, number>): void {
  const qemu = best.get(QEMU)!;
  console.log(
    `${(instructions / 1e6).toFixed(0)} million instructions, best of ${ROUNDS}, million per second of CPU time`,
  );
  for (const [name, mips] of best) {
    console.log(
      `${name.padEnd(34)}${mips.toFixed(0).padStart(6)}${`${((100 * mips) / qemu).toFixed(1)} % of qemu`.padStart(18)}`,
    );
  }
  const withAll = best.get('timing, breakpoints')!;
  const history = 1 - best.get('timing, breakpoints, snapshots')! / withAll;
  console.log(
    `timing and breakpoints: ${withAll / qemu >= WANTED ? 'at least' : 'LESS THAN'} ${100 * WANTED} % of qemu`,
  );
  console.log(
    `a snapshot every ${INTERVAL.toLocaleString('en')} instructions costs ${(100 * history).toFixed(1)} %`,
  );
}
