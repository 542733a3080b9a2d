/**
 * The timing model: functional first, timing derived. Instructions are issued in order; issue() says in which cycle, from
 * when the sources are ready; results become ready a latency later. Everything else that takes time (wrong predictions,
 * flushes, cache misses) moves the current time on. See READY in layout.ts for how time is counted.
 */
import {
  BRANCHES, BRANCH_MASK, CACHE_MAX, CLASS_BRANCH_BACK, CLASS_PIPES, DATA_CACHE, DATA_SHAPE, DIVIDER_FREE, DIVIDE_BASE,
  DIVIDE_BIT, FETCH_CACHE, FETCH_LINE, FETCH_SHAPE, FLUSH_COST, LATENCY, LATE_1, LATE_2, LATE_RESULT, LOST, LOST_BRANCH,
  LOST_DATA, LOST_DIV, LOST_FETCH, LOST_FLUSH, LOST_LATE, MISPREDICT_COST, PAIRED, READY, RECORD_CLASS, RECORD_OFFSET,
  RECORD_RD, RECORD_RS1, RECORD_RS2, RETURN_ENTRIES, RETURN_STACK, RETURN_TOP, SINK, TARGETS, TARGET_MASK, WAITED,
  WAITED_FOR, WAITED_TO,
} from './layout';

/** Counts cycles (given in eighths) as lost to a cause. */
function lose(cause: u32, eighths: u64): void {
  store<u64>(LOST + (cause << 3), load<u64>(LOST + (cause << 3)) + (eighths >> 3));
}

/** An instruction that could issue at `at` waits for an operand that is ready at `ready`. */
function wait(at: u64, ready: u64): u64 {
  const until = ready | 7;
  const cause = u32(ready) & 7;
  lose(cause, until - at);
  store<u64>(WAITED_TO, until);
  store<u64>(WAITED, until - at);
  store<u32>(WAITED_FOR, cause);
  return until;
}

/** When the instruction at p issues, one at a time. */
@inline
export function issue(p: u32, t: u64): u64 {
  const at = t + 8;
  const a = load<u64>(load<u16>(p, RECORD_RS1), READY);
  const b = load<u64>(load<u16>(p, RECORD_RS2), READY);
  const ready = a > b ? a : b;
  return ready > at ? wait(at, ready) : at;
}

/** Takes back the issue of an instruction that did not execute. */
export function undoIssue(t: u64): u64 {
  if (load<u64>(WAITED_TO) != t) return t - 8;
  const waited = load<u64>(WAITED);
  const lost: u32 = LOST + (load<u32>(WAITED_FOR) << 3);
  store<u64>(lost, load<u64>(lost) - (waited >> 3));
  store<u64>(WAITED_TO, 0);
  return t - waited - 8;
}

/** The result of the instruction at p will be ready as its class says. */
@inline
export function resultAfter(p: u32, t: u64, latency: u32): void {
  store<u64>(load<u16>(p, RECORD_RD), t + load<u64>(latency), READY);
}

/*
 * Two at a time: the second of a pair must find its pipe free and not depend on the first. The state of the current cycle is
 * two values that the loop keeps: `pipes`, the pipes that the instruction issued first leaves free (0: the cycle is full), and
 * `first`, the offset of its destination.
 */

/** When both operands are there early enough for the instruction at p, if it reads them as late as its class can. */
@inline
export function operandsReady(p: u32, kind: u32): i64 {
  const a = load<i64>(load<u16>(p, RECORD_RS1), READY) - load<i64>(LATE_1 + (kind << 3));
  const b = load<i64>(load<u16>(p, RECORD_RS2), READY) - load<i64>(LATE_2 + (kind << 3));
  return a > b ? a : b;
}

/** Whether the instruction at p can issue in the current cycle, at t. */
@inline
export function pairs(p: u32, kind: u32, t: u64, ready: i64, pipes: u32, first: u32): bool {
  return bool(
    i32((load<u8>(CLASS_PIPES + kind) & pipes) != 0) &
      i32(ready <= i64(t)) &
      i32(load<u16>(p, RECORD_RS1) != first) &
      i32(load<u16>(p, RECORD_RS2) != first) &
      i32(load<u16>(p, RECORD_RD) != first),
  );
}

/** An instruction that could issue at `at` waits for its operands. */
export function waitFor(at: u64, ready: i64): u64 {
  return wait(at, u64(ready));
}

/** `first` after the instruction at p: registers that nothing can depend on are no offset. */
@inline
export function destinationOf(p: u32): u32 {
  const rd: u32 = load<u16>(p, RECORD_RD);
  return select<u32>(~0, rd, i32(rd == 0) | i32(rd == SINK));
}

/** The result of the instruction at p, issued at t: late if its operands came late. */
@inline
export function resultOf(p: u32, kind: u32, t: u64): void {
  const rd: u32 = load<u16>(p, RECORD_RD);
  if (rd == 0) return;
  let result = t + load<u64>(LATENCY + (kind << 3));
  const late = load<u64>(LATE_RESULT + (kind << 3));
  if (late != 0) {
    const a = load<u64>(load<u16>(p, RECORD_RS1), READY);
    const b = load<u64>(load<u16>(p, RECORD_RS2), READY);
    if (a > t || b > t) result = ((result + late) & ~7) | LOST_LATE;
  }
  store<u64>(rd, result, READY);
}

/** Takes back an issue at t that came after `before`; a wait for operands makes the difference more than a cycle. */
export function undoPair(t: u64, before: u64): u64 {
  if (t == before) store<u64>(PAIRED, load<u64>(PAIRED) - 1);
  else undoIssue(t);
  return before;
}

function mispredicted(t: u64): u64 {
  const cost = load<u64>(MISPREDICT_COST);
  lose(LOST_BRANCH, cost);
  return t + cost;
}

/** After a conditional branch. */
@inline
export function branched(p: u32, t: u64, taken: bool): u64 {
  const mask = load<u32>(BRANCH_MASK);
  if (mask == 0) return branchedStatic(p, t, taken);
  const slot: u32 = BRANCHES + ((load<u32>(p, RECORD_OFFSET) >> 1) & mask);
  const counter: u32 = load<u8>(slot);
  if (taken) {
    if (counter != 3) store<u8>(slot, counter + 1);
    return counter < 2 ? mispredicted(t) : t;
  }
  if (counter != 0) store<u8>(slot, counter - 1);
  return counter >= 2 ? mispredicted(t) : t;
}

/** Backward branches are predicted taken; their class tells them. */
function branchedStatic(p: u32, t: u64, taken: bool): u64 {
  const backward = load<u8>(p, RECORD_CLASS) == CLASS_BRANCH_BACK;
  return taken == backward ? t : mispredicted(t);
}

/** Register offsets of ra and t0, which mark calls and returns (the manual's table of return-address stack hints). */
@inline
function isLink(offset: u32): bool {
  return offset == 8 || offset == 40;
}

function push(address: u64): void {
  let top = load<u32>(RETURN_TOP) + 1;
  if (top >= load<u32>(RETURN_ENTRIES)) top = 0;
  store<u32>(RETURN_TOP, top);
  store<u64>(RETURN_STACK + (top << 3), address);
}

function pop(): u64 {
  const top = load<u32>(RETURN_TOP);
  const address = load<u64>(RETURN_STACK + (top << 3));
  store<u64>(RETURN_STACK + (top << 3), 0);
  store<u32>(RETURN_TOP, top == 0 ? load<u32>(RETURN_ENTRIES) - 1 : top - 1);
  return address;
}

/** After jal: the target is known to the fetch unit. */
@inline
export function jumped(p: u32, t: u64, next: u64): u64 {
  if (isLink(load<u16>(p, RECORD_RD))) push(next);
  return t;
}

/** After jalr at `pc`, which goes to `target` and would return to `next`. */
export function jumpedRegister(p: u32, t: u64, pc: u64, next: u64, target: u64): u64 {
  const rd: u32 = load<u16>(p, RECORD_RD);
  const rs1: u32 = load<u16>(p, RECORD_RS1);
  let predicted: u64;
  if (isLink(rs1) && rs1 != rd) predicted = pop();
  else {
    const slot: u32 = TARGETS + (((u32(pc) >> 1) & load<u32>(TARGET_MASK)) << 4);
    predicted = load<u64>(slot) == pc ? load<u64>(slot, 8) : 0;
    store<u64>(slot, pc);
    store<u64>(slot, target, 8);
  }
  if (isLink(rd)) push(next);
  return predicted == target ? t : mispredicted(t);
}

/** After fence.i: the pipeline and the instruction cache are empty. */
export function flushed(t: u64): u64 {
  memory.fill(FETCH_CACHE, 0, CACHE_MAX * 8);
  store<u64>(FETCH_LINE, ~0);
  const cost = load<u64>(FLUSH_COST);
  lose(LOST_FLUSH, cost);
  return t + cost;
}

/** Significant bits of a quotient's magnitude. Division by zero goes through all bits. */
function quotientBits(a: u64, b: u64, width: i64): i64 {
  if (b == 0) return width;
  const bits = i64(clz<u64>(b)) - i64(clz<u64>(a)) + 1;
  return bits > 0 ? bits : 0;
}

/** A division issued at t: waits for the divider, which works on one at a time, bit by bit. Magnitudes are given. */
export function divided(p: u32, t: u64, a: u64, b: u64, width: i64): u64 {
  const free = load<u64>(DIVIDER_FREE);
  let at = t;
  if (free > at) {
    at = free | 7;
    lose(LOST_DIV, at - t);
    }
  const time = load<u64>(DIVIDE_BASE) + load<u64>(DIVIDE_BIT) * u64(quotientBits(a, b, width));
  store<u64>(load<u16>(p, RECORD_RD), ((at + time) & ~7) | LOST_DIV, READY);
  store<u64>(DIVIDER_FREE, at + time - 8);
  return at;
}

@inline
export function magnitude(a: i64): u64 {
  return u64(a < 0 ? 0 - a : a);
}

/** Looks a line up in a cache and puts it first in its set; false if it was not there. */
function touchLine(cache: u32, shape: u32, line: u64): bool {
  const ways = load<u32>(shape, 8);
  const set: u32 = cache + (u32(line) & load<u32>(shape, 4)) * (ways << 3);
  let carried = line + 1;
  for (let way: u32 = 0; way < ways; way++) {
    const at = set + (way << 3);
    const there = load<u64>(at);
    store<u64>(at, carried);
    if (there == line + 1) return true;
    carried = there;
  }
  return false;
}

/** Before issue: the instruction's line must be in the cache. */
@inline
export function fetched(pc: u64, t: u64): u64 {
  const line = pc >> load<u32>(FETCH_SHAPE);
  return line == load<u64>(FETCH_LINE) ? t : fetchedLine(line, t);
}

function fetchedLine(line: u64, t: u64): u64 {
  store<u64>(FETCH_LINE, line);
  if (touchLine(FETCH_CACHE, FETCH_SHAPE, line)) return t;
  const cost: u64 = load<u32>(FETCH_SHAPE, 12);
  lose(LOST_FETCH, cost);
  return t + cost;
}

/** A data access: a miss holds up the pipeline. */
@inline
export function accessed(p: u32, t: u64, address: u64): u64 {
  const line = address >> load<u32>(DATA_SHAPE);
  // Used last in its set: nothing changes.
  const set: u32 = DATA_CACHE + (u32(line) & load<u32>(DATA_SHAPE, 4)) * (load<u32>(DATA_SHAPE, 8) << 3);
  return load<u64>(set) == line + 1 ? t : accessedLine(p, t, line);
}

function accessedLine(p: u32, t: u64, line: u64): u64 {
  if (touchLine(DATA_CACHE, DATA_SHAPE, line)) return t;
  const cost: u64 = load<u32>(DATA_SHAPE, 12);
  lose(LOST_DATA, cost);
  const rd: u32 = load<u16>(p, RECORD_RD);
  if (rd != 0) store<u64>(rd, load<u64>(rd, READY) + cost, READY);
  return t + cost;
}
