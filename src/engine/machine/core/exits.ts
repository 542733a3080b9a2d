/** How a slice ends, and what accesses do that the look-aside tables do not know. */
import {
  CODE_WRITTEN, EVENT, EVENT_FAULT, EVENT_WATCH, PC, REMAINING, STOP_FAULT, STOP_FENCE_I, STOP_LIMIT, STOP_MEMORY,
  STOP_WATCH, WATCH_BY, WATCH_LEFT,
} from './layout';
import { pcOf } from './code';
import { loadSlow } from './memory';
import { set } from './operands';

/** A load by the slow path, into rd, extended as T says. False after a fault. */
export function slowLoad<T>(p: u32, address: u64): bool {
  const value = loadSlow(address, sizeof<T>());
  if (load<i32>(EVENT) != 0 && load<i32>(EVENT) != EVENT_WATCH) return false;
  set(p, u64(i64(<T>value)));
  return true;
}

/** What remains to be run after an access that may have hit a watchpoint or changed code: nothing if it did. */
export function afterAccess(p: u32, n: i32): i32 {
  if (load<i32>(EVENT) == 0 && load<u32>(CODE_WRITTEN) == 0) return n;
  store<u64>(WATCH_BY, pcOf(p));
  store<i32>(WATCH_LEFT, n);
  return 0;
}

/** Ends a slice before the instruction at p. */
export function leave(reason: i32, p: u32, n: i32): i32 {
  return leaveAt(reason, pcOf(p), n);
}

export function leaveAt(reason: i32, pc: u64, n: i32): i32 {
  store<u64>(PC, pc);
  store<i32>(REMAINING, n);
  return reason;
}

/** Ends a slice at an access that faulted. */
export function leaveFault(p: u32, n: i32): i32 {
  const reason = load<i32>(EVENT) == EVENT_FAULT ? STOP_FAULT : STOP_MEMORY;
  store<i32>(EVENT, 0);
  return leave(reason, p, n);
}

/** Ends a slice whose instructions are used up: by its limit, by a watchpoint, or by a store that fetches must see. */
export function leaveEmpty(p: u32): i32 {
  if (load<i32>(EVENT) == EVENT_WATCH) {
    store<i32>(EVENT, 0);
    return leave(STOP_WATCH, p, load<i32>(WATCH_LEFT));
  }
  return load<u32>(CODE_WRITTEN) != 0 ? leave(STOP_FENCE_I, p, load<i32>(WATCH_LEFT)) : leave(STOP_LIMIT, p, 0);
}
