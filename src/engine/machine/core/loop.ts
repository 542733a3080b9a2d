/**
 * The loop over pre-decoded instructions. Each instruction of the table is one case that stands by itself, although loads, stores
 * and branches look alike: what they share is inlined from the files beside this one, but `break`, `continue` and `return` cannot
 * be, and a case for many instructions would have to tell them apart again each time one is executed.
 */
import {
  ADDRESS, CLASS_AMO, CLASS_CSR, CLASS_JALR, CLASS_LEAVES, CLASS_LOAD, CLASS_LOAD_SMALL, CLASS_LR, CLASS_MUL,
  CLASS_SC, INSTRET, LATENCY, LOADS, LOAD_TLB, PAIRED, PAIR_FIRST, PAIR_PIPES, READY, RECORD_BYTES, RECORD_CLASS, RECORD_IMM,
  RECORD_OFFSET, RECORD_OP, RECORD_RD, RECORD_RS2, SINK, STOP_BREAK, STOP_DECODE, STOP_EBREAK, STOP_ECALL, STOP_FENCE_I, STOP_FETCH,
  STOP_ILLEGAL, STORES, STORE_TLB, TIME, TIME_DIVIDER,
} from './layout';
import { div, divu, divuw, divw, mulh, mulhsu, mulhu, orcb, rem, remu, remuw, remw } from './arith';
import { amo, amocas, amocasPair, loadReserved, storeConditional } from './atomics';
import { codeBase, enter, pcOf } from './code';
import { afterAccess, leave, leaveAt, leaveEmpty, leaveFault, slowLoad } from './exits';
import { noteSp, passMark } from './marks';
import { storeSlow } from './memory';
import { cached, dual, keep, keepUndone, single, timed } from './modes';
import { ea, hit, host, imm, imm32, set, setIf, setw, u1, u2, w1, w2, x1, x2 } from './operands';
import * as op from './ops';
import {
  accessed, branched, destinationOf, divided, fetched, flushed, issue, jumped, jumpedRegister, magnitude, operandsReady, pairs,
  resultAfter, resultOf, undoIssue, undoPair, waitFor,
} from './timing';

let loads: u64 = 0;
let stores: u64 = 0;

/** Executes from the record `start` on; says why it ended. M says what is timed, see modes.ts. */
export function loop<M>(start: u32, limit: i32): i32 {
  let p = start;
  let n = limit;
  let t: u64 = timed<M>() ? load<u64>(TIME) : 0;
  // Of the current cycle, where two instructions can share one: see pairs().
  let issued = t;
  let pipes: u32 = dual<M>() ? load<u32>(PAIR_PIPES) : 0;
  let first: u32 = dual<M>() ? load<u32>(PAIR_FIRST) : 0;
  let before: u64 = 0;
  let beforePipes: u32 = 0;
  let beforeFirst: u32 = 0;
  let beforeReady: u64 = 0;
  while (n > 0) {
    --n;
    // A stub stands for nothing that is fetched.
    if (cached<M>() && load<u8>(p, RECORD_OP) != op.STUB) t = fetched(codeBase + load<u32>(p, RECORD_OFFSET), t);
    if (single<M>()) t = issue(p, t);
    if (dual<M>()) {
      if (t != issued) pipes = 0;
      before = t;
      beforePipes = pipes;
      beforeFirst = first;
      beforeReady = load<u64>(load<u16>(p, RECORD_RD), READY);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
          return leaveFault(p, n + 1);
        }
        if (cached<M>()) t = accessed(p, t, a);
        ++stores;
        break;
      }

      case op.ADDI: set(p, x1(p) + imm(p)); break;
      case op.RAISE_SP: {
        const sp = x1(p) + imm(p);
        set(p, sp);
        noteSp(sp);
        break;
      }
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
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
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_AMO * 8);
        if (cached<M>()) t = accessed(p, t, address);
        ++loads;
        ++stores;
        n = afterAccess(p, n);
        break;
      }

      case op.AMOCAS_Q: {
        const address = x1(p);
        const rd: u32 = load<u16>(p, RECORD_RD);
        if (!amocasPair(rd, load<u16>(p, RECORD_RS2), address)) {
          keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
          return leaveFault(p, n + 1);
        }
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_AMO * 8);
        if (cached<M>()) t = accessed(p, t, address);
        if (timed<M>() && rd != SINK) store<u64>(rd, load<u64>(rd, READY), READY + 8);
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
        set(p, timed<M>() ? t >> 3 : cycleUntimed(limit - n - 1));
        if (single<M>()) resultAfter(p, t, LATENCY + CLASS_CSR * 8);
        break;
      }
      case op.CSR_TIME: {
        set(p, (timed<M>() ? t >> 3 : cycleUntimed(limit - n - 1)) / load<u32>(TIME_DIVIDER));
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
          t = issued = undoPair(t, before);
          pipes = beforePipes;
          first = beforeFirst;
        }
        p = u32(imm32(p));
        continue;
      }
      case op.STUB: {
        ++n;
        if (single<M>()) t = undoIssue(t);
        if (dual<M>()) {
          t = issued = undoPair(t, before);
          pipes = beforePipes;
          first = beforeFirst;
        }
        const stub = p;
        const base = codeBase;
        const target = pcOf(stub);
        p = enter(target);
        if (p == 0) {
          keep<M>(t, issued, pipes, first);
          return leaveAt(STOP_DECODE, target, n);
        }
        if (codeBase == base) becomeLink(stub, p, target);
        continue;
      }
      case op.MARK: {
        ++n;
        if (single<M>()) t = undoIssue(t);
        if (dual<M>()) {
          t = issued = undoPair(t, before);
          pipes = beforePipes;
          first = beforeFirst;
        }
        passMark(p);
        continue;
      }
      case op.ECALL: keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady); return leave(STOP_ECALL, p, n + 1);
      case op.EBREAK: keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady); return leave(STOP_EBREAK, p, n + 1);
      case op.BREAK: keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady); return leave(STOP_BREAK, p, n + 1);
      case op.FETCH_FAULT: {
        keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady);
        store<u64>(ADDRESS, pcOf(p) + imm(p));
        return leave(STOP_FETCH, p, n + 1);
      }
      default: keepUndone<M>(p, t, before, beforePipes, beforeFirst, beforeReady); return leave(STOP_ILLEGAL, p, n + 1);
    }
    p += RECORD_BYTES;
  }
  keep<M>(t, issued, pipes, first);
  return leaveEmpty(p);
}

/** The cycle of an instruction, `done` of the slice after its first, where each takes one: from 0, or from 1 with a profile. */
@inline
function cycleUntimed(done: i32): u64 {
  return load<u64>(INSTRET) + done + (load<u64>(TIME) >> 3);
}

/** From now on a stub leads straight to the record for its target. */
function becomeLink(stub: u32, record: u32, target: u64): void {
  store<u8>(stub, op.LINK, RECORD_OP);
  store<u32>(stub, record, RECORD_IMM);
  store<u32>(stub, u32(target - codeBase), RECORD_OFFSET);
}

/** Moves the counts of loads and stores made since the last call to their cells. */
export function settle(): void {
  store<u64>(LOADS, load<u64>(LOADS) + loads);
  store<u64>(STORES, load<u64>(STORES) + stores);
  loads = 0;
  stores = 0;
}
