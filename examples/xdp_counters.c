// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An XDP program that parses a packet and counts what it sees in three kinds of maps:
 *   verdicts   array         how often each verdict was given
 *   protocols  per-CPU array packets and bytes of each IP protocol, without atomics
 *   ports      hash          UDP packets by destination port
 *
 * To look at: map look-ups become a call that returns an address (or 0) in a0, moved to r0 = a5. Every packet access is preceded by
 * the comparison with data_end that the verifier asks for. The atomic addition is one amoadd.
 */
#include "hartbeat.h"

enum verdict { TOO_SHORT, NOT_IPV4, COUNTED, DISCARDED, VERDICTS };

/* The discard service: packets for it are dropped. */
#define PORT_DISCARD 9

struct traffic {
	u64 packets;
	u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VERDICTS);
	__type(key, u32);
	__type(value, u64);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, struct traffic);
} protocols SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u16);
	__type(value, u64);
} ports SEC(".maps");

/* Counts the verdict and hands back what XDP shall do. */
SUBPROG int decide(u32 verdict, int action)
{
	u64 *count = bpf_map_lookup_elem(&verdicts, &verdict);

	if (count)
		__sync_fetch_and_add(count, 1);
	return action;
}

SUBPROG void count_port(u16 port)
{
	u64 *known = bpf_map_lookup_elem(&ports, &port), first = 1;

	if (known)
		__sync_fetch_and_add(known, 1);
	else
		bpf_map_update_elem(&ports, &port, &first, BPF_ANY);
}

SEC("xdp")
int xdp_counters(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethernet_header *ethernet = data;
	struct ipv4_header *ip = data + sizeof(*ethernet);
	struct udp_header *udp = (void *)(ip + 1);
	struct traffic *traffic;
	u32 protocol;

	if ((void *)(ethernet + 1) > end)
		return decide(TOO_SHORT, XDP_ABORTED);
	if (ethernet->type != bpf_htons(ETHERTYPE_IPV4))
		return decide(NOT_IPV4, XDP_PASS);
	if ((void *)(ip + 1) > end)
		return decide(TOO_SHORT, XDP_DROP);

	protocol = ip->protocol;
	traffic = bpf_map_lookup_elem(&protocols, &protocol);
	if (traffic) {
		traffic->packets++;
		traffic->bytes += end - data;
	}

	if (protocol == PROTOCOL_UDP) {
		if ((void *)(udp + 1) > end)
			return decide(TOO_SHORT, XDP_DROP);
		count_port(bpf_ntohs(udp->destination_port));
		if (udp->destination_port == bpf_htons(PORT_DISCARD))
			return decide(DISCARDED, XDP_DROP);
	}
	return decide(COUNTED, XDP_PASS);
}
