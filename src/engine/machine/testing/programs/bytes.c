#include "start.h"

/* Loads and stores of all sizes, checksums, text, and jump tables. */
static u32 crc(const u8 *p, u64 n) {
    u32 c = ~0u;
    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (0xedb88320u & -(c & 1));
    }
    return ~c;
}

static u64 parse(const char *s) {
    u64 value = 0;
    for (; *s >= '0' && *s <= '9'; s++) value = value * 10 + (u64)(*s - '0');
    return value;
}

static u64 machine(const u8 *code, u64 n) {
    u64 a = 1, b = 2, steps = 0;
    for (u64 i = 0; i < n && steps < 20000; steps++) {
        switch (code[i] & 15) {
        case 0: a += b; i++; break;
        case 1: a -= b; i++; break;
        case 2: a ^= b << 3; i++; break;
        case 3: b = a >> 1; i++; break;
        case 4: a *= 5; i++; break;
        case 5: { u64 t = a; a = b; b = t; i++; break; }
        case 6: i += 1 + (a & 3); break;
        case 7: if (i > 8 && steps < 9000) i -= b & 7; else i++; break;
        case 8: a = a << 7 | a >> 57; i++; break;
        case 9: b = ~b; i++; break;
        default: a += code[i]; i++; break;
        }
    }
    return a ^ b ^ steps;
}

static void work(void) {
    for (int i = 0; i < 8192; i++) data.bytes[i] = (u8)next();
    data.results[0] = crc(data.bytes, 8192);
    data.results[1] = parse("18446744073709551557");
    data.results[2] = machine(data.bytes, 8192);
    u16 *halves = (u16 *)data.bytes;
    s64 sum = 0;
    for (int i = 0; i < 4096; i++) sum += (signed char)data.bytes[i] * (short)halves[i];
    data.results[3] = (u64)sum;
    for (int i = 0; i + 8 < 4000; i += 7) __builtin_memcpy(data.bytes + i, data.bytes + 4096 + i, 7);
    for (int i = 1; i < 4090; i += 3) *(volatile u32 *)(data.bytes + 4096 + i % 4000) += (u32)i;
}
