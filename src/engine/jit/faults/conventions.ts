import type { ProgramCase } from './case';

/** Jumps over code that grows from `count` instructions of 64 guessed bytes: far enough to be relaxed in the first pass. */
const filler = (count: number): string => Array.from({ length: count }, () => 'r2 += r3').join('\n');

/** R0 += 1, so often: tells how many of them were jumped over. */
const count = (times: number): string => Array.from({ length: times }, () => 'r0 += 1').join('\n');

/** Faults at the borders: between C and BPF, and between the passes. */
export const CONVENTION_CASES: readonly ProgramCase[] = [
  {
    kind: 'program',
    fault: 'result-not-sign-extended',
    profile: {},
    look: 'a0 at the return: a C caller that expects the int -22 finds 4294967274.',
    programs: [
      `w0 = -22
       exit`,
    ],
    sound: { end: 'returns', a0: 0xffff_ffff_ffff_ffean },
    faulty: { end: 'returns', a0: 0xffff_ffean },
  },
  {
    kind: 'program',
    fault: 'kfunc-arguments-not-extended',
    profile: {},
    look: 'a0 when the kfunc is entered: its int argument -1 is not sign-extended.',
    programs: [
      `w1 = -1
       call takes_an_int#4096
       exit`,
    ],
    kfuncs: [{ imm: 4096, argSizes: [4] }],
    sound: { end: 'returns', firstArgument: 0xffff_ffff_ffff_ffffn },
    faulty: { end: 'returns', firstArgument: 0xffff_ffffn },
  },
  {
    kind: 'program',
    fault: 'function-address-length-varies',
    profile: {},
    look: 'Where the jump over the function reference lands: behind `out`, because that code has become shorter since the passes measured it.',
    programs: [
      `r0 = 0
       if r1 != 0 goto out
       r2 = subprog[callback]
       r3 = 0
       r4 = 0
       call bpf_loop
   out:
       ${count(20)}
       exit
   callback:
       r0 = 0
       exit`,
    ],
    sound: { end: 'returns', r0: 20n },
    faulty: { end: 'returns', r0: 11n },
  },
  {
    kind: 'program',
    fault: 'image-not-converged',
    profile: {},
    look: 'sp and fp at the return: the early exit jumps 4 bytes behind the start of the epilogue, over the loads of ra and fp.',
    programs: [
      `r0 = 1
       r6 = r1
       if r6 != 0 goto early
       if r6 == 0 goto late
       ${filler(80)}
  late:
       r0 = 2
       goto last
  early:
       exit
  last:
       r0 = 3
       exit`,
    ],
    sound: { end: 'returns', r0: 1n, spRestored: true },
    faulty: { end: 'returns', r0: 1n, spRestored: false },
  },
];
