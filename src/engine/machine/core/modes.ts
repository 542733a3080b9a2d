/**
 * The loop is compiled once for each kind of timing, told apart by a type: u8 without timing, u16 one instruction a cycle,
 * u32 two a cycle; signed with caches.
 */
import {
  PAIR_FIRST, PAIR_PIPES, READY, RECORD_RD, TIME,
} from './layout';
import { undoIssue, undoPair } from './timing';

@inline
export function timed<M>(): bool {
  return sizeof<M>() > 1;
}

@inline
export function single<M>(): bool {
  return sizeof<M>() == 2;
}

@inline
export function dual<M>(): bool {
  return sizeof<M>() == 4;
}

@inline
export function cached<M>(): bool {
  return isSigned<M>();
}

/**
 * Takes back the issue of an instruction that did not execute, and keeps the time. `before…` is what the loop knew of the
 * cycle before it.
 */
@inline
export function keepUndone<M>(p: u32, t: u64, before: u64, beforePipes: u32, beforeFirst: u32, beforeReady: u64): void {
  if (single<M>()) store<u64>(TIME, undoIssue(t));
  if (dual<M>()) {
    store<u64>(TIME, undoPair(t, before));
    store<u32>(PAIR_PIPES, beforePipes);
    store<u32>(PAIR_FIRST, beforeFirst);
    store<u64>(load<u16>(p, RECORD_RD), beforeReady, READY);
  }
}

/** Keeps the time, and what is left of the cycle: nothing if time went on after the issue. */
@inline
export function keep<M>(t: u64, issued: u64, pipes: u32, first: u32): void {
  if (timed<M>()) store<u64>(TIME, t);
  if (dual<M>()) {
    store<u32>(PAIR_PIPES, t == issued ? pipes : 0);
    store<u32>(PAIR_FIRST, first);
  }
}
