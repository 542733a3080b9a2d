import type { DecodedInsn } from '../../rv64/decode';
import { ReferenceTimer } from '../reference/timer';
import type { TimingProfile } from './profile';

/** Dividends whose quotient by one has all bits, read as signed numbers or not. */
const LONGEST = { word: 1n << 31n, double: 1n << 63n } as const;

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
        a: LONGEST[insn.base.mnemonic.endsWith('w') ? 'word' : 'double'],
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
