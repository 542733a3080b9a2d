import type { ProgramCase } from './case';

/** Counts its entries in memory and tail-calls slot 0; when that fails it returns the count. */
const COUNTING = `
       r6 = r1
       r7 = *(u64 *)(r1 +0)
       r7 += 1
       *(u64 *)(r1 +0) = r7
       r1 = r6
       r2 = map[name:jmp]
       r3 = 0
       call bpf_tail_call
       r0 = *(u64 *)(r6 +0)
       exit`;

/** Faults of the tail call counter and of the way into the next program. */
export const TAIL_CALL_CASES: readonly ProgramCase[] = [
  {
    kind: 'program',
    fault: 'tail-call-overwrites-context',
    profile: {},
    look: 'a0 between the tail call and the first instruction of its target: the context has become the return value.',
    programs: [
      `r0 = 7
       r2 = map[name:jmp]
       r3 = 1
       call bpf_tail_call
       exit`,
      `r0 = *(u64 *)(r1 +0)
       r0 += 5
       exit`,
    ],
    sound: { end: 'returns', r0: 5n },
    faulty: { end: 'faults' },
  },
  {
    kind: 'program',
    fault: 'tail-call-limit-32',
    profile: {},
    look: 'The number of tail calls taken: 32, where 33 are allowed.',
    programs: [COUNTING],
    sound: { end: 'returns', r0: 34n },
    faulty: { end: 'returns', r0: 33n },
  },
  {
    kind: 'program',
    fault: 'tail-call-forgets-type-word',
    profile: { kernel: '7.2', cfi: true },
    look: 'a6 behind each tail call: it is 33 again, because the jump lands on the initialisation of the counter.',
    programs: [COUNTING],
    sound: { end: 'returns', r0: 34n, spRestored: true },
    faulty: { end: 'runs on' },
  },
  {
    kind: 'program',
    fault: 'tail-call-counts-type-word-twice',
    profile: { kernel: '7.2', cfi: true },
    look: 'sp in the target of the tail call: the jump lands behind the instruction that makes the frame, and the epilogue gives back stack that was never taken.',
    programs: [
      `r2 = map[name:jmp]
       r3 = 1
       call bpf_tail_call
       r0 = 0
       exit`,
      `r0 = 9
       exit`,
    ],
    sound: { end: 'returns', r0: 9n, spRestored: true },
    faulty: { spRestored: false },
  },
  {
    kind: 'program',
    fault: 'tcc-clobbered-by-helper',
    profile: {},
    look: 'a6 before and behind the helper call: no move to s6 and back, so the counter is whatever the helper left there.',
    programs: [COUNTING.replace('r1 = r6', 'call bpf_ktime_get_ns\nr1 = r6')],
    sound: { end: 'returns', r0: 34n },
    faulty: { end: 'returns', r0: 1n },
  },
];
