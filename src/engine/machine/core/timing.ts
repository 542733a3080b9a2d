/**
 * The timing model: functional first, timing derived. Instructions are issued in order; issue() says in which cycle, from
 * when the sources are ready; results become ready a latency later. Everything else that takes time (wrong predictions,
 * flushes, cache misses) moves the current time on. See READY in layout.ts for how time is counted.
 */
import {
  BRANCHES, BRANCH_MASK, CACHE_MAX, CLASS_BRANCH_BACK, CLASS_USE, DATA_CACHE, DATA_SHAPE, DIVIDER_FREE, DIVIDE_BASE, DIVIDE_BIT, FETCH_CACHE, FETCH_LINE,
  FETCH_SHAPE, FLUSH_COST, LATENCY, LATE_1, LATE_2, LATE_COST, LATE_RESULT, LOST, LOST_BRANCH, LOST_DATA, LOST_DIV,
  LOST_FETCH, LOST_FLUSH, LOST_LATE, MISPREDICT_COST, PAIRED, PAIR_PIPE, PAIR_RD, PIPE_A, PIPE_B, READY, RECORD_CLASS,
  RECORD_OFFSET, RECORD_RD, RECORD_RS1, RECORD_RS2, RETURN_ENTRIES, RETURN_STACK, RETURN_TOP, SINK, TARGETS,
  TARGET_MASK, UNDO_DESTINATION, UNDO_PIPE, UNDO_RD, UNDO_READY, UNDO_TIME, WAITED, WAITED_FOR, WAITED_TO,
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

/** As issue, two at a time: the second must find its pipe free and not depend on the first. */
export function issuePair(p: u32, t: u64): u64 {
  const kind: u32 = load<u8>(p, RECORD_CLASS);
  const use = load<u32>(CLASS_USE + (kind << 2));
  const rs1: u32 = load<u16>(p, RECORD_RS1);
  const rs2: u32 = load<u16>(p, RECORD_RS2);
  const rd: u32 = load<u16>(p, RECORD_RD);
  const free = load<u32>(PAIR_PIPE);
  const first = load<u32>(PAIR_RD);
  store<u64>(UNDO_TIME, t);
  store<u32>(UNDO_PIPE, free);
  store<u32>(UNDO_RD, first);

  const late = load<u64>(LATE_COST);
  const a = load<u64>(rs1, READY);
  const b = load<u64>(rs2, READY);
  // What is read late may be ready later.
  const needA = (use & LATE_1) != 0 ? a - min(a, late) : a;
  const needB = (use & LATE_2) != 0 ? b - min(b, late) : b;
  const ready = max(needA, needB);

  const pipes = use & (PIPE_A | PIPE_B);
  const pair = (pipes & free) != 0 && rs1 != first && rs2 != first && rd != first && ready <= t;
  let at = t;
  if (pair) {
    store<u64>(PAIRED, load<u64>(PAIRED) + 1);
    store<u32>(PAIR_PIPE, 0);
  } else {
    at = t + 8;
    if (ready > at) at = wait(at, ready);
    // An instruction for either pipe takes the one that the next does not need.
    store<u32>(PAIR_PIPE, pipes == (PIPE_A | PIPE_B) ? pipes : pipes ^ (PIPE_A | PIPE_B));
    store<u32>(PAIR_RD, rd == 0 || rd == SINK ? ~0 : rd);
  }
  let result = at + load<u64>(LATENCY + (kind << 3));
  if ((use & LATE_RESULT) != 0 && max(a, b) > at) result = ((result + late) & ~7) | LOST_LATE;
  store<u32>(UNDO_DESTINATION, rd);
  store<u64>(UNDO_READY, load<u64>(rd, READY));
  if (rd != 0) store<u64>(rd, result, READY);
  return at;
}

export function undoPair(t: u64): u64 {
  const before = load<u64>(UNDO_TIME);
  if (t == before) store<u64>(PAIRED, load<u64>(PAIRED) - 1);
  else undoIssue(t);
  store<u32>(PAIR_PIPE, load<u32>(UNDO_PIPE));
  store<u32>(PAIR_RD, load<u32>(UNDO_RD));
  store<u64>(load<u32>(UNDO_DESTINATION), load<u64>(UNDO_READY), READY);
  return before;
}

/** Nothing more issues in this cycle. */
export function endCycle(): void {
  store<u32>(PAIR_PIPE, 0);
}

function mispredicted(t: u64): u64 {
  const cost = load<u64>(MISPREDICT_COST);
  lose(LOST_BRANCH, cost);
  endCycle();
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
  endCycle();
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
    endCycle();
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
export function fetched(pc: u64, t: u64): u64 {
  const line = pc >> load<u32>(FETCH_SHAPE);
  if (line == load<u64>(FETCH_LINE)) return t;
  store<u64>(FETCH_LINE, line);
  if (touchLine(FETCH_CACHE, FETCH_SHAPE, line)) return t;
  const cost: u64 = load<u32>(FETCH_SHAPE, 12);
  lose(LOST_FETCH, cost);
  endCycle();
  return t + cost;
}

/** A data access: a miss holds up the pipeline. */
export function accessed(p: u32, t: u64, address: u64): u64 {
  if (touchLine(DATA_CACHE, DATA_SHAPE, address >> load<u32>(DATA_SHAPE))) return t;
  const cost: u64 = load<u32>(DATA_SHAPE, 12);
  lose(LOST_DATA, cost);
  endCycle();
  const rd: u32 = load<u16>(p, RECORD_RD);
  if (rd != 0) store<u64>(rd, load<u64>(rd, READY) + cost, READY);
  return t + cost;
}
