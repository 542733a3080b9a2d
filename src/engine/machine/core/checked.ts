/** What is looked at between instructions when a run is watched: registers, and times for the pipeline diagram. */
import {
  INSTRET, LOST, LOST_BEFORE, LOST_COUNT, LOST_FETCH, MODE, MODE_PLAIN, PIPELINE, PIPELINE_BYTES, PIPELINE_COUNT,
  PIPELINE_FREE, PIPELINE_HELD, PIPELINE_HELD_FOR, PIPELINE_ISSUE, PIPELINE_MAX, PIPELINE_ON, PIPELINE_PC, PIPELINE_RESULT,
  PIPELINE_WAITED, PIPELINE_WAITED_FOR, READY, RECORD_OP, RECORD_RD, REGISTER_WATCHES, REGISTER_WATCH_BYTES, REGISTER_WATCH_COUNT, REGS, REGS_BEFORE,
  SINK, TIME, WATCH_CHANGED, WATCH_EQUALS, WATCH_HIT, WATCH_WRITTEN,
} from './layout';
import { AMOCAS_Q } from './ops';

/** Remembers what will be compared after the instruction. */
export function noteBefore(): void {
  if (load<u32>(PIPELINE_ON) != 0) memory.copy(LOST_BEFORE, LOST, LOST_COUNT * 8);
  if (load<u32>(REGISTER_WATCH_COUNT) != 0) memory.copy(REGS_BEFORE, REGS, 32 * 8);
}

/** The first register watchpoint that the instruction with this record hit, in WATCH_HIT; false if none. */
export function registerHit(record: u32): bool {
  const end: u32 = REGISTER_WATCHES + load<u32>(REGISTER_WATCH_COUNT) * REGISTER_WATCH_BYTES;
  const rd: u32 = load<u16>(record, RECORD_RD);
  if (rd == 0 || rd == SINK) return false;
  const pair = load<u8>(record, RECORD_OP) == AMOCAS_Q;
  for (let watch: u32 = REGISTER_WATCHES; watch < end; watch += REGISTER_WATCH_BYTES) {
    const register = load<u32>(watch);
    // amocas.q writes a pair.
    if (register != rd && !(pair && register == rd + 8)) continue;
    const kind = load<u32>(watch, 4);
    const value = load<u64>(register, REGS);
    const changed = kind == WATCH_CHANGED && value != load<u64>(REGS_BEFORE + register);
    const equals = kind == WATCH_EQUALS && value == load<u64>(watch, 8);
    if (kind == WATCH_WRITTEN || changed || equals) {
      store<i32>(WATCH_HIT, load<i32>(watch, 16));
      return true;
    }
  }
  return false;
}

/** Cycles lost to the causes [from, to] by the instruction, and which of them lost most. */
let mainCause: u32 = 0;
function lostIn(from: u32, to: u32, but: u32): u32 {
  let sum: u64 = 0;
  let most: u64 = 0;
  mainCause = 0;
  for (let cause = from; cause <= to; cause++) {
    if (cause == but) continue;
    const lost = load<u64>(LOST + (cause << 3)) - load<u64>(LOST_BEFORE + (cause << 3));
    sum += lost;
    if (lost > most) {
      most = lost;
      mainCause = cause;
    }
  }
  return u32(sum);
}

/** Adds an executed instruction to the ring of pipeline records. */
export function recordPipeline(pc: u64, record: u32): void {
  const count = load<u64>(PIPELINE_COUNT);
  const at: u32 = PIPELINE + (u32(count) & (PIPELINE_MAX - 1)) * PIPELINE_BYTES;
  store<u64>(PIPELINE_COUNT, count + 1);
  store<u64>(at, pc, PIPELINE_PC);
  if (load<i32>(MODE) == MODE_PLAIN) {
    const cycle = load<u64>(INSTRET);
    store<u64>(at, cycle, PIPELINE_ISSUE);
    store<u64>(at, cycle, PIPELINE_FREE);
    store<u64>(at, cycle + 1, PIPELINE_RESULT);
    store<u64>(at, 0, PIPELINE_WAITED);
    store<u64>(at, 0, PIPELINE_WAITED_FOR);
    return;
  }
  // Operands and the instruction cache are waited for before issue; predictions, flushes and data misses hold up others.
  let waited = lostIn(1, 7, 0);
  let waitedFor = mainCause;
  const fetch = lostIn(LOST_FETCH, LOST_FETCH, 0);
  if (fetch > waited) waitedFor = mainCause;
  waited += fetch;
  const held = lostIn(8, LOST_COUNT - 1, LOST_FETCH);
  const heldFor = mainCause;
  const free = load<u64>(TIME) >> 3;
  const rd: u32 = load<u16>(record, RECORD_RD);
  const issue = free - held;
  store<u64>(at, issue, PIPELINE_ISSUE);
  store<u64>(at, free, PIPELINE_FREE);
  const ready = rd == 0 ? 0 : load<u64>(rd, READY) >> 3;
  store<u64>(at, max(ready, issue + 1), PIPELINE_RESULT);
  store<u32>(at, waited, PIPELINE_WAITED);
  store<u32>(at, held, PIPELINE_HELD);
  store<u8>(at, waitedFor, PIPELINE_WAITED_FOR);
  store<u8>(at, heldFor, PIPELINE_HELD_FOR);
}
