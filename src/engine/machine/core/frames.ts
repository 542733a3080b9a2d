/**
 * The core's own memory: what tables, decoded instructions and the frames behind guest pages are taken from. A frame is held by
 * a page table, by snapshots, or by both; only those in page tables count against the limit, as what the guest has written.
 */
import {
  FRAMES_MADE, FRAME_COUNT, FREE_FRAMES, HEAP_LIMIT, HEAP_TOP, PAGE_BYTES,
} from './layout';

/** Bytes that the memory grows by at least. */
const GROWTH: u64 = 64 << 20;

/** Whether the limit leaves room for so many bytes more. */
function permitted(bytes: u64): bool {
  const others: u64 = u64(load<u32>(FRAMES_MADE) - load<u32>(FRAME_COUNT)) * PAGE_BYTES;
  return u64(load<u32>(HEAP_TOP)) - others + bytes <= u64(load<u32>(HEAP_LIMIT));
}

/** `bytes` (a multiple of 4096) of zeroed memory, or 0 when there is no more. */
function extend(bytes: u64): u32 {
  const at = load<u32>(HEAP_TOP);
  const top = u64(at) + bytes;
  const most: u64 = 1 << 32;
  if (top >= most) return 0;
  const have: u64 = u64(memory.size()) << 16;
  if (top > have) {
    // By much: at each growth the host looks for garbage, since all of the memory is new to it, and what is not touched costs
    // nothing.
    const wanted = max(top - have, min(GROWTH, most - have));
    if (memory.grow(i32((wanted + 0xffff) >> 16)) < 0) return 0;
  }
  store<u32>(HEAP_TOP, u32(top));
  return at;
}

/** Gives `bytes` (a multiple of 8) of zeroed memory at a multiple of 4096, or 0 when the limit is reached. */
export function allocate(bytes: u32): u32 {
  const whole = (u64(bytes) + (PAGE_BYTES - 1)) & ~u64(PAGE_BYTES - 1);
  return permitted(whole) ? extend(whole) : 0;
}

/** A frame with any contents, or 0. */
function takeFrame(): u32 {
  const free = load<u32>(FREE_FRAMES);
  if (free != 0) {
    store<u32>(FREE_FRAMES, load<u32>(free));
    return free;
  }
  const made = extend(PAGE_BYTES);
  if (made != 0) store<u32>(FRAMES_MADE, load<u32>(FRAMES_MADE) + 1);
  return made;
}

/** A zeroed frame for a page that has none, or 0 when the limit is reached. */
export function zeroedFrame(): u32 {
  const frame = permitted(PAGE_BYTES) ? takeFrame() : 0;
  if (frame == 0) return 0;
  memory.fill(frame, 0, PAGE_BYTES);
  store<u32>(FRAME_COUNT, load<u32>(FRAME_COUNT) + 1);
  return frame;
}

/** A frame with the contents of another, to take its place in a page table; 0 when there is no more memory. */
export function copiedFrame(from: u32): u32 {
  const frame = takeFrame();
  if (frame != 0) memory.copy(frame, from, PAGE_BYTES);
  return frame;
}

/** Gives a frame back that neither a page table nor a snapshot holds any more. */
export function freeFrame(frame: u32): void {
  store<u32>(frame, load<u32>(FREE_FRAMES));
  store<u32>(FREE_FRAMES, frame);
}
