// SPDX-License-Identifier: GPL-2.0-or-later
/* legacy map section: libbpf 1.x refuses, so no oracle; see maps */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct bpf_map_def { unsigned type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def SEC("maps") hash_l = { .type = 1, .key_size = 4, .value_size = 8, .max_entries = 100 };
struct bpf_map_def SEC("maps") arr_l = { .type = 2, .key_size = 4, .value_size = 16, .max_entries = 3, .map_flags = 0x400 };
struct bpf_map_def SEC("maps") jmp_l = { .type = 3, .key_size = 4, .value_size = 4, .max_entries = 3 };
char _l[] SEC("license") = "GPL";
SEC("socket") int p(struct __sk_buff *s) { int k = 1; long *v = bpf_map_lookup_elem(&hash_l, &k); long *w = bpf_map_lookup_elem(&arr_l, &k); bpf_tail_call(s, &jmp_l, 2); return (v ? *v : 0) + (w ? *w : 1); }
