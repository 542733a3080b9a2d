// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dispatcher made of tail calls: the entry chooses a program by the packet's type, that one another by its protocol.
 *   dispatch -> on_ipv4 -> on_udp
 *            -> on_arp
 * Slot IPV6 of `types` stays empty: a tail call to it is not taken and falls through.
 *
 * To look at: `bpf_tail_call` is no call. Three checks (index within the array, budget left in a6, slot not empty), then a
 * jump behind the prologue of the next program, which takes over the frame of this one. a6 counts down from 33.
 */
#include "hartbeat.h"

int on_ipv4(struct xdp_md *ctx);
int on_arp(struct xdp_md *ctx);
int on_udp(struct xdp_md *ctx);

enum type { IPV4, IPV6, ARP, TYPES };

/* Programs by type of packet; the loader fills in what is named here. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, TYPES);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} types SEC(".maps") = {
	.values = {
		[IPV4] = (void *)&on_ipv4,
		[ARP] = (void *)&on_arp,
	},
};

/* Programs by IP protocol. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 256);
	__uint(key_size, sizeof(u32));
	__array(values, int(void *));
} protocols SEC(".maps") = {
	.values = {
		[PROTOCOL_UDP] = (void *)&on_udp,
	},
};

enum counter { SEEN, SEEN_IPV4, SEEN_UDP, SEEN_ARP, NOT_TAKEN, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

static __always_inline void count(u32 counter)
{
	u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/* The packet from `offset` on, or a null pointer when it has less than `size` bytes there. */
static __always_inline void *packet_at(struct xdp_md *ctx, u32 offset, u32 size)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	return data + offset + size > end ? (void *)0 : data + offset;
}

SEC("xdp")
int dispatch(struct xdp_md *ctx)
{
	struct ethernet_header *ethernet = packet_at(ctx, 0, sizeof(*ethernet));

	count(SEEN);
	if (!ethernet)
		return XDP_ABORTED;
	switch (ethernet->type) {
	case bpf_htons(ETHERTYPE_IPV4):
		bpf_tail_call(ctx, &types, IPV4);
		break;
	case bpf_htons(ETHERTYPE_IPV6):
		bpf_tail_call(ctx, &types, IPV6);
		break;
	case bpf_htons(ETHERTYPE_ARP):
		bpf_tail_call(ctx, &types, ARP);
		break;
	}
	/* Only reached when no tail call was taken. */
	count(NOT_TAKEN);
	return XDP_PASS;
}

SEC("xdp")
int on_ipv4(struct xdp_md *ctx)
{
	struct ipv4_header *ip = packet_at(ctx, sizeof(struct ethernet_header), sizeof(*ip));

	count(SEEN_IPV4);
	if (!ip)
		return XDP_DROP;
	bpf_tail_call(ctx, &protocols, ip->protocol);
	count(NOT_TAKEN);
	return XDP_PASS;
}

SEC("xdp")
int on_udp(struct xdp_md *ctx)
{
	count(SEEN_UDP);
	return XDP_TX;
}

SEC("xdp")
int on_arp(struct xdp_md *ctx)
{
	count(SEEN_ARP);
	return XDP_PASS;
}
