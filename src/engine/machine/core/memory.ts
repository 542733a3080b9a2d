/**
 * The slow path of memory: accesses that the look-aside tables do not know. It finds the region, checks the rights,
 * makes frames, marks pages as written, looks at watchpoints, and fills the look-aside tables where nothing of this is
 * needed next time.
 */
import {
  ACCESS, ACCESS_BEFORE, ACCESS_BYTES, ACCESS_KINDS, ADDRESS, CAUSE, CAUSE_LOAD, CAUSE_STORE, CODE_WRITTEN, COHERENT, DIRTY_COUNT, DIRTY_LIST,
  DIRTY_MAX, EVENT, EVENT_FAULT, EVENT_MEMORY, EVENT_WATCH,
  LOAD_TLB, MISALIGNED, PAGE_BYTES, PAGE_DIRTY, PERMIT_R, PERMIT_W,
  REGION_BASE, REGION_BYTES, REGION_CODE, REGION_COUNT, REGION_NUMBER, REGION_PAGES, REGION_PERMIT, REGION_SIZE, REGION_TABLE,
  RESERVATION, RESERVATION_SIZE, STORE_TLB, TLB_BYTES, TLB_EMPTY, WATCHES, WATCH_BYTES, WATCH_CHANGED, WATCH_COUNT,
  WATCH_HIT, WATCH_READ, WATCH_WRITTEN, ZERO_FRAME,
} from './layout';
import { copiedFrame, zeroedFrame } from './frames';

/** Forgets what the look-aside tables know. */
export function flushTlb(): void {
  for (let e: u32 = 0; e < u32(TLB_BYTES); e += 16) {
    store<u64>(e, TLB_EMPTY, LOAD_TLB);
    store<u64>(e, TLB_EMPTY, STORE_TLB);
  }
}

/** Forgets which pages may be stored to, so that the next store to each marks it as written again. */
export function flushStoreTlb(): void {
  for (let e: u32 = 0; e < u32(TLB_BYTES); e += 16) store<u64>(e, TLB_EMPTY, STORE_TLB);
}

/** Byte offset of an address's entry in a look-aside table. */
@inline
export function tlbSlot(address: u64): u32 {
  const a = u32(address);
  return ((a >> 8) ^ (a >> 16)) & 0xff0;
}

let lastRegion: u32 = 0;

/** Forgets the region found last; for when the table changes. */
export function forgetRegion(): void {
  lastRegion = 0;
}

/** The region that holds an address, or 0. */
export function findRegion(address: u64): u32 {
  let region = lastRegion;
  if (region != 0 && address - load<u64>(region, REGION_BASE) < load<u64>(region, REGION_SIZE)) return region;
  const table = load<u32>(REGION_TABLE);
  let low: u32 = 0;
  let high = load<u32>(REGION_COUNT);
  while (low < high) {
    const middle = (low + high) >> 1;
    region = table + middle * REGION_BYTES;
    const base = load<u64>(region, REGION_BASE);
    if (address < base) high = middle;
    else if (address - base < load<u64>(region, REGION_SIZE)) {
      lastRegion = region;
      return region;
    } else low = middle + 1;
  }
  return 0;
}

/** The address of a page's table entry. */
@inline
function pageEntry(region: u32, address: u64): u32 {
  return load<u32>(region, REGION_PAGES) + (u32((address >> 12) - (load<u64>(region, REGION_BASE) >> 12)) << 2);
}

/** The frame to read an address of this region from: the frame of zeros if the page was never written. */
function frameToRead(region: u32, address: u64): u32 {
  const frame = load<u32>(pageEntry(region, address)) & ~(PAGE_BYTES - 1);
  return frame == 0 ? ZERO_FRAME : frame;
}

/**
 * The frame to write an address of this region to; marks the page as written. A page without the mark shares its frame with a
 * snapshot and gets a copy first. 0 when memory is used up.
 */
function frameToWrite(region: u32, address: u64): u32 {
  const at = pageEntry(region, address);
  const entry = load<u32>(at);
  if (entry & PAGE_DIRTY) return entry & ~(PAGE_BYTES - 1);
  const frame = entry == 0 ? zeroedFrame() : copiedFrame(entry);
  if (frame == 0) {
    raise(EVENT_MEMORY, 0, address);
    return 0;
  }
  // Loads that were sent to the frame it had go to this one from now on.
  const page = address & ~u64(PAGE_BYTES - 1);
  const known: u32 = LOAD_TLB + tlbSlot(address);
  if (load<u64>(known) == page) store<u32>(known, frame - u32(page), 8);
  store<u32>(at, frame | PAGE_DIRTY);
  const count = load<u32>(DIRTY_COUNT);
  if (count < u32(DIRTY_MAX)) {
    store<u32>(DIRTY_LIST + (count << 3), load<u32>(region, REGION_NUMBER));
    store<u32>(DIRTY_LIST + (count << 3), u32((address >> 12) - (load<u64>(region, REGION_BASE) >> 12)), 4);
  }
  store<u32>(DIRTY_COUNT, count + 1);
  return frame;
}

/** True when a store to this page must be seen by fetches: instructions of it, or one that ends in it, are decoded. */
function holdsCode(region: u32, address: u64): bool {
  const table = load<u32>(region, REGION_CODE);
  if (table == 0 || load<u32>(COHERENT) == 0) return false;
  const page = u32((address >> 12) - (load<u64>(region, REGION_BASE) >> 12));
  return load<u32>(table + (page << 2)) != 0 || (page != 0 && load<u32>(table + ((page - 1) << 2)) != 0);
}

/** As frameToWrite, for the TypeScript face; takes any address, gives 0 where nothing is mapped. */
export function touch(address: u64): u32 {
  const region = findRegion(address);
  return region == 0 ? 0 : frameToWrite(region, address);
}

function raise(event: i32, cause: i32, address: u64): void {
  store<i32>(EVENT, event);
  store<i32>(CAUSE, cause);
  store<u64>(ADDRESS, address);
}

/** True when the whole page lies in the region, so that a look-aside entry cannot reach beyond its end. */
function coversPage(region: u32, address: u64): bool {
  const first = address & ~u64(PAGE_BYTES - 1);
  const base = load<u64>(region, REGION_BASE);
  return first >= base && first - base + PAGE_BYTES <= load<u64>(region, REGION_SIZE);
}

/** The first watchpoint of these kinds that overlaps [first, last], or 0. */
function watchOn(first: u64, last: u64, kinds: u32): u32 {
  const end: u32 = WATCHES + load<u32>(WATCH_COUNT) * WATCH_BYTES;
  for (let watch: u32 = WATCHES; watch < end; watch += WATCH_BYTES) {
    if (load<u64>(watch) <= last && first <= load<u64>(watch, 8) && (load<u32>(watch, 16) & kinds) != 0) return watch;
  }
  return 0;
}

function remember(table: u32, address: u64, frame: u32): void {
  const page = address & ~u64(PAGE_BYTES - 1);
  if (load<u32>(WATCH_COUNT) != 0 && watchOn(page, page + (PAGE_BYTES - 1), ~0) != 0) return;
  const at = table + tlbSlot(address);
  store<u64>(at, page);
  store<u32>(at, frame - u32(page), 8);
}

function hit(watch: u32, address: u64): void {
  if (load<i32>(EVENT) != 0) return; // the first access of the instruction that hits is told
  store<i32>(WATCH_HIT, load<u32>(watch, 20));
  raise(EVENT_WATCH, 0, max(address, load<u64>(watch)));
}

function noteRead(address: u64, bytes: u32): void {
  if (load<u32>(WATCH_COUNT) == 0) return;
  const watch = watchOn(address, address + (bytes - 1), WATCH_READ);
  if (watch == 0) return;
  hit(watch, address);
  store<u64>(ACCESS, address);
  store<u32>(ACCESS_BYTES, bytes);
  store<u32>(ACCESS_KINDS, WATCH_READ);
}

/** Before a store: tells watchpoints on writes, and those on changes if a byte they cover will change. */
function noteWrite(address: u64, bytes: u32, value: u64): void {
  const end: u32 = WATCHES + load<u32>(WATCH_COUNT) * WATCH_BYTES;
  // An atomic that was told as a read is told as both.
  const read: u32 = load<i32>(EVENT) == EVENT_WATCH ? WATCH_READ : 0;
  let told = false;
  for (let watch: u32 = WATCHES; watch < end; watch += WATCH_BYTES) {
    const kinds = load<u32>(watch, 16);
    for (let i: u32 = 0; i < bytes; i++) {
      const at = address + i;
      if (at < load<u64>(watch) || at > load<u64>(watch, 8)) continue;
      if ((kinds & WATCH_WRITTEN) != 0 || ((kinds & WATCH_CHANGED) != 0 && peek(at) != u8(value >> (i << 3)))) {
        hit(watch, at);
        told = true;
        break;
      }
    }
  }
  if (!told) return;
  store<u64>(ACCESS, address);
  store<u32>(ACCESS_BYTES, bytes);
  store<u32>(ACCESS_KINDS, read | WATCH_WRITTEN);
  let before: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) before |= u64(peek(address + i)) << (i << 3);
  store<u64>(ACCESS_BEFORE, before);
}

/** The byte at a mapped address. */
function peek(address: u64): u8 {
  return load<u8>(frameToRead(findRegion(address), address) + (u32(address) & (PAGE_BYTES - 1)));
}

/** Checks the right to access every byte; raises the fault at the first byte that may not. */
function permitted(address: u64, bytes: u32, permit: u32, cause: i32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const region = findRegion(address + i);
    if (region == 0 || (load<u32>(region, REGION_PERMIT) & permit) != permit) {
      raise(EVENT_FAULT, cause, address + i);
      return false;
    }
  }
  return true;
}

/** Loads `bytes` (1, 2, 4, 8) zero-extended. After a fault EVENT is set and the result means nothing. */
export function loadSlow(address: u64, bytes: u32): u64 {
  if ((u32(address) & (bytes - 1)) != 0) store<u64>(MISALIGNED, load<u64>(MISALIGNED) + 1);
  const region = findRegion(address);
  if (region == 0) {
    raise(EVENT_FAULT, CAUSE_LOAD, address);
    return 0;
  }
  const offset = u32(address) & (PAGE_BYTES - 1);
  const whole = address - load<u64>(region, REGION_BASE) <= load<u64>(region, REGION_SIZE) - bytes;
  if (whole && load<u64>(region, REGION_SIZE) >= bytes && offset + bytes <= u32(PAGE_BYTES)) {
    if ((load<u32>(region, REGION_PERMIT) & PERMIT_R) == 0) {
      raise(EVENT_FAULT, CAUSE_LOAD, address);
      return 0;
    }
    const frame = frameToRead(region, address);
    if (coversPage(region, address)) remember(LOAD_TLB, address, frame);
    noteRead(address, bytes);
    const host = frame + offset;
    if (bytes == 1) return load<u8>(host);
    if (bytes == 2) return load<u16>(host);
    if (bytes == 4) return load<u32>(host);
    return load<u64>(host);
  }
  if (!permitted(address, bytes, PERMIT_R, CAUSE_LOAD)) return 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) value |= u64(peek(address + i)) << (i << 3);
  noteRead(address, bytes);
  return value;
}

/** Stores the low `bytes` (1, 2, 4, 8) of a value. False after a fault: then nothing was stored. */
export function storeSlow(address: u64, bytes: u32, value: u64): bool {
  if ((u32(address) & (bytes - 1)) != 0) store<u64>(MISALIGNED, load<u64>(MISALIGNED) + 1);
  const region = findRegion(address);
  if (region == 0) {
    raise(EVENT_FAULT, CAUSE_STORE, address);
    return false;
  }
  const offset = u32(address) & (PAGE_BYTES - 1);
  const whole = address - load<u64>(region, REGION_BASE) <= load<u64>(region, REGION_SIZE) - bytes;
  if (whole && load<u64>(region, REGION_SIZE) >= bytes && offset + bytes <= u32(PAGE_BYTES)) {
    if ((load<u32>(region, REGION_PERMIT) & PERMIT_W) == 0) {
      raise(EVENT_FAULT, CAUSE_STORE, address);
      return false;
    }
    if (load<u32>(WATCH_COUNT) != 0) noteWrite(address, bytes, value);
    const frame = frameToWrite(region, address);
    if (frame == 0) return false;
    if (holdsCode(region, address)) store<u32>(CODE_WRITTEN, 1);
    else if (coversPage(region, address)) remember(STORE_TLB, address, frame);
    const host = frame + offset;
    if (bytes == 1) store<u8>(host, u8(value));
    else if (bytes == 2) store<u16>(host, u16(value));
    else if (bytes == 4) store<u32>(host, u32(value));
    else store<u64>(host, value);
    return true;
  }
  if (!permitted(address, bytes, PERMIT_W, CAUSE_STORE)) return false;
  // Make all frames first, so that a store is done wholly or not at all.
  for (let i: u32 = 0; i < bytes; i++) {
    if (frameToWrite(findRegion(address + i), address + i) == 0) return false;
  }
  if (load<u32>(WATCH_COUNT) != 0) noteWrite(address, bytes, value);
  for (let i: u32 = 0; i < bytes; i++) {
    const at = address + i;
    if (holdsCode(findRegion(at), at)) store<u32>(CODE_WRITTEN, 1);
    store<u8>(frameToWrite(findRegion(at), at) + (u32(at) & (PAGE_BYTES - 1)), u8(value >> (i << 3)));
  }
  return true;
}

/**
 * Where an atomic finds its naturally aligned operand; 0 after a fault. Atomics on misaligned addresses are not emulated
 * by the kernel or its firmware: they fault, as the privileged manual allows, with an access fault.
 */
export function atomicHost(address: u64, bytes: u32, permit: u32, cause: i32): u32 {
  const region = findRegion(address);
  const aligned = (u32(address) & (bytes - 1)) == 0;
  const fits =
    region != 0 &&
    load<u64>(region, REGION_SIZE) >= bytes &&
    address - load<u64>(region, REGION_BASE) <= load<u64>(region, REGION_SIZE) - bytes;
  if (!aligned || !fits || (load<u32>(region, REGION_PERMIT) & permit) != permit) {
    raise(EVENT_FAULT, cause, address);
    return 0;
  }
  if ((permit & PERMIT_W) != 0 && holdsCode(region, address)) store<u32>(CODE_WRITTEN, 1);
  const frame = (permit & PERMIT_W) != 0 ? frameToWrite(region, address) : frameToRead(region, address);
  return frame == 0 ? 0 : frame + (u32(address) & (PAGE_BYTES - 1));
}

/** Tells watchpoints of an atomic's accesses. */
export function noteAtomic(address: u64, bytes: u32, read: bool, written: bool, value: u64): void {
  if (load<u32>(WATCH_COUNT) == 0) return;
  if (read) noteRead(address, bytes);
  if (written) noteWrite(address, bytes, value);
}

/** Takes the reservation of load-reserved. */
export function reserve(address: u64, bytes: u32): void {
  store<u64>(RESERVATION, address);
  store<u32>(RESERVATION_SIZE, bytes);
}
