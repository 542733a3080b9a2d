/*
 * For programs that run under Linux's user emulation and on the bare machine alike. main() works on its data; then all of
 * it, from data_start to data_end, and the registers are written to standard output.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int s32;
typedef long s64;

static struct {
    u64 registers[32];
    u8 stack[16384];
    u64 results[64];
    u8 bytes[8192];
    u32 words[4096];
} data __attribute__((used, aligned(16)));

static void work(void);

__attribute__((used)) static void run(void) { work(); }

/* The stack is in the data, so that sp is the same everywhere. */
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  la sp, data\n"
    "  li x1, 256 + 16384\n"
    "  add sp, sp, x1\n"
    "  .irp r, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  li x\\r, \\r\n"
    "  .endr\n"
    "  call run\n"
    "  la t6, data\n"
    "  .irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  sd x\\r, 8*\\r(t6)\n"
    "  .endr\n"
    "  li a7, 64\n"
    "  li a0, 1\n"
    "  la a1, data\n"
    "  li a2, 256 + 16384 + 512 + 8192 + 16384\n"
    "  ecall\n"
    "  li a7, 93\n"
    "  li a0, 0\n"
    "  ecall\n");

static u32 seed = 2463534242u;
static u32 next(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}
