import type { DecodedInsn } from '../../rv64/decode';
import { ReferenceTimer } from '../reference/timer';
import type { TimingProfile } from './profile';

/**
 * Cycles that a basic block takes when it stands again and again after itself: the steady state that static analysers such
 * as llvm-mca speak of. Branches are predicted rightly and not taken, caches always hit, quotients are as long as can be.
 */
export function blockCycles(insns: readonly DecodedInsn[], profile: TimingProfile, rounds = 100): number {
  const timer = new ReferenceTimer({ ...profile, mispredict: 0 });
  const run = (): number => {
    for (const insn of insns) {
      timer.executed(timer.plan(insn), {
        pc: 0n,
        following: 0n,
        next: 0n,
        jumped: false,
        a: 2n ** 63n - 1n,
        b: 1n,
        offset: 0n,
      });
    }
    return timer.cycle;
  };
  // The first rounds fill the pipeline.
  let start = 0;
  for (let i = 0; i < 8; i++) start = run();
  let end = start;
  for (let i = 0; i < rounds; i++) end = run();
  return (end - start) / rounds;
}
