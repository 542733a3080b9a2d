// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _l[] SEC("license") = "GPL";
typedef unsigned long long u64; typedef unsigned u32;
/* tail calls in subprograms, several prog arrays with static slots, programs across sections */
int ta(struct __sk_buff *); int tb(struct __sk_buff *); int xa(struct xdp_md *);
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 3); __uint(key_size, 4); __array(values, int(void *)); } j1 SEC(".maps") = { .values = { [2] = (void *)&tb, [0] = (void *)&ta } };
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 1); __uint(key_size, 4); __uint(value_size, 4); __array(values, int(struct xdp_md *)); } j2 SEC(".maps") = { .values = { xa } };
u32 n;
static __attribute__((noinline)) int sub(struct __sk_buff *s) { n++; bpf_tail_call_static(s, &j1, 2); return n; }
SEC("tc") int ta(struct __sk_buff *s) { return sub(s) + sub(s); }
SEC("classifier") int tb(struct __sk_buff *s) { bpf_tail_call(s, &j1, s->len & 3); return 1; }
SEC("xdp") int xa(struct xdp_md *s) { bpf_tail_call(s, &j2, 0); return 1; }
SEC("xdp") int xb(struct xdp_md *s) { bpf_tail_call(s, &j2, s->rx_queue_index); return n; }
