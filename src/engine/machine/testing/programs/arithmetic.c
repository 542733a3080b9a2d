#include "start.h"

/* Division, remainder, wide multiplication and shifts of all widths and signs, edges included. */
static u64 edge(u32 i) {
    static const u64 edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 1ul << 62, 1ul << 63, ~0ul, ~0ul - 1};
    if (i < sizeof(edges) / sizeof(edges[0])) return edges[i];
    return (u64)next() << 32 | next();
}

static u64 power(u64 base, u64 exponent, u64 modulus) {
    u64 result = 1 % modulus;
    base %= modulus;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1) result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}

static void work(void) {
    for (u32 i = 0; i < 40; i++) {
        for (u32 j = 0; j < 40; j++) {
            u64 a = edge(i), b = edge(j);
            u64 *r = data.results;
            r[0] += a * b;
            r[1] ^= (u64)((unsigned __int128)a * b >> 64);
            r[2] ^= (u64)((__int128)(s64)a * (s64)b >> 64);
            if (b) {
                r[3] += a / b;
                r[4] ^= a % b;
                if (!((s64)a == (s64)(1ul << 63) && (s64)b == -1)) {
                    r[5] += (u64)((s64)a / (s64)b);
                    r[6] ^= (u64)((s64)a % (s64)b);
                }
            }
            if ((u32)b) {
                r[7] += (u32)a / (u32)b;
                r[8] ^= (u32)a % (u32)b;
                if (!((s32)a == (s32)0x80000000 && (s32)b == -1)) {
                    r[9] += (u64)((s32)a / (s32)b);
                    r[10] ^= (u64)((s32)a % (s32)b);
                }
            }
            r[11] += a << (b & 63);
            r[12] ^= a >> (b & 63);
            r[13] += (u64)((s64)a >> (b & 63));
            r[14] ^= (u64)((s32)a >> (b & 31));
            r[15] += (u64)((s64)a < (s64)b) + 2 * (a < b) + 4 * ((s32)a < (s32)b);
        }
    }
    for (u32 i = 0; i < 16; i++) data.results[16 + i] = power(next(), next(), (next() & 0x7fffffff) | 1);
}
