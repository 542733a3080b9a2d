// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tail call hierarchy: the entry calls a subprogram twice, and the subprogram tail-calls the entry.
 *
 * Each entry gives two more chances to tail-call. With one budget of 33 tail calls for the whole run (`transparent`, stack-v6) the
 * entry runs 34 times: once, and once for each tail call. A scheme that restores the count when a frame returns (stack-v1 to
 * stack-v3) gives the second call the same budget as the first: 2^34 - 1 entries, which never end.
 *
 * To look at: a6 over the run, and `entries` and `attempts` in the map of .bss. Each entry returns how often it and all that came
 * from it ran, so the run returns 34.
 */
#include "hartbeat.h"

int entry(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} jump_table SEC(".maps") = {
	.values = { [0] = (void *)&entry },
};

/* How often the entry ran, and how often a tail call was tried. */
u64 entries;
u64 attempts;

SUBPROG int call_entry(struct __sk_buff *skb)
{
	int result = 0;

	attempts++;
	bpf_tail_call(skb, &jump_table, 0);
	/* The budget is used up. */
	OPAQUE(result);
	return result;
}

SEC("tc")
int entry(struct __sk_buff *skb)
{
	int below;

	entries++;
	below = call_entry(skb);
	below += call_entry(skb);
	return 1 + below;
}
