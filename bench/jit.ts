import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { compileProgram } from '../src/engine/jit/subprograms';
import type { JitInput } from '../src/engine/jit/types';
import { parseProfile, type Profile } from '../src/engine/jit/profile';
import { Random } from '../src/engine/rv64/testing/random';
import { llcSpeed } from './jit/llc';
import { mixture, type MakeProgram } from './jit/programs';

/** What growth is measured from: smaller programs are prologue and epilogue for the most part. */
const BASE = 1_000;
const LARGE = 100_000;
const LARGEST = 1_000_000;
/** Slots translated in one measurement: one of the largest programs, or so many smaller ones, no two of them alike. */
const WORK = LARGEST;
const ATTEMPTS = 5;
/** BPF slots per second that every size must reach. */
const WANTED = 500_000;
/** Growth is linear if a slot of the largest program takes at most this many times as long as one of {@link BASE}. */
const LINEAR = 1.3;

/** Programs of one kind under one scheme. */
interface Series {
  readonly name: string;
  readonly tcc: string;
  readonly make: MakeProgram;
  readonly sizes: readonly number[];
}

const ENDS = [BASE, LARGEST];
const SERIES: readonly Series[] = [
  { name: 'few', tcc: 'transparent', make: mixture(5), sizes: [10, BASE, LARGE, LARGEST] },
  { name: 'few', tcc: 'mainline', make: mixture(5), sizes: ENDS },
  { name: 'none', tcc: 'transparent', make: mixture(0), sizes: ENDS },
];
/** As many jumps forward as the largest program can have: nearly all the passes that the kernel makes before it gives up. */
const WORST: Series = { name: 'as many as converge', tcc: 'transparent', make: mixture(28), sizes: ENDS };

const EXPLANATION = `Why passes grow: a jump forward becomes short in a pass only if the code before it has shrunk in it by less than a branch reaches,
4 KiB, since its target is where the pass before had it. So each pass shortens about 1,022 of them, wherever they go, and
a function with more than some 29,000 does not converge in the kernel's 32 rounds, either.`;

/** The best of all attempts for programs of one size. */
interface Result {
  /** Nanoseconds of processor time per slot. */
  readonly time: number;
  /** Of the program that took most. */
  readonly passes: number;
}

function inputs(make: MakeProgram, size: number): JitInput[] {
  const random = new Random(1);
  return Array.from({ length: WORK / size }, () => ({
    name: 'bench',
    insns: make(size, random),
    subprogs: [{ name: 'bench', start: 0, stackDepth: 64, tailCallReachable: false }],
    verifierZext: true,
    callBase: 0xffffffff80180000n,
    addresses: { perCpuOffset: 0xffffffff81400000n },
  }));
}

function measure(profile: Profile, programs: readonly JitInput[]): Result {
  let passes = 0;
  const start = process.cpuUsage();
  for (const program of programs) {
    const [compiled] = compileProgram(profile, program, { place: () => 0xffffffff78000000n }).functions;
    passes = Math.max(passes, compiled!.passes.passes.length);
  }
  const { user, system } = process.cpuUsage(start);
  return { time: ((user + system) * 1000) / WORK, passes };
}

/**
 * All sizes in turn, again and again, so that what else the machine does meets them all. What programs are made of lies in
 * memory alike for all sizes, and the heap is emptied before each measurement.
 */
function measureAll(series: Series, collectGarbage: () => void): ReadonlyMap<number, Result> {
  const profile = parseProfile({ tcc: series.tcc });
  const best = new Map<number, Result>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const size of series.sizes) {
      const programs = inputs(series.make, size);
      collectGarbage();
      const result = measure(profile, programs);
      if (result.time < (best.get(size)?.time ?? Infinity)) best.set(size, result);
    }
  }
  return best;
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

const grouped = (n: number): string => Math.round(n).toLocaleString('en');
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd(i === 0 ? 21 : 11) : cell.padStart(11))).join('');

function report(series: Series, best: ReadonlyMap<number, Result>): void {
  const base = best.get(BASE)!.time;
  for (const [size, { time, passes }] of best) {
    const numbers = [
      grouped(size),
      String(passes),
      grouped(1e9 / time),
      time.toFixed(0),
      (time / base).toFixed(2),
    ];
    console.log(row([series.name, series.tcc, ...numbers]));
  }
}

const growthOf = (best: ReadonlyMap<number, Result>): number =>
  best.get(LARGEST)!.time / best.get(BASE)!.time;

/**
 * BPF instructions per second of processor time through the whole pass algorithm, for programs of growing size.
 * @returns whether it is fast enough everywhere and growth is linear
 */
export default function bench(): boolean {
  const collectGarbage = garbageCollector();
  console.log(`${grouped(WORK)} slots in programs of this many, best of ${ATTEMPTS}, processor time; growth is that of the time per slot`);
  console.log(row(['jumps forward', 'scheme', 'slots', 'passes', 'slots/s', 'ns/slot', 'growth']));
  const results = [...SERIES, WORST].map((series) => {
    const best = measureAll(series, collectGarbage);
    report(series, best);
    return best;
  });
  console.log(EXPLANATION);

  const slowest = Math.min(...results.flatMap((best) => [...best.values()].map(({ time }) => 1e9 / time)));
  const growths = results.map(growthOf);
  const worst = growths.pop()!;
  const fast = slowest >= WANTED;
  const linear = Math.max(...growths) <= LINEAR;
  const times = (growth: number): string => growth.toFixed(2);
  console.log(`Speed: ${fast ? 'at least' : 'NOT'} ${grouped(WANTED)} slots per second everywhere; the least are ${grouped(slowest)}.`);
  console.log(`Growth: a slot of ${grouped(LARGEST)} takes ${growths.map(times).join(', ')} times as long as one of ${grouped(BASE)}: ${linear ? 'linear' : 'NOT LINEAR'} (up to ${LINEAR}). With as many passes as the kernel makes at all: ${times(worst)} times.`);
  console.log(besideLlc(results[0]!.get(LARGE)!));
  return fast && linear;
} // prettier-ignore

function besideLlc({ time }: Result): string {
  const llc = llcSpeed(LARGE, new Random(1));
  if (llc === undefined) return 'llc-19 is not installed: nothing to compare with.';
  return `llc-19 -march=riscv64 -O0: ${grouped(llc)} LLVM IR instructions per second for ${grouped(LARGE)}; we translate ${(1e9 / time / llc).toFixed(1)} times as many BPF instructions.`;
}
