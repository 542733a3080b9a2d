/**
 * Where things lie in the machine's WebAssembly memory. Plain numbers, read by the AssemblyScript core and by its
 * TypeScript face alike. Bytes.
 */

/** x0…x31, 8 bytes each, and a 33rd slot that takes the results meant for x0. */
export const REGS = 1024;
/** Byte offset (from REGS) of the slot that takes what is written to x0. */
export const SINK = 256;

/** u64: address of the next instruction, valid between runs. */
export const PC = 3072;
/** u64: instructions retired before the current slice. */
export const INSTRET = 3080;
/** u64: loads and stores so far (an AMO is both, lr a load, a successful sc a store). */
export const LOADS = 3088;
export const STORES = 3096;
/** u64: the address of the last fault or watchpoint hit. */
export const ADDRESS = 3104;
/** i32: EVENT_… raised by the slow path of a memory access. */
export const EVENT = 3112;
/** i32: CAUSE_… of the last fault. */
export const CAUSE = 3116;
/** i32: instructions left when a slice ended. */
export const REMAINING = 3120;
/** i32: number of the watchpoint that was hit. */
export const WATCH_HIT = 3124;
/** u64: address of the reservation; u32: bytes reserved, 0 without a reservation. */
export const RESERVATION = 3128;
export const RESERVATION_SIZE = 3136;
/** u32: the table of regions, sorted by base, and its length. */
export const REGION_TABLE = 3140;
export const REGION_COUNT = 3144;
/** u32: first byte of WebAssembly memory that nothing uses yet. */
export const HEAP_TOP = 3148;
/** u32: first frame of the chain of free frames, 0 = none. */
export const FREE_FRAMES = 3152;
/** u32: entries in DIRTY_LIST; more than DIRTY_MAX means that the list overflowed. */
export const DIRTY_COUNT = 3156;
/** u32: entries in WATCHES. */
export const WATCH_COUNT = 3160;
/** u32: frames in use. */
export const FRAME_COUNT = 3164;
/** u64: misaligned data accesses so far. */
export const MISALIGNED = 3168;
/** u64: pc of the instruction that hit a watchpoint. */
export const WATCH_BY = 3176;
/** i32: instructions left when a watchpoint was hit. */
export const WATCH_LEFT = 3184;
/** u64: what the cycle and time registers read, advanced by the timing model. */
export const CYCLES = 3192;
/** u32: cycles per tick of the time register. */
export const TIME_DIVIDER = 3200;
/** u32: the most bytes of WebAssembly memory that may be used. */
export const HEAP_LIMIT = 3204;

/** Software look-aside tables: 256 entries of { u64 tag, u32 host minus guest address }. */
export const LOAD_TLB = 4096;
export const STORE_TLB = 8192;
export const TLB_BYTES = 4096;
/** A tag that no access has: tags keep bits 12…63 and the misalignment bits only. */
export const TLB_EMPTY = 0x800;

/** A frame of zeros: what a page that was never written reads. */
export const ZERO_FRAME = 12288;

/** Memory watchpoints: { u64 first, u64 last, u32 kinds, u32 number }. */
export const WATCHES = 16384;
export const WATCH_BYTES = 24;
export const WATCH_MAX = 128;
export const WATCH_READ = 1;
export const WATCH_WRITTEN = 2;
export const WATCH_CHANGED = 4;

/** Pages written since the last snapshot: { u32 region number, u32 page index }. */
export const DIRTY_LIST = 20480;
export const DIRTY_MAX = 4096;

/** First byte that the allocator hands out. */
export const HEAP_START = 131072;

export const PAGE_BYTES = 4096;
/** A page table entry is the frame's address plus these bits. */
export const PAGE_DIRTY = 1;

/** Region records: 48 bytes. */
export const REGION_BYTES = 48;
export const REGION_BASE = 0;
/** u64 */
export const REGION_SIZE = 8;
/** u32: PERMIT_… */
export const REGION_PERMIT = 16;
/** u32: page table, one u32 per page that the region touches. */
export const REGION_PAGES = 20;
/** u32: code table, one u32 per page: its map from halfwords to records, or 0; 0 where nothing may execute. */
export const REGION_CODE = 24;
/** u32: the number that DIRTY_LIST uses. */
export const REGION_NUMBER = 28;
export const PERMIT_R = 1;
export const PERMIT_W = 2;
export const PERMIT_X = 4;

/** Pre-decoded instructions: 16 bytes, consecutive records are consecutive instructions. */
export const RECORD_BYTES = 16;
/** u8 */
export const RECORD_OP = 0;
/** u8: timing class. */
export const RECORD_CLASS = 1;
/** u16: register number times 8; SINK for a destination x0. */
export const RECORD_RD = 2;
export const RECORD_RS1 = 4;
export const RECORD_RS2 = 6;
/** i32: immediate; for branches and jal the address of the target's record. */
export const RECORD_IMM = 8;
/** u32: address minus the base of the region that the code lies in. */
export const RECORD_OFFSET = 12;

export const EVENT_FAULT = 1;
export const EVENT_WATCH = 2;
/** The machine's memory is used up. */
export const EVENT_MEMORY = 3;

export const CAUSE_FETCH = 1;
export const CAUSE_ILLEGAL = 2;
export const CAUSE_LOAD = 5;
export const CAUSE_STORE = 7;

/** What run() returns. */
export const STOP_LIMIT = 0;
export const STOP_BREAK = 1;
/** No record for the instruction at PC yet. */
export const STOP_DECODE = 2;
export const STOP_FAULT = 3;
export const STOP_ILLEGAL = 4;
export const STOP_FETCH = 5;
export const STOP_ECALL = 6;
export const STOP_EBREAK = 7;
/** fence.i was executed; the run may go on at PC once stale records are gone. */
export const STOP_FENCE_I = 8;
export const STOP_WATCH = 9;
export const STOP_MEMORY = 10;
