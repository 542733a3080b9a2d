#include "start.h"

static void work(void) {
    u64 *p = data.results;
    u32 *w = data.words;
    for (u32 i = 0; i < 2000; i++) {
        u64 v = (u64)next() << 32 | next();
        __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
        __atomic_fetch_xor(p + 1, v, __ATOMIC_RELAXED);
        __atomic_fetch_and(p + 2, v | 1, __ATOMIC_ACQUIRE);
        __atomic_fetch_or(p + 3, v & 0xff, __ATOMIC_RELEASE);
        p[4] += __atomic_exchange_n(p + 5, v, __ATOMIC_SEQ_CST);
        u64 expected = i & 1 ? p[6] : v;
        p[7] += __atomic_compare_exchange_n(p + 6, &expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        p[8] ^= expected;
        __atomic_fetch_add(w + (i & 63), (u32)v, __ATOMIC_SEQ_CST);
        u32 old = w[64];
        p[9] += __atomic_compare_exchange_n(w + 64, &old, (u32)v, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        __asm__ volatile("amomax.d zero, %0, (%1)\namominu.w zero, %0, (%2)" ::"r"(v), "r"(p + 10), "r"(w + 65) : "memory");
    }
}
