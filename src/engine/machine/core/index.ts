/**
 * The machine core: executes pre-decoded instructions (layout.ts) until a reason to stop. What cannot be done here
 * (decoding, stops, snapshots) is left to the TypeScript face, which calls run() in slices.
 */
import {
  INSTRET, MODE, MODE_CACHES, MODE_DUAL, MODE_PLAIN, MODE_SINGLE, PC, PIPELINE_ON, REGISTER_WATCH_COUNT, REMAINING,
  STOP_DECODE, STOP_FENCE_I, STOP_LIMIT, STOP_WATCH, TIME, WATCH_BY,
} from './layout';
import { noteBefore, recordPipeline, registerHit } from './checked';
import { enter, recordOf } from './code';
import { loop } from './loop';

export { forgetCode } from './code';
export { settle } from './loop';
export { allocate, freeFrame } from './frames';
export { flushStoreTlb, flushTlb, forgetRegion, touch } from './memory';

/**
 * Executes up to `limit` instructions from PC on and says why it ended (STOP_…). PC is then the next instruction, or the
 * one that could not be executed; REMAINING is what was not used of the limit.
 */
export function run(limit: i32): i32 {
  let p = enter(load<u64>(PC));
  store<i32>(REMAINING, limit);
  if (p == 0) return STOP_DECODE;
  let reason: i32;
  switch (load<i32>(MODE)) {
    case MODE_PLAIN: reason = loop<u8>(p, limit); break;
    case MODE_SINGLE: reason = loop<u16>(p, limit); break;
    case MODE_DUAL: reason = loop<u32>(p, limit); break;
    case MODE_SINGLE + MODE_CACHES: reason = loop<i16>(p, limit); break;
    default: reason = loop<i32>(p, limit); break;
  }
  const done = u64(limit - load<i32>(REMAINING));
  store<u64>(INSTRET, load<u64>(INSTRET) + done);
  return reason;
}

/**
 * As run, one instruction at a time, with register watchpoints and pipeline records. Ends with STOP_LIMIT also when an
 * instruction was issued in the cycle `until` or later (~0: never).
 */
export function runChecked(limit: i32, until: u64): i32 {
  for (let n = limit; n > 0; n--) {
    const pc = load<u64>(PC);
    const record = recordOf(pc);
    noteBefore();
    const reason = run(1);
    const executed = load<i32>(REMAINING) == 0;
    store<i32>(REMAINING, executed ? n - 1 : n);
    if (executed) {
      if (load<u32>(PIPELINE_ON) != 0) recordPipeline(pc, record);
      const goesOn = reason == STOP_LIMIT || reason == STOP_DECODE || reason == STOP_FENCE_I;
      if (load<u32>(REGISTER_WATCH_COUNT) != 0 && registerHit(record) && goesOn) {
        store<u64>(WATCH_BY, pc);
        return STOP_WATCH;
      }
      if (timeNow() >= until && reason == STOP_LIMIT) return reason;
    }
    if (reason != STOP_LIMIT) return reason;
  }
  return STOP_LIMIT;
}

/** The current cycle: without derived time an instruction takes a cycle. */
function timeNow(): u64 {
  return load<i32>(MODE) == MODE_PLAIN ? load<u64>(INSTRET) : load<u64>(TIME) >> 3;
}
