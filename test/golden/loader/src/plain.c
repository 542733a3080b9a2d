// SPDX-License-Identifier: GPL-2.0-or-later
/* no license, no maps, one program; built without -g too */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
int counter; int init = 5; const int ro = 3;
static __attribute__((noinline)) int f(int x) { counter += x; return x * init; }
static __attribute__((noinline)) int g(int x) { return f(x) - f(x + 2); }
SEC("socket") int p(struct __sk_buff *s) { return g(s->len) + f(ro); }
SEC("socket") int q(struct __sk_buff *s) { return f(s->len) + ((volatile const int *)&ro)[0]; }
