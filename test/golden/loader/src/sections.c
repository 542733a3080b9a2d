// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
typedef unsigned int u32; typedef unsigned long long u64; typedef unsigned char u8;
char LICENSE[] SEC("license") = "Dual BSD/GPL";
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 3); __type(key, u32); __type(value, u64); } a_percpu_array_map SEC(".maps");
struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u32); } in1 SEC(".maps"), in2 SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 5); __uint(key_size, 4); __array(values, struct inner); } outer SEC(".maps") = { .values = { [1] = &in1, [4] = &in2 } };
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 5); __uint(key_size, 4); __uint(value_size, 4); __array(values, struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 7); __type(key, u64); __type(value, u64); __uint(map_flags, BPF_F_NO_PREALLOC); }); } houter SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 5000); } rb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(max_entries, 8); __uint(key_size, 8); __uint(value_size, 4); __uint(map_flags, BPF_F_NO_PREALLOC); } lpm SEC(".maps");
int glob1 = 1; static int stat1 = 2; const volatile int ro1 = 3; int zero1; static int zero2[10];
int custom SEC(".data.custom") = 9; const int rocustom SEC(".rodata.cfg") = 4; int bsscustom SEC(".bss.mine");
int longsec SEC(".data.averyverylongname") = 5;
static __attribute__((noinline)) u64 st_leaf(u64 a) { return a * 3 + bpf_ktime_get_ns(); }
static __attribute__((noinline)) u64 st_mid(u64 a) { return st_leaf(a) ^ st_leaf(a + 1); }
__attribute__((noinline)) int gl_fn(int a) { stat1 += a; return st_mid(a) + glob1; }
__weak __attribute__((noinline)) int weak_fn(int a) { asm volatile("" : "+r"(a)); return a + 1; }
__hidden __attribute__((noinline)) int hidden_fn(int a) { return gl_fn(a) + weak_fn(a); }
static __attribute__((noinline)) int unused_by_first(u64 a) { bpf_printk("hello %d literal", a); return a & 7; }
static long cb(u32 i, void *c) { *(u64 *)c += weak_fn(i); zero1++; return 0; }
static long cb2(u32 i, void *c) { *(u64 *)c ^= i; return bpf_loop(2, cb, c, 0); }
SEC("xdp") int x1(struct xdp_md *ctx) { u64 s = ro1; bpf_loop(10, cb, &s, 0); return gl_fn(ctx->rx_queue_index) + hidden_fn(s) + custom; }
SEC("xdp.frags") int x2(struct xdp_md *ctx) { bpf_printk("literal two %s %d", "inner", ctx->data); return unused_by_first(ctx->data_end) + rocustom + bsscustom++ + longsec; }
SEC("tc") int t1(struct __sk_buff *s) { u64 v = 5; bpf_loop(10, cb2, &v, 0); zero2[s->len & 7]++; u32 k = 1; void *m = bpf_map_lookup_elem(&outer, &k); if (m) { u32 *p = bpf_map_lookup_elem(m, &k); if (p) v += *p; } u64 *q = bpf_map_lookup_elem(&a_percpu_array_map, &k); if (q) ++*q; return st_mid(v); }
SEC("?tc") int opt(struct __sk_buff *s) { return weak_fn(s->len); }
SEC("classifier") int cls(struct __sk_buff *s) { void *r = bpf_ringbuf_reserve(&rb, 8, 0); if (r) bpf_ringbuf_discard(r, 0); return 0; }
SEC("socket") int sk(struct __sk_buff *s) { return s->len + stat1; }
SEC("kprobe/do_x") int kp(void *c) { return hidden_fn(1); }
SEC("cgroup_skb/egress") int cg(struct __sk_buff *s) { return 1; }
SEC("sk_lookup") int skl(struct bpf_sk_lookup *c) { return 1; }
SEC("uprobe.s//bin/x:y") int up(void *c) { return 0; }
SEC("tp/syscalls/sys_enter_x") int tpx(void *c) { return 0; }
SEC("raw_tp.w/x") int rtw(void *c) { return 0; }
SEC("perf_event") int pe(void *c) { return 0; }
SEC("cgroup/getsockopt") int gso(void *c) { return 1; }
SEC("xdp/devmap") int xdm(struct xdp_md *c) { return 2; }
