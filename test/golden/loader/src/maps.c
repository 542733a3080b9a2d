// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
char _l[] SEC("license") = "GPL";
typedef unsigned long long u64; typedef unsigned u32; typedef unsigned short u16; typedef unsigned char u8;
typedef u64 myval; typedef const u32 ckey;
enum { E_MAX = 12, E_FLAGS = 1 };
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, E_MAX); __type(key, ckey); __type(value, myval); } lru SEC(".maps");
struct big { u8 a[3]; u64 b __attribute__((packed)); struct { int x; } in[4]; union { u16 q; u64 r; }; float f; };
struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(max_entries, 4 << 3); __type(key, struct big); __type(value, struct big[3]); __uint(map_flags, E_FLAGS); __uint(numa_node, 0); } ph SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __uint(key_size, sizeof(u32)); __uint(value_size, 4096); __uint(map_flags, BPF_F_MMAPABLE); } bigarr SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 2); __type(value, u64); } que SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_CPUMAP); __uint(max_entries, 2); __type(key, u32); __type(value, struct bpf_cpumap_val); } cpum SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, u64); } sks SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __uint(max_entries, 10); __type(value, u32); __uint(map_extra, 3); } bloom SEC(".maps");
u64 arr2d[3][4] = { { 1 } }; const char *strp = "pointer in data"; static u8 hid[100]; u64 __attribute__((aligned(64))) al;
struct { u32 a; u8 b[5]; } anon = { 1, { 2 } };
static int (*volatile fp)(int); 
__attribute__((noinline)) static int deepstack(u32 n) { u8 buf[128]; __builtin_memset(buf, n, 128); bpf_get_current_comm(buf, 16); asm volatile("" :: "r"(buf)); return buf[n & 127]; }
SEC("tc") int many(struct __sk_buff *s) {
	u32 k = s->len; struct big b = {}; u64 *v = bpf_map_lookup_elem(&lru, &k); if (!v) { u64 z = 0; bpf_map_update_elem(&lru, &k, &z, 0); }
	bpf_map_delete_elem(&ph, &b); bpf_map_push_elem(&que, &arr2d[1][2], 0); bpf_map_peek_elem(&bloom, &k);
	arr2d[s->len % 3][s->mark & 3] += k; hid[k % 100] = anon.b[k % 5]; al++; anon.a <<= 3;
	return deepstack(k) + strp[0];
}
SEC("xdp") int pr(struct xdp_md *c) {
	bpf_printk("a %d b %d", c->data, c->data_end); bpf_printk("a %d b %d", c->data, 7); bpf_printk("other");
	u8 addr[16] = { 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 }; asm volatile("" :: "r"(addr)); struct big q = { .b = 0x1122334455667788, .in = { {1},{2},{3},{4} } }; asm volatile("" :: "r"(&q));
	return bpf_redirect_map(&cpum, 0, 0) + deepstack(addr[c->rx_queue_index & 15]);
}
