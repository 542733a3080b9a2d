import { EngineError } from '../base/errors';
import type { Profile } from './profile';

/** A past bug of the RV64 JIT that a profile can carry on purpose. */
export interface FaultDescription {
  /** Number in the project's list of past bugs; undefined for one that no kernel had. */
  readonly bug: number | undefined;
  /** When and where it was fixed. */
  readonly fixed: string;
  /** What goes wrong, one sentence. */
  readonly sentence: string;
}

/**
 * Faults by name. Each is a small change at one place of the lowering, found there by this name. They exist to be found:
 * the debugger's checks are tried on them.
 */
export const FAULTS = {
  'alu32-logic-keeps-upper': {
    bug: 1,
    fixed: '2019-05, fe121ee531d1',
    sentence: '32-bit and, or and xor leave the upper 32 bits of the register as they were.',
  },
  'alu32-sign-extends': {
    bug: 2,
    fixed: '2019-05, 1e692f09e091',
    sentence: '32-bit add, sub, neg and shifts sign-extend their result instead of zero-extending it.',
  },
  'tail-call-overwrites-context': {
    bug: 4,
    fixed: '2019-12',
    sentence:
      'The epilogue of a tail call puts the return value into a0, where the next program expects its context.',
  },
  'tail-call-limit-32': {
    bug: 11,
    fixed: '2021-11, ebf7f6f0a6cd',
    sentence: 'Only 32 tail calls are taken where every other JIT takes 33.',
  },
  'function-address-length-varies': {
    bug: 12,
    fixed: '2022-12, b54b6003612a',
    sentence:
      'The address of a BPF function is loaded by as many instructions as it needs, so the code changes its length when the address becomes known and jumps miss.',
  },
  'image-not-converged': {
    bug: 13,
    fixed: '2023-07-10',
    sentence:
      'The image is made after the first pass; code that then becomes shorter moves, and exits jump behind the start of the epilogue.',
  },
  'result-not-sign-extended': {
    bug: 15,
    fixed: '2023-10-04, 7112cd26e606',
    sentence: 'a0 returns the 64-bit R0 to a C caller that expects a sign-extended 32-bit int.',
  },
  'kfunc-arguments-not-extended': {
    bug: 17,
    fixed: '2024-03, 443574b03387',
    sentence: '32-bit arguments of kfuncs are not sign-extended as the calling convention asks.',
  },
  'enter-result-forgotten': {
    bug: 18,
    fixed: '2024-04-16, 10541b374aa0',
    sentence:
      'When a trampoline skips a program, s1 keeps an old start time and __bpf_prog_exit counts a wrong run time.',
  },
  'fetch-unordered': {
    bug: 19,
    fixed: '2024-05-05',
    sentence: 'Atomics that fetch are made without aq and rl, so they order nothing.',
  },
  'trampoline-sized-short': {
    bug: 20,
    fixed: '2024-06, 9f1e16fb1fc9',
    sentence:
      'The trampoline’s size is taken with a short stand-in for the image address; the real code is longer and runs over the end of its buffer.',
  },
  'tail-call-forgets-type-word': {
    bug: 21,
    fixed: '2024-10-08, 30a59cc79754',
    sentence: 'With kCFI a tail call lands on the initialisation of the counter, so tail calls never end.',
  },
  'cpu-number-loaded-wide': {
    bug: 22,
    fixed: '2025-08-12',
    sentence:
      'thread_info.cpu is 32 bits wide and loaded with 64, so the cpu number carries its neighbour in the upper half.',
  },
  'struct-ops-return-truncated': {
    bug: 24,
    fixed: '2025-09-08, fd2e08128944',
    sentence: 'A pointer that a struct_ops program returns is cut to a sign-extended 32-bit int.',
  },
  'original-enters-trampoline': {
    bug: 26,
    fixed: '2026-01-06, 8f3e00af8e52',
    sentence:
      'The original function is called at its patched entry and so comes back into the trampoline until the stack is gone.',
  },
  'acquire-without-handler': {
    bug: 27,
    fixed: '2026-07-21, 5eb8921371c6',
    sentence:
      'A load-acquire from the arena whose zero extension is swallowed gets no exception table entry.',
  },
  'tail-call-counts-type-word-twice': {
    bug: 28,
    fixed: '2026-07-21, 52fb1756ea1d',
    sentence:
      'With kCFI a tail call lands behind the instruction that makes the frame, and the epilogue gives back stack that was never taken.',
  },
  'tcc-clobbered-by-helper': {
    bug: undefined,
    fixed: 'never shipped',
    sentence:
      'Scheme transparent forgets to keep a6 across a helper call, and the counter is whatever the helper left there.',
  },
} as const satisfies Readonly<Record<string, FaultDescription>>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** Which faults a profile carries, for quick questions. */
export type FaultSwitches = Readonly<Record<FaultName, boolean>>;

const NONE = Object.fromEntries(FAULT_NAMES.map((name) => [name, false])) as Record<FaultName, boolean>;

/** @throws EngineError `profile/fault` for a fault that is not in the table */
export function faultSwitches(profile: Profile): FaultSwitches {
  if (profile.faults.length === 0) return NONE;
  const switches = { ...NONE };
  for (const name of profile.faults) switches[faultNamed(name)] = true;
  return switches;
}

/** @throws EngineError `profile/fault` for a fault that is not in the table, with the names of those that are */
export function faultNamed(name: string): FaultName {
  const known = FAULT_NAMES.find((fault) => fault === name);
  if (known !== undefined) return known;
  throw new EngineError('profile/fault', `Unknown fault '${name}'; choose from ${FAULT_NAMES.join(', ')}.`, {
    fault: name,
  });
}
