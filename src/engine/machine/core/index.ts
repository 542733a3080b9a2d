/**
 * The machine core: executes pre-decoded instructions (layout.ts) until a reason to stop. What cannot be done here
 * (decoding, stops, snapshots) is left to the TypeScript face, which calls run() in slices.
 */
import { divu, divuw, divw, div, mulh, mulhsu, mulhu, orcb, rem, remu, remuw, remw } from './arith';
import { noteBefore, recordPipeline, registerHit } from './checked';
import { amo, amocas, loadReserved, storeConditional } from './atomics';
import {
  ADDRESS, CLASS_AMO, CLASS_LEAVES, CLASS_CSR, CLASS_JALR, CLASS_LOAD, CLASS_LOAD_SMALL, CLASS_LR, CLASS_MUL, CLASS_SC, EVENT, EVENT_FAULT,
  EVENT_WATCH, INSTRET, LATENCY, LOADS, LOAD_TLB, MODE, MODE_CACHES, MODE_DUAL, MODE_PLAIN, MODE_SINGLE, PAGE_BYTES, PAIR_FIRST,
  PAIR_PIPES, PAIRED, PC, PIPELINE_ON, READY,  RECORD_BYTES, RECORD_CLASS, RECORD_IMM, RECORD_OFFSET, RECORD_OP, RECORD_RD, RECORD_RS1, RECORD_RS2, REGION_BASE, REGION_CODE,
  REGION_SIZE, REGISTER_WATCH_COUNT, REGS, REMAINING, STOP_BREAK, STOP_DECODE, STOP_EBREAK, STOP_ECALL, STOP_FAULT, STOP_FENCE_I, STOP_FETCH,
  STOP_ILLEGAL, STOP_LIMIT, STOP_MEMORY, STOP_WATCH, STORES, STORE_TLB, TIME, TIME_DIVIDER, WATCH_BY, WATCH_LEFT,
} from './layout';
import { findRegion, loadSlow, storeSlow, tlbSlot } from './memory';
import * as op from './ops';
import {
  accessed, branched, destinationOf, divided, fetched, flushed, issue, jumped, jumpedRegister, magnitude,
  operandsReady, pairs, resultAfter, resultOf, undoIssue, undoPair, waitFor,
} from './timing';

export { allocate, flushStoreTlb, flushTlb, forgetRegion, freeFrame, newFrame, touch } from './memory';

/** The region that the running code lies in: direct branches stay in it. */
let codeBase: u64 = 0;
let codeSize: u64 = 0;
let codeFirstPage: u64 = 0;
let codeTable: u32 = 0;

/** The record of the instruction at pc, or 0 when there is none; makes its region the current one. */
function enter(pc: u64): u32 {
  if (codeTable == 0 || pc - codeBase >= codeSize) {
    const region = findRegion(pc);
    if (region == 0) return 0;
    const table = load<u32>(region, REGION_CODE);
    if (table == 0) return 0;
    codeTable = table;
    codeBase = load<u64>(region, REGION_BASE);
    codeSize = load<u64>(region, REGION_SIZE);
    codeFirstPage = codeBase >> 12;
  }
  const map = load<u32>(codeTable + (u32((pc >> 12) - codeFirstPage) << 2));
  return map == 0 ? 0 : load<u32>(map + ((u32(pc) & (PAGE_BYTES - 2)) << 1));
}

/** Forgets the current code region; for when regions or records change. */
export function forgetCode(): void {
  codeTable = 0;
  codeBase = 0;
  codeSize = 0;
}

/** Address of the instruction that a record stands for, or leads to. */
function pcOf(p: u32): u64 {
  const pc = codeBase + load<u32>(p, RECORD_OFFSET);
  return load<u8>(p, RECORD_OP) == op.STUB ? pc + i64(load<i32>(p, RECORD_IMM)) : pc;
}

@inline
function x1(p: u32): u64 {
  return load<u64>(load<u16>(p, RECORD_RS1), REGS);
}

@inline
function x2(p: u32): u64 {
  return load<u64>(load<u16>(p, RECORD_RS2), REGS);
}

@inline
function w1(p: u32): i32 {
  return load<i32>(load<u16>(p, RECORD_RS1), REGS);
}

@inline
function w2(p: u32): i32 {
  return load<i32>(load<u16>(p, RECORD_RS2), REGS);
}

@inline
function u1(p: u32): u64 {
  return load<u32>(load<u16>(p, RECORD_RS1), REGS);
}

@inline
function u2(p: u32): u64 {
  return load<u32>(load<u16>(p, RECORD_RS2), REGS);
}

@inline
function imm(p: u32): u64 {
  return u64(i64(load<i32>(p, RECORD_IMM)));
}

@inline
function imm32(p: u32): i32 {
  return load<i32>(p, RECORD_IMM);
}

@inline
function set(p: u32, value: u64): void {
  store<u64>(load<u16>(p, RECORD_RD), value, REGS);
}

@inline
function setw(p: u32, value: i32): void {
  store<i64>(load<u16>(p, RECORD_RD), i64(value), REGS);
}

@inline
function setIf(p: u32, condition: bool): void {
  store<u64>(load<u16>(p, RECORD_RD), u64(condition), REGS);
}

/** The effective address of a load or store. */
@inline
function ea(p: u32): u64 {
  return x1(p) + imm(p);
}

/** True when the look-aside table knows the page and the access is aligned. */
@inline
function hit<T>(table: u32, address: u64): bool {
  return load<u64>(tlbSlot(address) + table) == (address & (~u64(PAGE_BYTES - 1) | (sizeof<T>() - 1)));
}

@inline
function host(table: u32, address: u64): u32 {
  return u32(address) + load<u32>(tlbSlot(address) + table, 8);
}

/** A load by the slow path, into rd, extended as T says. False after a fault. */
function slowLoad<T>(p: u32, address: u64): bool {
  const value = loadSlow(address, sizeof<T>());
  if (load<i32>(EVENT) != 0 && load<i32>(EVENT) != EVENT_WATCH) return false;
  set(p, u64(i64(<T>value)));
  return true;
}

/** What remains to be run after an access that may have hit a watchpoint: nothing if it did. */
function afterAccess(p: u32, n: i32): i32 {
  if (load<i32>(EVENT) == 0) return n;
  store<u64>(WATCH_BY, pcOf(p));
  store<i32>(WATCH_LEFT, n);
  return 0;
}

/*
 * The loop is compiled once for each kind of timing, told apart by a type: u8 without timing, u16 one instruction a cycle,
 * u32 two a cycle; signed with caches.
 */
@inline
function timed<M>(): bool {
  return sizeof<M>() > 1;
}

@inline
function single<M>(): bool {
  return sizeof<M>() == 2;
}

@inline
function dual<M>(): bool {
  return sizeof<M>() == 4;
}

@inline
function cached<M>(): bool {
  return isSigned<M>();
}

/** What the loop knows of the cycle before the instruction at hand, to take its issue back if it does not execute. */
let timeBefore: u64 = 0;
let pipesBefore: u32 = 0;
let firstBefore: u32 = 0;
let readyBefore: u64 = 0;

/** Takes back the issue of an instruction that did not execute, and keeps the time. */
@inline
function keepUndone<M>(p: u32, t: u64): void {
  if (single<M>()) store<u64>(TIME, undoIssue(t));
  if (dual<M>()) keepUndonePair(p, t);
}

function keepUndonePair(p: u32, t: u64): void {
  store<u64>(TIME, undoPair(t, timeBefore));
  store<u32>(PAIR_PIPES, pipesBefore);
  store<u32>(PAIR_FIRST, firstBefore);
  store<u64>(load<u16>(p, RECORD_RD), readyBefore, READY);
}

/** Keeps the time, and what is left of the cycle: nothing if time went on after the issue. */
@inline
function keep<M>(t: u64, issued: u64, pipes: u32, first: u32): void {
  if (timed<M>()) store<u64>(TIME, t);
  if (dual<M>()) {
    store<u32>(PAIR_PIPES, t == issued ? pipes : 0);
    store<u32>(PAIR_FIRST, first);
  }
}

/** Ends a slice before the instruction at p. */
function leave(reason: i32, p: u32, n: i32): i32 {
  return leaveAt(reason, pcOf(p), n);
}

function leaveAt(reason: i32, pc: u64, n: i32): i32 {
  store<u64>(PC, pc);
  store<i32>(REMAINING, n);
  return reason;
}

/** Ends a slice at an access that faulted. */
function leaveFault(p: u32, n: i32): i32 {
  const reason = load<i32>(EVENT) == EVENT_FAULT ? STOP_FAULT : STOP_MEMORY;
  store<i32>(EVENT, 0);
  return leave(reason, p, n);
}

/** Ends a slice whose instructions are used up, by its limit or by a watchpoint. */
function leaveEmpty(p: u32): i32 {
  if (load<i32>(EVENT) != EVENT_WATCH) return leave(STOP_LIMIT, p, 0);
  store<i32>(EVENT, 0);
  return leave(STOP_WATCH, p, load<i32>(WATCH_LEFT));
}

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
      if (load<u32>(REGISTER_WATCH_COUNT) != 0 && registerHit(record) && (reason == STOP_LIMIT || reason == STOP_DECODE)) {
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

/** The record that executes at pc: what a link leads to. */
function recordOf(pc: u64): u32 {
  const p = enter(pc);
  return p != 0 && load<u8>(p, RECORD_OP) == op.LINK ? u32(load<i32>(p, RECORD_IMM)) : p;
}

let loads: u64 = 0;
let stores: u64 = 0;

function loop<M>(start: u32, limit: i32): i32 {
  let p = start;
  let n = limit;
  let t: u64 = timed<M>() ? load<u64>(TIME) : 0;
  // Of the current cycle, where two instructions can share one: see pairs().
  let issued = t;
  let pipes: u32 = dual<M>() ? load<u32>(PAIR_PIPES) : 0;
  let first: u32 = dual<M>() ? load<u32>(PAIR_FIRST) : 0;
  while (n > 0) {
    --n;
    // A stub stands for nothing that is fetched.
    if (cached<M>() && load<u8>(p, RECORD_OP) != op.STUB) t = fetched(codeBase + load<u32>(p, RECORD_OFFSET), t);
    if (single<M>()) t = issue(p, t);
    if (dual<M>()) {
      if (t != issued) pipes = 0;
      timeBefore = t;
      pipesBefore = pipes;
      firstBefore = first;
      readyBefore = load<u64>(load<u16>(p, RECORD_RD), READY);
      const kind: u32 = load<u8>(p, RECORD_CLASS);
      const ready = operandsReady(p, kind);
      // Without branches: whether two instructions pair is hard to predict.
      const pair = pairs(p, kind, t, ready, pipes, first);
      store<u64>(PAIRED, load<u64>(PAIRED) + u64(pair));
      t = select<u64>(t, t + 8, pair);
      if (ready > i64(t)) t = waitFor(t, ready);
      pipes = select<u32>(0, load<u8>(CLASS_LEAVES + kind), pair);
      first = select<u32>(first, destinationOf(p), pair);
      issued = t;
      resultOf(p, kind, t);
    }
    switch (i32(load<u8>(p, RECORD_OP))) {
      case op.LUI: set(p, imm(p)); break;
      case op.AUIPC: set(p, codeBase + load<u32>(p, RECORD_OFFSET) + imm(p)); break;
      case op.JAL: {
        const next = codeBase + load<u32>(p, RECORD_BYTES + RECORD_OFFSET);
        set(p, next);
        if (timed<M>()) t = jumped(p, t, next);
        if (dual<M>()) pipes = 0;
        p = u32(imm32(p));
        continue;
      }
      case op.JALR: {
        const target = ea(p) & ~1;
        const next = codeBase + load<u32>(p, RECORD_BYTES + RECORD_OFFSET);
        set(p, next);
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_JALR * 8);
        if (timed<M>()) t = jumpedRegister(p, t, codeBase + load<u32>(p, RECORD_OFFSET), next, target);
        if (dual<M>()) pipes = 0;
        p = enter(target);
        if (p == 0) {
          keep<M>(t, issued, pipes, first);
          return leaveAt(STOP_DECODE, target, n);
        }
        continue;
      }

      case op.BEQ: {
        const taken = x1(p) == x2(p);
        if (timed<M>()) t = branched(p, t, taken);
        if (taken) {
          if (dual<M>()) pipes = 0;
          p = u32(imm32(p));
          continue;
        }
        break;
      }
      case op.BNE: {
        const taken = x1(p) != x2(p);
        if (timed<M>()) t = branched(p, t, taken);
        if (taken) {
          if (dual<M>()) pipes = 0;
          p = u32(imm32(p));
          continue;
        }
        break;
      }
      case op.BLT: {
        const taken = i64(x1(p)) < i64(x2(p));
        if (timed<M>()) t = branched(p, t, taken);
        if (taken) {
          if (dual<M>()) pipes = 0;
          p = u32(imm32(p));
          continue;
        }
        break;
      }
      case op.BGE: {
        const taken = i64(x1(p)) >= i64(x2(p));
        if (timed<M>()) t = branched(p, t, taken);
        if (taken) {
          if (dual<M>()) pipes = 0;
          p = u32(imm32(p));
          continue;
        }
        break;
      }
      case op.BLTU: {
        const taken = x1(p) < x2(p);
        if (timed<M>()) t = branched(p, t, taken);
        if (taken) {
          if (dual<M>()) pipes = 0;
          p = u32(imm32(p));
          continue;
        }
        break;
      }
      case op.BGEU: {
        const taken = x1(p) >= x2(p);
        if (timed<M>()) t = branched(p, t, taken);
        if (taken) {
          if (dual<M>()) pipes = 0;
          p = u32(imm32(p));
          continue;
        }
        break;
      }

      case op.LB: {
        const a = ea(p);
        if (hit<u8>(LOAD_TLB, a)) set(p, u64(load<i8>(host(LOAD_TLB, a))));
        else if (slowLoad<i8>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD_SMALL * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.LH: {
        const a = ea(p);
        if (hit<u16>(LOAD_TLB, a)) set(p, u64(load<i16>(host(LOAD_TLB, a))));
        else if (slowLoad<i16>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD_SMALL * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.LW: {
        const a = ea(p);
        if (hit<u32>(LOAD_TLB, a)) set(p, u64(load<i32>(host(LOAD_TLB, a))));
        else if (slowLoad<i32>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.LD: {
        const a = ea(p);
        if (hit<u64>(LOAD_TLB, a)) set(p, load<u64>(host(LOAD_TLB, a)));
        else if (slowLoad<u64>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.LBU: {
        const a = ea(p);
        if (hit<u8>(LOAD_TLB, a)) set(p, load<u8>(host(LOAD_TLB, a)));
        else if (slowLoad<u8>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD_SMALL * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.LHU: {
        const a = ea(p);
        if (hit<u16>(LOAD_TLB, a)) set(p, load<u16>(host(LOAD_TLB, a)));
        else if (slowLoad<u16>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD_SMALL * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.LWU: {
        const a = ea(p);
        if (hit<u32>(LOAD_TLB, a)) set(p, load<u32>(host(LOAD_TLB, a)));
        else if (slowLoad<u32>(p, a)) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LOAD * 8);
        if (cached<M>()) t = accessed(p, t, a);
        ++loads;
        break;
      }
      case op.SB: {
        const a = ea(p);
        if (hit<u8>(STORE_TLB, a)) store<u8>(host(STORE_TLB, a), u8(x2(p)));
        else if (storeSlow(a, 1, x2(p))) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (cached<M>()) t = accessed(p, t, a);
        ++stores;
        break;
      }
      case op.SH: {
        const a = ea(p);
        if (hit<u16>(STORE_TLB, a)) store<u16>(host(STORE_TLB, a), u16(x2(p)));
        else if (storeSlow(a, 2, x2(p))) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (cached<M>()) t = accessed(p, t, a);
        ++stores;
        break;
      }
      case op.SW: {
        const a = ea(p);
        if (hit<u32>(STORE_TLB, a)) store<u32>(host(STORE_TLB, a), u32(x2(p)));
        else if (storeSlow(a, 4, x2(p))) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (cached<M>()) t = accessed(p, t, a);
        ++stores;
        break;
      }
      case op.SD: {
        const a = ea(p);
        if (hit<u64>(STORE_TLB, a)) store<u64>(host(STORE_TLB, a), x2(p));
        else if (storeSlow(a, 8, x2(p))) n = afterAccess(p, n);
        else {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (cached<M>()) t = accessed(p, t, a);
        ++stores;
        break;
      }

      case op.ADDI: set(p, x1(p) + imm(p)); break;
      case op.SLTI: setIf(p, i64(x1(p)) < i64(imm(p))); break;
      case op.SLTIU: setIf(p, x1(p) < imm(p)); break;
      case op.XORI: set(p, x1(p) ^ imm(p)); break;
      case op.ORI: set(p, x1(p) | imm(p)); break;
      case op.ANDI: set(p, x1(p) & imm(p)); break;
      case op.SLLI: set(p, x1(p) << imm(p)); break;
      case op.SRLI: set(p, x1(p) >> imm(p)); break;
      case op.SRAI: set(p, i64(x1(p)) >> imm(p)); break;

      case op.ADD: set(p, x1(p) + x2(p)); break;
      case op.SUB: set(p, x1(p) - x2(p)); break;
      case op.SLL: set(p, x1(p) << (x2(p) & 63)); break;
      case op.SLT: setIf(p, i64(x1(p)) < i64(x2(p))); break;
      case op.SLTU: setIf(p, x1(p) < x2(p)); break;
      case op.XOR: set(p, x1(p) ^ x2(p)); break;
      case op.SRL: set(p, x1(p) >> (x2(p) & 63)); break;
      case op.SRA: set(p, i64(x1(p)) >> (x2(p) & 63)); break;
      case op.OR: set(p, x1(p) | x2(p)); break;
      case op.AND: set(p, x1(p) & x2(p)); break;

      case op.ADDIW: setw(p, w1(p) + imm32(p)); break;
      case op.SLLIW: setw(p, w1(p) << imm32(p)); break;
      case op.SRLIW: setw(p, i32(u32(w1(p)) >> imm32(p))); break;
      case op.SRAIW: setw(p, w1(p) >> imm32(p)); break;
      case op.ADDW: setw(p, w1(p) + w2(p)); break;
      case op.SUBW: setw(p, w1(p) - w2(p)); break;
      case op.SLLW: setw(p, w1(p) << (w2(p) & 31)); break;
      case op.SRLW: setw(p, i32(u32(w1(p)) >> (w2(p) & 31))); break;
      case op.SRAW: setw(p, w1(p) >> (w2(p) & 31)); break;

      case op.MUL: set(p, x1(p) * x2(p)); if (single<M>()) resultAfter(p, t, LATENCY + CLASS_MUL * 8); break;
      case op.MULH: set(p, mulh(x1(p), x2(p))); if (single<M>()) resultAfter(p, t, LATENCY + CLASS_MUL * 8); break;
      case op.MULHSU: set(p, mulhsu(x1(p), x2(p))); if (single<M>()) resultAfter(p, t, LATENCY + CLASS_MUL * 8); break;
      case op.MULHU: set(p, mulhu(x1(p), x2(p))); if (single<M>()) resultAfter(p, t, LATENCY + CLASS_MUL * 8); break;
      case op.DIV: if (timed<M>()) t = divided(p, t, magnitude(i64(x1(p))), magnitude(i64(x2(p))), 64); set(p, div(i64(x1(p)), i64(x2(p)))); break;
      case op.DIVU: if (timed<M>()) t = divided(p, t, x1(p), x2(p), 64); set(p, divu(x1(p), x2(p))); break;
      case op.REM: if (timed<M>()) t = divided(p, t, magnitude(i64(x1(p))), magnitude(i64(x2(p))), 64); set(p, rem(i64(x1(p)), i64(x2(p)))); break;
      case op.REMU: if (timed<M>()) t = divided(p, t, x1(p), x2(p), 64); set(p, remu(x1(p), x2(p))); break;
      case op.MULW: setw(p, w1(p) * w2(p)); if (single<M>()) resultAfter(p, t, LATENCY + CLASS_MUL * 8); break;
      case op.DIVW: if (timed<M>()) t = divided(p, t, magnitude(w1(p)), magnitude(w2(p)), 32); setw(p, divw(w1(p), w2(p))); break;
      case op.DIVUW: if (timed<M>()) t = divided(p, t, u1(p), u2(p), 32); setw(p, i32(divuw(w1(p), w2(p)))); break;
      case op.REMW: if (timed<M>()) t = divided(p, t, magnitude(w1(p)), magnitude(w2(p)), 32); setw(p, remw(w1(p), w2(p))); break;
      case op.REMUW: if (timed<M>()) t = divided(p, t, u1(p), u2(p), 32); setw(p, i32(remuw(w1(p), w2(p)))); break;

      case op.ADD_UW: set(p, u1(p) + x2(p)); break;
      case op.SH1ADD: set(p, (x1(p) << 1) + x2(p)); break;
      case op.SH2ADD: set(p, (x1(p) << 2) + x2(p)); break;
      case op.SH3ADD: set(p, (x1(p) << 3) + x2(p)); break;
      case op.SH1ADD_UW: set(p, (u1(p) << 1) + x2(p)); break;
      case op.SH2ADD_UW: set(p, (u1(p) << 2) + x2(p)); break;
      case op.SH3ADD_UW: set(p, (u1(p) << 3) + x2(p)); break;
      case op.SLLI_UW: set(p, u1(p) << imm(p)); break;

      case op.ANDN: set(p, x1(p) & ~x2(p)); break;
      case op.ORN: set(p, x1(p) | ~x2(p)); break;
      case op.XNOR: set(p, ~(x1(p) ^ x2(p))); break;
      case op.CLZ: set(p, clz<u64>(x1(p))); break;
      case op.CTZ: set(p, ctz<u64>(x1(p))); break;
      case op.CPOP: set(p, popcnt<u64>(x1(p))); break;
      case op.CLZW: setw(p, clz<i32>(w1(p))); break;
      case op.CTZW: setw(p, ctz<i32>(w1(p))); break;
      case op.CPOPW: setw(p, popcnt<i32>(w1(p))); break;
      case op.MAX: set(p, i64(x1(p)) > i64(x2(p)) ? x1(p) : x2(p)); break;
      case op.MAXU: set(p, x1(p) > x2(p) ? x1(p) : x2(p)); break;
      case op.MIN: set(p, i64(x1(p)) < i64(x2(p)) ? x1(p) : x2(p)); break;
      case op.MINU: set(p, x1(p) < x2(p) ? x1(p) : x2(p)); break;
      case op.SEXT_B: set(p, u64(i64(i8(w1(p))))); break;
      case op.SEXT_H: set(p, u64(i64(i16(w1(p))))); break;
      case op.ZEXT_H: set(p, u64(u16(w1(p)))); break;
      case op.ROL: set(p, rotl<u64>(x1(p), x2(p))); break;
      case op.ROR: set(p, rotr<u64>(x1(p), x2(p))); break;
      case op.RORI: set(p, rotr<u64>(x1(p), imm(p))); break;
      case op.ROLW: setw(p, rotl<i32>(w1(p), w2(p))); break;
      case op.RORW: setw(p, rotr<i32>(w1(p), w2(p))); break;
      case op.RORIW: setw(p, rotr<i32>(w1(p), imm32(p))); break;
      case op.ORC_B: set(p, orcb(x1(p))); break;
      case op.REV8: set(p, bswap<u64>(x1(p))); break;

      case op.BCLR: set(p, x1(p) & ~(u64(1) << (x2(p) & 63))); break;
      case op.BEXT: set(p, (x1(p) >> (x2(p) & 63)) & 1); break;
      case op.BINV: set(p, x1(p) ^ (u64(1) << (x2(p) & 63))); break;
      case op.BSET: set(p, x1(p) | (u64(1) << (x2(p) & 63))); break;
      case op.BCLRI: set(p, x1(p) & ~(u64(1) << imm(p))); break;
      case op.BEXTI: set(p, (x1(p) >> imm(p)) & 1); break;
      case op.BINVI: set(p, x1(p) ^ (u64(1) << imm(p))); break;
      case op.BSETI: set(p, x1(p) | (u64(1) << imm(p))); break;

      case op.CZERO_EQZ: set(p, x2(p) == 0 ? 0 : x1(p)); break;
      case op.CZERO_NEZ: set(p, x2(p) != 0 ? 0 : x1(p)); break;

      case op.LR_W: case op.LR_D: {
        const address = x1(p);
        if (!loadReserved(load<u16>(p, RECORD_RD), address, load<u8>(p, RECORD_OP) == op.LR_W)) {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_LR * 8);
        if (cached<M>()) t = accessed(p, t, address);
        ++loads;
        n = afterAccess(p, n);
        break;
      }
      case op.SC_W: case op.SC_D: {
        const address = x1(p);
        const stored = storeConditional(load<u16>(p, RECORD_RD), address, x2(p), load<u8>(p, RECORD_OP) == op.SC_W);
        if (stored < 0) {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_SC * 8);
        if (cached<M>()) t = accessed(p, t, address);
        stores += u64(stored);
        n = afterAccess(p, n);
        break;
      }
      case op.AMOSWAP_W: case op.AMOADD_W: case op.AMOXOR_W: case op.AMOAND_W: case op.AMOOR_W: case op.AMOMIN_W:
      case op.AMOMAX_W: case op.AMOMINU_W: case op.AMOMAXU_W: case op.AMOSWAP_D: case op.AMOADD_D: case op.AMOXOR_D:
      case op.AMOAND_D: case op.AMOOR_D: case op.AMOMIN_D: case op.AMOMAX_D: case op.AMOMINU_D: case op.AMOMAXU_D: {
        const address = x1(p);
        if (!amo(load<u8>(p, RECORD_OP), load<u16>(p, RECORD_RD), address, x2(p))) {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_AMO * 8);
        if (cached<M>()) t = accessed(p, t, address);
        ++loads;
        ++stores;
        n = afterAccess(p, n);
        break;
      }
      case op.AMOCAS_W: case op.AMOCAS_D: {
        const address = x1(p);
        if (!amocas(load<u16>(p, RECORD_RD), address, x2(p), load<u8>(p, RECORD_OP) == op.AMOCAS_W)) {
          keepUndone<M>(p, t);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_AMO * 8);
        if (cached<M>()) t = accessed(p, t, address);
        ++loads;
        ++stores;
        n = afterAccess(p, n);
        break;
      }

      case op.FENCE: case op.FENCE_TSO: case op.NOP: break;
      case op.FENCE_I: {
        if (timed<M>()) t = flushed(t);
        keep<M>(t, issued, pipes, first);
        return leave(STOP_FENCE_I, p + RECORD_BYTES, n);
      }
      case op.CSR_CYCLE: {
        set(p, timed<M>() ? t >> 3 : load<u64>(INSTRET) + (limit - n - 1));
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_CSR * 8);
        break;
      }
      case op.CSR_TIME: {
        set(p, (timed<M>() ? t >> 3 : load<u64>(INSTRET) + (limit - n - 1)) / load<u32>(TIME_DIVIDER));
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_CSR * 8);
        break;
      }
      case op.CSR_INSTRET: {
        set(p, load<u64>(INSTRET) + (limit - n - 1));
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_CSR * 8);
        break;
      }

      case op.LINK: {
        ++n;
        if (single<M>()) t = undoIssue(t);
        if (dual<M>()) {
          t = issued = undoPair(t, timeBefore);
          pipes = pipesBefore;
          first = firstBefore;
        }
        p = u32(imm32(p));
        continue;
      }
      case op.STUB: {
        ++n;
        if (single<M>()) t = undoIssue(t);
        if (dual<M>()) {
          t = issued = undoPair(t, timeBefore);
          pipes = pipesBefore;
          first = firstBefore;
        }
        const target = pcOf(p);
        p = enter(target);
        if (p == 0) {
          keep<M>(t, issued, pipes, first);
          return leaveAt(STOP_DECODE, target, n);
        }
        continue;
      }
      case op.ECALL: keepUndone<M>(p, t); return leave(STOP_ECALL, p, n + 1);
      case op.EBREAK: keepUndone<M>(p, t); return leave(STOP_EBREAK, p, n + 1);
      case op.BREAK: keepUndone<M>(p, t); return leave(STOP_BREAK, p, n + 1);
      case op.FETCH_FAULT: {
        keepUndone<M>(p, t);
        store<u64>(ADDRESS, pcOf(p) + imm(p));
        return leave(STOP_FETCH, p, n + 1);
      }
      default: keepUndone<M>(p, t); return leave(STOP_ILLEGAL, p, n + 1);
    }
    p += RECORD_BYTES;
  }
  keep<M>(t, issued, pipes, first);
  return leaveEmpty(p);
}

/** Moves the counts of loads and stores made since the last call to their cells. */
export function settle(): void {
  store<u64>(LOADS, load<u64>(LOADS) + loads);
  store<u64>(STORES, load<u64>(STORES) + stores);
  loads = 0;
  stores = 0;
}
