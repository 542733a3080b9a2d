import { ARITHMETIC_CASES } from './arithmetic';
import type { FaultCase } from './case';
import { CONVENTION_CASES } from './conventions';
import { TAIL_CALL_CASES } from './tail-calls';
import { TRAMPOLINE_CASES } from './trampolines';

/** For every seeded fault a program or trampoline that exposes it. */
export const FAULT_CASES: readonly FaultCase[] = [
  ...ARITHMETIC_CASES,
  ...CONVENTION_CASES,
  ...TAIL_CALL_CASES,
  ...TRAMPOLINE_CASES,
];
