// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _l[] SEC("license") = "GPL";
typedef unsigned long long u64; typedef unsigned u32;
/* callbacks that call each other and are global; same callback in several programs */
__attribute__((noinline)) long gcb(u32 i, u64 *c) { *c += i; return *c > 1000; }
static long scb(u32 i, u64 *c) { return gcb(i * 2, c); }
static __attribute__((noinline)) u64 deep1(u64 x) { u64 b[4] = { x, x+1, x+2, x+3 }; bpf_loop(3, scb, b, 0); return b[0]; }
static __attribute__((noinline)) u64 deep2(u64 x) { return deep1(x) + 1; }
static __attribute__((noinline)) u64 deep3(u64 x) { return deep2(x) * deep1(x+7); }
__attribute__((noinline)) u64 deep4(u64 x) { return deep3(x) / (x | 1) + deep2(x); }
SEC("syscall") int p1(u64 *c) { u64 v = 0; bpf_loop(5, gcb, &v, 0); return v + deep4(c[0]); }
SEC("syscall") int p2(u64 *c) { return deep2(c[0]) + deep3(c[1]); }
SEC("xdp") int p3(struct xdp_md *c) { return deep1(c->data) & 3; }
SEC("xdp") int p4(struct xdp_md *c) { u64 v = 1; bpf_loop(1, c->data & 1 ? (void *)gcb : (void *)scb, &v, 0); return v; }
