// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
typedef unsigned int u32; typedef unsigned long long u64;
/* string tables, data relocations, static locals, big switch */
static const char *const names[] = { "one", "two", "three" };
const char fmt_ro[] = "x %s";
struct cfg { u32 a; u64 b; char n[8]; };
const volatile struct cfg cfgs[2] = { { 1, 2, "a" }, { 3, 4, "b" } };
static struct cfg mut = { 7, 8, "m" };
__attribute__((noinline)) u64 rec_a(u64 v); 
__attribute__((noinline)) static int pick(u32 i) { switch (i) { case 0: return 11; case 1: return 22; case 2: return 37; case 3: return 41; case 4: return 5; case 5: return 9; default: return 0; } }
__attribute__((noinline)) u64 rec_b(u64 v) { static int calls; calls++; return v > 10 ? v : pick(v) + calls; }
__attribute__((noinline)) u64 rec_a(u64 v) { return rec_b(v + 1) + mut.b++; }
static long each(void *m, u32 *k, u64 *v, void *c) { *v += rec_a(*k); return 0; }
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, u32); __type(value, u64); __uint(pinning, 0); } pinned SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 8); __type(key, u32); __type(value, u32); __array(values, int(void *)); } jt SEC(".maps");
SEC("syscall") int m1(u64 *ctx) { char b[16]; bpf_snprintf(b, 16, fmt_ro, 0, 0); bpf_for_each_map_elem(&pinned, each, 0, 0); return pick(ctx[0]) + cfgs[ctx[1] & 1].a; }
SEC("tc") int m2(struct __sk_buff *s) { const char *n = names[s->len % 3]; bpf_tail_call(s, &jt, s->len & 7); return rec_a(s->len) + (n ? n[0] : 0); }
SEC("action") int m3(struct __sk_buff *s) { return bpf_strncmp("abcdefg", 7, fmt_ro) + (int)rec_b(mut.a); }
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __type(key, int); __type(value, int); } pea SEC(".maps");
SEC("tracepoint") int m4(void *c) { u64 x[3] = {1,2,3}; return bpf_perf_event_output(c, &pea, BPF_F_CURRENT_CPU, x, sizeof x); }
