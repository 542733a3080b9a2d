import { buildWorld } from '../src/engine/debugger/build';
import { Session } from '../src/engine/debugger/session';
import { sceneObject, type Scene } from '../src/engine/debugger/testing/scene';
import { parseProfile } from '../src/engine/profile/parse';
import type { Granularity, StepKind } from '../src/engine/debugger/views';

/** Instructions that are executed before the first step back. */
const LENGTH = 100_000_000;
const STEPS: readonly StepKind[] = ['into', 'over', 'out'];
const UNITS: readonly Granularity[] = ['native', 'bpf', 'line'];
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

/** What runs: arithmetic, stores all over a map of 4 MiB, and a helper call every few instructions. */
const SCENES: Readonly<Record<string, Scene>> = {
  'arithmetic in a loop': looping('r6 *= 0x5851f42d\nr6 += r7\nr2 = r6\nr2 >>= 33\nr6 ^= r2\n*(u64 *)(r10 -8) = r6'),
  'stores all over a map of 4 MiB': looping(
    'r6 *= 0x5851f42d\nr6 += 12345\nr2 = r6\nr2 >>= 20\nr2 &= 0x3ffff8\nr2 += r9\n*(u64 *)(r2 +0) = r6',
  ),
  'a helper call every few instructions': looping('call bpf_ktime_get_ns\nr6 ^= r0'),
};

function sessionOn(scene: Scene, history: boolean): Session {
  const object = sceneObject(scene);
  const cells = object.maps.map((map) => ({ ...map, valueSize: map.name === 'cells' ? 4 * MIB : map.valueSize }));
  const world = buildWorld({ object: { ...object, maps: cells }, profile: parseProfile({}), program: 'main' });
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

/**
 * Sessions over programs that run for 100 million instructions: what history costs, how long a step back takes from there, and
 * how much memory all of it takes.
 */
export default function bench(): void {
  for (const [name, scene] of Object.entries(SCENES)) {
    let [plain, kept] = [Infinity, Infinity];
    let session = sessionOn(scene, true);
    for (let round = 0; round < ROUNDS; round++) {
      plain = Math.min(plain, runTime(sessionOn(scene, false)));
      session = sessionOn(scene, true);
      kept = Math.min(kept, runTime(session));
    }
    const mips = (ms: number): string => (LENGTH / ms / 1000).toFixed(0);
    console.log(`${name}: ${LENGTH / 1e6} million instructions at ${mips(plain)} MIPS, with history ${mips(kept)} MIPS`);
    console.log(`  history costs ${((100 * (kept - plain)) / plain).toFixed(1)} % of the time`);
    for (const unit of UNITS) {
      const times = STEPS.map((step) => {
        const begun = now();
        session.stepBack(step, unit);
        session.runToStop();
        const took = now() - begun;
        session.continue();
        session.runToStop();
        return `${step} ${took.toFixed(1)} ms`;
      });
      console.log(`  one step back by ${unit}: ${times.join(', ')}`);
    }
    const { rss, arrayBuffers, heapUsed } = process.memoryUsage();
    const sizes = { rss, arrayBuffers, heapUsed };
    console.log(
      `  memory: ${Object.entries(sizes)
        .map(([what, bytes]) => `${what} ${(bytes / MIB).toFixed(0)} MiB`)
        .join(', ')}`,
    );
  }
}
