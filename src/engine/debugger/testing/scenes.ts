import type { Scene } from './scene';

/** A subprogram that calls a helper and tail-calls another program; main calls it twice. */
export const HIERARCHY: Scene = {
  programs: {
    main: `
      r6 = r1
      call helper_and_jump
      r7 = r0
      r1 = r6
      call helper_and_jump
      r0 += r7
      exit
helper_and_jump:
      r6 = r1
      call bpf_ktime_get_ns
      r1 = r6
      r2 = map[name:targets]
      r3 = 0
      call bpf_tail_call
      r0 = 100
      exit`,
    other: `
      w0 = 7
      w0 += 1
      exit`,
  },
  progArrays: { targets: ['other', null] },
};

/** A helper that calls back for each of three array elements. */
export const CALLBACKS: Scene = {
  programs: {
    main: `
      r1 = map[name:numbers]
      r2 = subprog[each]
      r3 = r10
      | r3 += -8
      *(u64 *)(r10 -8) = 5
      r4 = 0
      call bpf_for_each_map_elem
      r0 = *(u64 *)(r10 -8)
      exit
each:
      r1 = *(u64 *)(r4 +0)
      r1 += 1
      *(u64 *)(r4 +0) = r1
      r0 = 0
      exit`,
  },
  arrays: { numbers: 3 },
};
