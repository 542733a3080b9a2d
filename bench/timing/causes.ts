import { blockCycles } from '../../src/engine/machine/timing/block';
import { TIMING_PROFILES, type TimingProfile } from '../../src/engine/machine/timing/profile';
import type { DecodedInsn } from '../../src/engine/rv64/decode';
import { cyclesAsMca, type McaRules } from './as-mca';
import type { McaCore } from './mca-costs';

/** A part of the difference between a timing profile and llvm-mca, in cycles a round. */
export interface Cause {
  readonly name: string;
  readonly cycles: number;
}

const U74: TimingProfile = TIMING_PROFILES.u74;
const DUAL = U74.dualIssue!;
const LATE = { rs1: true, rs2: true, result: false };
/** All arithmetic in the late units, where the core does it early when the operands are there. */
const ALWAYS_LATE: TimingProfile = {
  ...U74,
  latency: { ...U74.latency, alu: 3, 'alu-b': 3 },
  dualIssue: { ...DUAL, late: { ...DUAL.late, alu: LATE, 'alu-b': LATE } },
};

const NO_RULES: McaRules = { completionInOrder: false, pipesInTurns: false, operandsOfFirst: false };
/** The rules in the order in which they are added. */
const RULES: readonly (readonly [keyof McaRules, string])[] = [
  ['completionInOrder', 'in-order completion'],
  ['pipesInTurns', 'pipes in turns'],
  ['operandsOfFirst', 'forgotten operands'],
];

const WARM_UP = 10;
const ROUNDS = 100;

/** Cycles of one round when a block is executed again and again, from what a number of rounds takes in all. */
export function perRound(total: (rounds: number) => number): number {
  return (total(WARM_UP + ROUNDS) - total(WARM_UP)) / ROUNDS;
}

/**
 * What leads from our profile's cycles to llvm-mca's: each rule's cycles, when the rules are added one after the other in a fixed
 * order. Undefined where LLVM's model does not have all of the block's instructions.
 */
export function causesOf(insns: readonly DecodedInsn[], core: McaCore): readonly Cause[] | undefined {
  const causes: Cause[] = [];
  let before = blockCycles(insns, TIMING_PROFILES[core]);
  const add = (name: string, cycles: number): void => {
    if (Math.abs(cycles - before) > 1e-9) causes.push({ name, cycles: cycles - before });
    before = cycles;
  };
  const byRules = (rules: McaRules): number =>
    perRound((rounds) => cyclesAsMca(insns, core, rounds, rules) ?? Number.NaN);
  if (cyclesAsMca(insns, core, 1) === undefined) return undefined;
  if (core === 'u74') add('addresses wait for late arithmetic', blockCycles(insns, ALWAYS_LATE));
  let rules = NO_RULES;
  add("LLVM's costs", byRules(rules));
  for (const [rule, name] of RULES) {
    rules = { ...rules, [rule]: true };
    add(name, byRules(rules));
  }
  return causes;
}
