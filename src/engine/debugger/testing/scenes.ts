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

/** A program whose subprogram tail-calls the program itself: the same functions, further and further in. */
export const RECURSION: Scene = {
  programs: {
    main: `
      r6 = r1
      call again
      r1 = r6
      call again
      r0 += 1
      exit
again:
      r2 = map[name:self]
      r3 = 0
      call bpf_tail_call
      r0 = 100
      exit`,
  },
  progArrays: { self: ['main'] },
};

/** Loops and callbacks in each other, the one by a helper, the other inlined; two calls and a whole loop that are one line. */
export const NESTED: Scene = {
  programs: {
    main: `
      r6 = 7
      more:
      call outer
      r6 += -1
      if r6 != 0 goto more
      r0 = 0
      exit
outer:
      r1 = map[name:numbers]
      r2 = subprog[each]
      r3 = r10
      | r3 += -8
      *(u64 *)(r10 -8) = 5
      r4 = 0
      call bpf_for_each_map_elem
      r1 = 90
      | r2 = subprog[looped]
      | r3 = 0
      | r4 = 0
      | call bpf_loop
      r0 = 0
      exit
each:
      call leaf
      | call leaf
      r0 = 0
      exit
looped:
      *(u64 *)(r10 -8) = r1
      r2 = *(u64 *)(r10 -8)
      call leaf
      r0 = 0
      exit
leaf:
      r7 = 5
      r0 = 0
      spin:
      | r0 += r7
      | r7 += -1
      | if r7 != 0 goto spin
      r0 += 1
      exit`,
  },
  arrays: { numbers: 30 },
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
