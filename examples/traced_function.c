// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An XDP program whose function is traced:
 *   limit -> admit          admit may tail-call `refuse`
 *            ^ on_entry     fentry: runs before it and sees its arguments
 *            ^ on_exit      fexit: runs behind it and sees its result, too
 *
 * The tracing programs are attached by a trampoline, which the kernel makes for `admit` and enters from its two entry nops. To
 * look at: where the trampoline keeps the arguments and the result, what it calls around each program, and under `transparent`
 * and `stack-v6` the slot for a6: all that C code between may change it, and `admit` still needs the count.
 */
#include "hartbeat.h"

#define LONGEST_PACKET 1000

int refuse(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} next SEC(".maps") = {
	.values = { [0] = (void *)&refuse },
};

u32 refused;
u64 entries, longest;
u64 exits, traced_ip;
int last_result;

/* Global, so that BTF describes it to whoever attaches to it. */
__attribute__((noinline)) int admit(struct xdp_md *ctx, u32 queue, u64 length)
{
	int result = XDP_PASS;

	if (length > LONGEST_PACKET || queue != 0)
		bpf_tail_call(ctx, &next, 0);
	OPAQUE(result);
	return result;
}

SEC("xdp")
int limit(struct xdp_md *ctx)
{
	return admit(ctx, ctx->rx_queue_index, ctx->data_end - ctx->data);
}

SEC("xdp")
int refuse(struct xdp_md *ctx)
{
	refused++;
	return XDP_DROP;
}

/* `?`: loaded when the traced program is, and its function is given as the target. */
SEC("?fentry/admit")
int on_entry(u64 *args)
{
	u64 length = args[2];

	entries++;
	if (length > longest)
		longest = length;
	return 0;
}

SEC("?fexit/admit")
int on_exit(u64 *args)
{
	exits++;
	last_result = args[3];
	traced_ip = bpf_get_func_ip(args);
	return 0;
}
