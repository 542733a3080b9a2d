/** Load-reserved, store-conditional and the read-modify-write operations. */
import {
  CAUSE_LOAD,
  CAUSE_STORE,
  EVENT,
  PERMIT_R,
  PERMIT_W,
  REGS,
  RESERVATION,
  RESERVATION_SIZE,
  SINK,
} from './layout';
import { atomicHost, noteAtomic, reserve } from './memory';
import * as op from './ops';

/** lr.w, lr.d. False after a fault. */
export function loadReserved(rd: u32, address: u64, word: bool): bool {
  const bytes: u32 = word ? 4 : 8;
  const host = atomicHost(address, bytes, PERMIT_R, CAUSE_LOAD);
  if (host == 0) return false;
  noteAtomic(address, bytes, true, false, 0);
  store<u64>(rd, word ? u64(i64(load<i32>(host))) : load<u64>(host), REGS);
  reserve(address, bytes);
  return true;
}

/**
 * sc.w, sc.d: succeed when the bytes lie in those of the last lr and nothing took the reservation since. Gives 1 after a
 * store, 0 after a failure, -1 after a fault.
 */
export function storeConditional(rd: u32, address: u64, value: u64, word: bool): i32 {
  const bytes: u32 = word ? 4 : 8;
  const host = atomicHost(address, bytes, PERMIT_W, CAUSE_STORE);
  if (host == 0) return -1;
  const reserved = load<u32>(RESERVATION_SIZE);
  const from = load<u64>(RESERVATION);
  store<u32>(RESERVATION_SIZE, 0);
  if (reserved < bytes || address - from > u64(reserved - bytes)) {
    store<u64>(rd, 1, REGS);
    return 0;
  }
  noteAtomic(address, bytes, false, true, value);
  if (word) store<u32>(host, u32(value));
  else store<u64>(host, value);
  store<u64>(rd, 0, REGS);
  return 1;
}

function combineWord(which: u32, old: i32, value: i32): i32 {
  switch (which) {
    case op.AMOSWAP_W:
      return value;
    case op.AMOADD_W:
      return old + value;
    case op.AMOXOR_W:
      return old ^ value;
    case op.AMOAND_W:
      return old & value;
    case op.AMOOR_W:
      return old | value;
    case op.AMOMIN_W:
      return old < value ? old : value;
    case op.AMOMAX_W:
      return old > value ? old : value;
    case op.AMOMINU_W:
      return u32(old) < u32(value) ? old : value;
    default:
      return u32(old) > u32(value) ? old : value;
  }
}

function combine(which: u32, old: i64, value: i64): i64 {
  switch (which) {
    case op.AMOSWAP_D:
      return value;
    case op.AMOADD_D:
      return old + value;
    case op.AMOXOR_D:
      return old ^ value;
    case op.AMOAND_D:
      return old & value;
    case op.AMOOR_D:
      return old | value;
    case op.AMOMIN_D:
      return old < value ? old : value;
    case op.AMOMAX_D:
      return old > value ? old : value;
    case op.AMOMINU_D:
      return u64(old) < u64(value) ? old : value;
    default:
      return u64(old) > u64(value) ? old : value;
  }
}

function isWord(which: u32): bool {
  switch (which) {
    case op.AMOSWAP_W:
    case op.AMOADD_W:
    case op.AMOXOR_W:
    case op.AMOAND_W:
    case op.AMOOR_W:
    case op.AMOMIN_W:
    case op.AMOMAX_W:
    case op.AMOMINU_W:
    case op.AMOMAXU_W:
      return true;
    default:
      return false;
  }
}

/** amoswap … amomaxu. False after a fault. */
export function amo(which: u32, rd: u32, address: u64, value: u64): bool {
  const word = isWord(which);
  const bytes: u32 = word ? 4 : 8;
  const host = atomicHost(address, bytes, PERMIT_R | PERMIT_W, CAUSE_STORE);
  if (host == 0) return false;
  if (word) {
    const old = load<i32>(host);
    const made = combineWord(which, old, i32(value));
    noteAtomic(address, bytes, true, true, u64(made));
    store<i32>(host, made);
    store<i64>(rd, i64(old), REGS);
  } else {
    const old = load<i64>(host);
    const made = combine(which, old, i64(value));
    noteAtomic(address, bytes, true, true, u64(made));
    store<i64>(host, made);
    store<i64>(rd, old, REGS);
  }
  return true;
}

/** amocas.w, amocas.d: rd holds the value expected and receives the one found. False after a fault. */
export function amocas(rd: u32, address: u64, value: u64, word: bool): bool {
  const bytes: u32 = word ? 4 : 8;
  const host = atomicHost(address, bytes, PERMIT_R | PERMIT_W, CAUSE_STORE);
  if (host == 0) return false;
  const expected: u64 = rd == SINK ? 0 : load<u64>(rd, REGS);
  if (word) {
    const old = load<u32>(host);
    const same = old == u32(expected);
    noteAtomic(address, bytes, true, same, value);
    if (same) store<u32>(host, u32(value));
    store<u64>(rd, u64(i64(i32(old))), REGS);
  } else {
    const old = load<u64>(host);
    const same = old == expected;
    noteAtomic(address, bytes, true, same, value);
    if (same) store<u64>(host, value);
    store<u64>(rd, old, REGS);
  }
  return true;
}

/** amocas.q: the same for 16 bytes and pairs of registers; the pair that begins with x0 is 0. False after a fault. */
export function amocasPair(rd: u32, rs2: u32, address: u64): bool {
  const host = atomicHost(address, 16, PERMIT_R | PERMIT_W, CAUSE_STORE);
  if (host == 0) return false;
  const low: u64 = rs2 == 0 ? 0 : load<u64>(rs2, REGS);
  const high: u64 = rs2 == 0 ? 0 : load<u64>(rs2, REGS + 8);
  const oldLow = load<u64>(host);
  const oldHigh = load<u64>(host, 8);
  const same = rd == SINK
    ? (oldLow | oldHigh) == 0
    : oldLow == load<u64>(rd, REGS) && oldHigh == load<u64>(rd, REGS + 8);
  noteAtomic(address, 8, true, same, low);
  // The half that hits first is told.
  if (load<i32>(EVENT) == 0) noteAtomic(address + 8, 8, true, same, high);
  if (same) {
    store<u64>(host, low);
    store<u64>(host, high, 8);
  }
  if (rd != SINK) {
    store<u64>(rd, oldLow, REGS);
    store<u64>(rd, oldHigh, REGS + 8);
  }
  return true;
}
