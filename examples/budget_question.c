// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Björn Töpel's question (January 2024) as a program: is the tail call count a value of each frame or one number for the run?
 *   program1 -> subprogram1 -> 33 tail calls -> back to program1 -> subprogram3: may it still tail-call?
 *
 * `transparent` and stack-v6: no. One budget for the run, and subprogram1's tail calls used it up; program1 returns 0.
 * stack-v1 to stack-v3: yes. The caller's count is restored when subprogram1 returns; program1 returns 1.
 *
 * To look at: a6 when program1 calls subprogram1 (33), when that returns (0, or 33 restored), and at the tail call in subprogram3.
 */
#include "hartbeat.h"

int spend(struct __sk_buff *skb);
int late(struct __sk_buff *skb);

enum slot { SPEND, LATE, SLOTS };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SLOTS);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} programs SEC(".maps") = {
	.values = {
		[SPEND] = (void *)&spend,
		[LATE] = (void *)&late,
	},
};

/* Tail calls that subprogram1 started, and whether subprogram3's was taken. */
u32 spent;
u32 taken;
/*
 * What subprogram1 gives when its tail call falls through. A variable, since kernels of this age think that a tail call
 * always falls through: with a constant their verifier would remove what program1 does behind its test.
 */
int not_taken = -1;

SUBPROG int subprogram1(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, SPEND);
	/* Only reached when not even the first tail call is taken. */
	return not_taken;
}

SUBPROG int subprogram3(struct __sk_buff *skb)
{
	int result = 0;

	bpf_tail_call(skb, &programs, LATE);
	/* Refused: the budget is used up. */
	OPAQUE(result);
	return result;
}

SEC("tc")
int program1(struct __sk_buff *skb)
{
	spent = 0;
	taken = 0;
	if (subprogram1(skb) < 0)
		return -1;
	return subprogram3(skb);
}

/* Tail-calls itself until it may no more; returns to program1, whose subprogram it replaced. */
SEC("tc")
int spend(struct __sk_buff *skb)
{
	spent++;
	bpf_tail_call(skb, &programs, SPEND);
	return 0;
}

SEC("tc")
int late(struct __sk_buff *skb)
{
	taken = 1;
	return 1;
}
