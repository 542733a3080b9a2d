/*
 * What the machine's speed is measured with: sorting, a sieve, hashing with multiplications, divisions, recursion, strings and a
 * linked list. Runs under Linux's user emulation and on the bare machine; the exit code is a checksum.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#ifndef ROUNDS
#define ROUNDS 100
#endif

static u32 seed = 12345;
static u32 next(void) { return seed = seed * 1664525u + 1013904223u; }

static u32 numbers[4096];
static u8 flags[1 << 16];
static struct node {
    struct node *next;
    u64 value;
} nodes[2048];

static void shell_sort(u32 *a, int n) {
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++) {
            u32 t = a[i];
            int j = i;
            for (; j >= gap && a[j - gap] > t; j -= gap) a[j] = a[j - gap];
            a[j] = t;
        }
}

static void sieve(void) {
    for (int i = 0; i < 1 << 16; i++) flags[i] = 1;
    for (int i = 2; i < 256; i++)
        if (flags[i])
            for (int j = i * i; j < 1 << 16; j += i) flags[j] = 0;
}

static u64 hash(const u8 *p, int n) {
    u64 h = 14695981039346656037ul;
    for (int i = 0; i < n; i++) h = (h ^ p[i]) * 1099511628211ul;
    return h;
}

static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static u64 chase(void) {
    for (int i = 0; i < 2048; i++) nodes[i] = (struct node){&nodes[(i * 677 + 1) & 2047], (u64)next()};
    u64 sum = 0;
    struct node *at = nodes;
    for (int i = 0; i < 20000; i++, at = at->next) sum += at->value;
    return sum;
}

static u64 divide(u64 s) {
    for (u64 i = 1; i < 2000; i++) {
        s += s / (i + 3);
        s ^= s % (i * 7 + 1);
    }
    return s;
}

static u64 work(void) {
    u64 sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 4096; i++) numbers[i] = next();
        shell_sort(numbers, 4096);
        sum += numbers[7];
        sieve();
        sum += hash(flags, 1 << 16);
        sum = divide(sum) + chase();
        sum += (u64)fibonacci(20);
    }
    return sum;
}

void _start(void) {
    __asm__ volatile(".option push\n.option norelax\nla gp, __global_pointer$\n.option pop");
    register u64 a0 __asm__("a0") = work() & 127;
    register u64 a7 __asm__("a7") = 93;
    __asm__ volatile("ecall" ::"r"(a0), "r"(a7));
}
