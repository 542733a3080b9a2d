/**
 * Where things lie in the machine's WebAssembly memory. Plain numbers, read by the AssemblyScript core and by its
 * TypeScript face alike. Bytes.
 */

/** x0…x31, 8 bytes each, and a 33rd slot that takes the results meant for x0. */
export const REGS = 1024;
/** Byte offset (from REGS) of the slot that takes what is written to x0. */
export const SINK = 256;

/** The registers, and LOST, before the instruction that is being watched. */
export const REGS_BEFORE = 2048;
export const LOST_BEFORE = 2304;

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
/** u32: frames in page tables. */
export const FRAME_COUNT = 3164;
/** u64: misaligned data accesses so far. */
export const MISALIGNED = 3168;
/** u64: pc of the instruction that hit a watchpoint. */
export const WATCH_BY = 3176;
/** i32: instructions left when a watchpoint was hit. */
export const WATCH_LEFT = 3184;
/** i32: MODE_… */
export const MODE = 3192;
/** u32: cycles per tick of the time register. */
export const TIME_DIVIDER = 3200;
/** u32: frames that there are, free ones and those that only snapshots hold among them. */
export const FRAMES_MADE = 3256;
/** u32: the most bytes of WebAssembly memory that tables and the frames in page tables may take. */
export const HEAP_LIMIT = 3204;

/** u32: entries in REGISTER_WATCHES. */
export const REGISTER_WATCH_COUNT = 3208;
/** u32: pipeline records to keep, 0 = do not record. */
export const PIPELINE_ON = 3212;
/** u32: not 0 where fetches see what is stored at once. */
export const COHERENT = 3248;
/** u32: not 0 after a store, where fetches must see it, to a page that instructions were decoded from. */
export const CODE_WRITTEN = 3252;
/** u64: pipeline records written so far. */
export const PIPELINE_COUNT = 3216;

/** u64: the highest value that sp has had since this was set last. */
export const HIGHEST_SP = 3264;
/** u32: the last mark (MARK_…) that was passed, 0 = none. */
export const MARKS_PASSED = 3272;

/** The access that hit a memory watchpoint: u64 first byte, u32 bytes, u32 WATCH_READ | WATCH_WRITTEN, u64 bytes before the write. */
export const ACCESS = 3224;
export const ACCESS_BYTES = 3232;
export const ACCESS_KINDS = 3236;
export const ACCESS_BEFORE = 3240;

/** Register watchpoints: { u32 byte offset of the register, u32 kind, u64 value, u32 number }. */
export const REGISTER_WATCHES = 3328;
export const REGISTER_WATCH_BYTES = 24;
export const REGISTER_WATCH_MAX = 32;
export const WATCH_EQUALS = 8;

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
export const HEAP_START = 196608;

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

/** A mark on a record: the record's own bytes before RECORD_OFFSET, then u32s: the record, the mark passed before, a number. */
export const MARK_BYTES = 24;
export const MARK_RECORD = 12;
export const MARK_NEXT = 16;
export const MARK_INDEX = 20;

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

/** No timing: an instruction takes a cycle. */
export const MODE_PLAIN = 0;
/** One instruction a cycle. */
export const MODE_SINGLE = 1;
/** Up to two. */
export const MODE_DUAL = 2;
/** Added to a mode: with instruction and data caches. */
export const MODE_CACHES = 4;

/*
 * State of the timing model. Times are counted in eighths of a cycle, so that the low three bits can say why something
 * takes its time: the current time has all three set, the time at which a register is ready has a CAUSE_… there, so
 * that one comparison tells whether an instruction must wait.
 */
/** u64 per register: when its value can be used, and why not before. */
export const READY = 65536;
/** u64 per cause: cycles lost. */
export const LOST = READY + 512;
/** u64: the cycle in which the last instruction was issued, times 8 plus 7. */
export const TIME = READY + 640;
/** u64: when the divider is free. */
export const DIVIDER_FREE = READY + 648;
/** u64: instructions that were issued in the cycle of the one before. */
export const PAIRED = READY + 656;
/** u64: the time to which the last wait for an operand led, and what it cost, for the same purpose. */
export const WAITED_TO = READY + 672;
export const WAITED = READY + 680;
/** u32 */
export const WAITED_FOR = READY + 688;
/** u32: what is left of the current cycle between runs: see pairs() in timing.ts. */
export const PAIR_PIPES = READY + 692;
export const PAIR_FIRST = READY + 696;
/** u64: line of the instruction fetched last. */
export const FETCH_LINE = READY + 712;
/** u32: top of the return address stack. */
export const RETURN_TOP = READY + 720;
/** u64 each */
export const RETURN_STACK = READY + 1024;
export const RETURN_MAX = 32;
/** { u64 address of the jump, u64 target } */
export const TARGETS = READY + 1280;
export const TARGET_MAX = 64;
/** u8 counters 0…3 */
export const BRANCHES = READY + 4096;
export const BRANCH_MAX = 4096;
/** u64 line numbers plus 1, the ways of a set beside each other, used last first. */
export const FETCH_CACHE = READY + 8192;
export const DATA_CACHE = READY + 24576;
/** Most lines of a cache. */
export const CACHE_MAX = 2048;
/** End of the state. */
export const TIMING_END = READY + 40960;

/* Parameters of the timing model, from the profile. */
/** u64 per class: eighths of a cycle from issue to the result, plus a CAUSE_…, minus 7. */
export const LATENCY = TIMING_END;
/** u8 per class: the pipes PIPE_… that it may use, and those that it leaves free when it is issued first. */
export const CLASS_PIPES = LATENCY + 256;
export const CLASS_LEAVES = LATENCY + 288;
/** u64: eighths of a cycle that a wrong prediction costs, and a flush of the pipeline. */
export const MISPREDICT_COST = LATENCY + 384;
export const FLUSH_COST = LATENCY + 392;
/** u64: eighths of a cycle of a division with an empty quotient, and per bit of quotient. */
export const DIVIDE_BASE = LATENCY + 400;
export const DIVIDE_BIT = LATENCY + 408;
/** u32: index mask of BRANCHES; 0: static prediction, backward taken. */
export const BRANCH_MASK = LATENCY + 424;
/** u32: entries of the return stack, and of TARGETS minus 1. */
export const RETURN_ENTRIES = LATENCY + 428;
export const TARGET_MASK = LATENCY + 432;
/** { u32 log2 of the line's bytes, u32 sets minus 1, u32 ways, u32 eighths of a cycle that a miss costs } */
export const FETCH_SHAPE = LATENCY + 448;
export const DATA_SHAPE = LATENCY + 464;

export const PIPE_A = 1;
export const PIPE_B = 2;
/** u64 per class: eighths of a cycle by which rs1, and rs2, may come late, and the result does then. */
export const LATE_1 = LATENCY + 512;
export const LATE_2 = LATENCY + 768;
export const LATE_RESULT = LATENCY + 1024;

/* Timing classes (RECORD_CLASS). */
export const CLASS_ALU = 0;
/** Arithmetic that only the second pipe of a dual-issue core does. */
export const CLASS_ALU_B = 1;
export const CLASS_MUL = 2;
export const CLASS_DIV = 3;
/** lw, lwu, ld */
export const CLASS_LOAD = 4;
/** lb, lbu, lh, lhu */
export const CLASS_LOAD_SMALL = 5;
export const CLASS_STORE = 6;
export const CLASS_BRANCH = 7;
export const CLASS_BRANCH_BACK = 8;
export const CLASS_JAL = 9;
export const CLASS_JALR = 10;
export const CLASS_AMO = 11;
export const CLASS_LR = 12;
export const CLASS_SC = 13;
export const CLASS_CSR = 14;
export const CLASS_FENCE = 15;
export const CLASS_CPOP = 16;
/** Arithmetic that only the late units of a dual-issue core do, in either pipe and in the second one. */
export const CLASS_ALU_LATE = 17;
export const CLASS_ALU_B_LATE = 18;
export const CLASS_COUNT = 19;

/* Why cycles are lost. The first seven fit into the low bits of a time. */
export const LOST_LOAD = 1;
export const LOST_MUL = 2;
export const LOST_DIV = 3;
export const LOST_ATOMIC = 4;
export const LOST_OTHER = 5;
export const LOST_LATE = 6;
export const LOST_BRANCH = 8;
export const LOST_FLUSH = 9;
export const LOST_FETCH = 10;
export const LOST_DATA = 11;
export const LOST_COUNT = 16;

/** Pipeline records, a ring: 48 bytes. */
export const PIPELINE = 131072;
export const PIPELINE_BYTES = 48;
export const PIPELINE_MAX = 1024;
/** u64 */
export const PIPELINE_PC = 0;
/** u64: cycle of issue. */
export const PIPELINE_ISSUE = 8;
/** u64: the cycle after which the next instruction may issue: later than the issue if this one holds up or flushes. */
export const PIPELINE_FREE = 16;
/** u64: cycle from which the result can be used. */
export const PIPELINE_RESULT = 24;
/** u32: cycles it waited before issue, and after issue; u8: for what (LOST_…). */
export const PIPELINE_WAITED = 32;
export const PIPELINE_HELD = 36;
export const PIPELINE_WAITED_FOR = 40;
export const PIPELINE_HELD_FOR = 41;
