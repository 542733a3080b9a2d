import type { ProgramCase } from './case';

/** Faults of single instructions: wrong values in registers. */
export const ARITHMETIC_CASES: readonly ProgramCase[] = [
  {
    kind: 'program',
    fault: 'alu32-logic-keeps-upper',
    profile: {},
    look: 'R0 behind the 32-bit or: its upper half must be 0, here it keeps the ones it had.',
    programs: [
      `r0 = -1
       w0 |= 1
       r0 >>= 32
       exit`,
    ],
    sound: { end: 'returns', r0: 0n },
    faulty: { end: 'returns', r0: 0xffff_ffffn },
  },
  {
    kind: 'program',
    fault: 'alu32-sign-extends',
    profile: {},
    look: 'R0 behind the 32-bit sum 0x7fffffff + 1: BPF zero-extends it, here its upper half is all ones.',
    programs: [
      `w0 = 2147483647
       w0 += 1
       r0 >>= 32
       exit`,
    ],
    sound: { end: 'returns', r0: 0n },
    faulty: { end: 'returns', r0: 0xffff_ffffn },
  },
  {
    kind: 'program',
    fault: 'fetch-unordered',
    profile: {},
    look: 'The amoadd of the fetching addition: it should be amoadd.d.aqrl.',
    programs: [
      `r2 = 1
       r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)
       r0 = 0
       exit`,
    ],
    sound: { end: 'returns', memory: 1n, ordered: 1 },
    faulty: { end: 'returns', memory: 1n, ordered: 0 },
  },
  {
    kind: 'program',
    fault: 'cpu-number-loaded-wide',
    profile: {},
    look: 'R0 behind bpf_get_smp_processor_id: above the 32-bit cpu number stands what lies behind it in thread_info.',
    programs: [
      `call bpf_get_smp_processor_id
       r0 >>= 32
       exit`,
    ],
    sound: { end: 'returns', r0: 0n },
    faulty: { end: 'returns', r0: 0x5eed_5eedn },
  },
  {
    kind: 'program',
    fault: 'acquire-without-handler',
    profile: { kernel: '7.2' },
    arena: true,
    look: 'The exception table: an access to an arena page that is not there finds no entry, and the kernel dies.',
    programs: [
      `r2 = 4096
       r0 = load_acquire((u32 *)(r2 +0)) probe_atomic
       w0 = w0 zext
       r0 = 0
       exit`,
    ],
    sound: { end: 'returns', r0: 0n, handlers: 1 },
    faulty: { end: 'faults', handlers: 0 },
  },
];
