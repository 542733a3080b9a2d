import { spawnSync } from 'node:child_process';
import { buildWorld } from '../src/engine/debugger/build';
import { Session } from '../src/engine/debugger/session';
import { sceneObject, type Scene } from '../src/engine/debugger/testing/scene';
import { parseProfile } from '../src/engine/jit/profile';
import type { Granularity, StepKind } from '../src/engine/debugger/views';

/** Instructions that are executed before the first step back. */
const LENGTH = 100_000_000;
const STEPS: readonly StepKind[] = ['into', 'over', 'out'];
const UNITS: readonly Granularity[] = ['native', 'bpf', 'line', 'cycle'];
const ROUNDS = 3;
const MIB = 2 ** 20;

/** Iterations that one call of the callback makes, and calls: together more than are ever executed. */
const INNER = 1000;
const CALLS = 1 << 23;

/** bpf_loop calls `each`, whose loop runs the body; r6 holds what the body works on, r9 the map's value. */
const looping = (body: string, inner = INNER): Scene => ({
  programs: {
    main: `
        r1 = ${CALLS}
        r2 = subprog[each]
        r3 = 0
        r4 = 0
        call bpf_loop
        r0 = 0
        exit
each:
        r6 = r1
        r9 = map[name:cells][0]+0
        r7 = ${inner}
again:
        ${body}
        r7 += -1
        if r7 != 0 goto again
        r0 = 0
        exit`,
  },
  arrays: { cells: 1 },
});

/** A helper that is not inlined calls back for elements of a map, more than are ever come to. */
const CALLBACKS: Scene = {
  programs: {
    main: `
        r1 = map[name:elements]
        r2 = subprog[each]
        r3 = 0
        r4 = 0
        call bpf_for_each_map_elem
        r0 = 0
        exit
each:
        r6 = *(u64 *)(r3 +0)
        r7 = ${INNER}
again:
        r6 *= 0x5851f42d
        r6 += r7
        r7 += -1
        if r7 != 0 goto again
        r0 = 0
        exit`,
  },
  arrays: { elements: 1 << 16 },
};

/**
 * What runs: arithmetic, stores all over a map of 4 MiB, and a helper call every few instructions, each in a callback of bpf_loop,
 * which the verifier inlines; and a callback that a helper calls.
 */
const SCENES: Readonly<Record<string, Scene>> = {
  'arithmetic in a loop': looping(
    'r6 *= 0x5851f42d\nr6 += r7\nr2 = r6\nr2 >>= 33\nr6 ^= r2\n*(u64 *)(r10 -8) = r6',
  ),
  'stores all over a map of 4 MiB': looping(
    'r6 *= 0x5851f42d\nr6 += 12345\nr2 = r6\nr2 >>= 20\nr2 &= 0x3ffff8\nr2 += r9\n*(u64 *)(r2 +0) = r6',
  ),
  'a helper call every hundred instructions': looping(
    `${'r6 *= 3\nr6 += r7\n'.repeat(45)}call bpf_ktime_get_ns\nr6 ^= r0`,
    20,
  ),
  'callbacks of a helper': CALLBACKS,
};

function sessionOn(scene: Scene, history: boolean): Session {
  const object = sceneObject(scene);
  const cells = object.maps.map((map) => ({
    ...map,
    valueSize: map.name === 'cells' ? 4 * MIB : map.valueSize,
  }));
  const world = buildWorld({
    object: { ...object, maps: cells },
    profile: parseProfile({}),
    program: 'main',
  });
  return new Session({ id: 's1', world, inputs: { data: '00'.repeat(64) }, limit: LENGTH, history });
}

const now = (): number => performance.now();
const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Milliseconds of CPU time for the whole run. */
function runTime(session: Session): number {
  session.continue();
  const begun = cpu();
  session.runToStop();
  return cpu() - begun;
}

/** Measures one of the scenes, in a process of its own: memory that others used would count. */
export function measure(name: string): void {
  const scene = SCENES[name]!;
  const kept = sessionOn(scene, true);
  const withHistory = [runTime(kept)];
  const { rss } = process.memoryUsage();
  for (const unit of UNITS) {
    const times = STEPS.map((step) => {
      const begun = now();
      kept.stepBack(step, unit);
      kept.runToStop();
      const took = now() - begun;
      kept.continue();
      kept.runToStop();
      return `${step} ${took.toFixed(1)} ms`;
    });
    console.log(`  one step back by ${unit}: ${times.join(', ')}`);
  }
  const later = process.memoryUsage().rss;
  console.log(`  memory of the process: ${inMiB(rss)} after the run, ${inMiB(later)} after the steps`);

  const without: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    without.push(runTime(sessionOn(scene, false)));
    withHistory.push(runTime(sessionOn(scene, true)));
  }
  const [plain, recorded] = [Math.min(...without), Math.min(...withHistory)];
  const mips = (ms: number): string => (LENGTH / ms / 1000).toFixed(0);
  console.log(
    `  ${mips(plain)} MIPS without history, ${mips(recorded)} with: it costs ${(100 * (1 - plain / recorded)).toFixed(1)} %`,
  );
}

const inMiB = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

/**
 * Sessions over programs that run for 100 million instructions: how long a step back takes from there, how much memory all of
 * it takes, and what history costs (CPU time, the best of several rounds).
 */
export default function bench(): void {
  for (const name of Object.keys(SCENES)) {
    console.log(`${name}: ${LENGTH / 1e6} million instructions`);
    const script = `import { measure } from ${JSON.stringify(import.meta.url)}; measure(${JSON.stringify(name)});`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  }
}
