// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that runs for more than 10^11 instructions: bpf_loop calls a function with a loop of its own. */
typedef unsigned int u32;
typedef unsigned long long u64;

static long (*bpf_loop)(u32 calls, void *callback, void *context, u64 flags) = (void *)181;

static long each(u32 index, u64 *sum)
{
	u64 value = index;

	for (u32 i = 0; i < 2000; i++) {
		value = value * 6364136223846793005ull + i;
		value ^= value >> 29;
	}
	*sum += value;
	return 0;
}

__attribute__((section("tc"), used)) int endless(void *skb)
{
	u64 sum = 0;

	for (int i = 0; i < 8; i++)
		bpf_loop(1 << 23, each, &sum, 0);
	return sum & 1;
}

char _license[] __attribute__((section("license"), used)) = "GPL";
