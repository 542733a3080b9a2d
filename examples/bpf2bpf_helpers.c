// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subprograms that call helpers, with a tail call at the very end of the chain.
 *   measure -> report -> stamp   (helpers: bpf_ktime_get_ns, bpf_trace_printk)
 *           -> leave             (tail call to `finished`)
 *
 * To look at: a helper is a C function of the kernel and may change a6. Under `transparent` the count moves to s6 in front of a
 * helper call and back to a6 behind it; a bpf2bpf call just passes a6 on. So the tail call in `leave` still finds 33 there.
 */
#include "hartbeat.h"

int finished(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} next SEC(".maps") = {
	.values = { [0] = (void *)&finished },
};

/* Nanoseconds between the two time stamps, and how far the program came. */
u64 elapsed;
u32 stage;

SUBPROG u64 stamp(u32 reached)
{
	stage = reached;
	return bpf_ktime_get_ns();
}

SUBPROG u64 report(u32 length)
{
	u64 start = stamp(1), end;

	bpf_printk("packet of %d bytes at %llu ns", length, start);
	end = stamp(2);
	return end - start;
}

SUBPROG int leave(struct __sk_buff *skb)
{
	int result = -1;

	stage = 3;
	bpf_tail_call(skb, &next, 0);
	/* Only reached when the tail call is not taken. */
	OPAQUE(result);
	return result;
}

SEC("tc")
int measure(struct __sk_buff *skb)
{
	elapsed = report(skb->len);
	return leave(skb);
}

SEC("tc")
int finished(struct __sk_buff *skb)
{
	stage = 4;
	bpf_printk("finished after stage 3, %llu ns", elapsed);
	return 0;
}
