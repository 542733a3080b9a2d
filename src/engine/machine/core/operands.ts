/** What instructions read and write, by their records. */
import {
  PAGE_BYTES, RECORD_IMM, RECORD_RD, RECORD_RS1, RECORD_RS2, REGS,
} from './layout';
import { tlbSlot } from './memory';

@inline
export function x1(p: u32): u64 {
  return load<u64>(load<u16>(p, RECORD_RS1), REGS);
}

@inline
export function x2(p: u32): u64 {
  return load<u64>(load<u16>(p, RECORD_RS2), REGS);
}

@inline
export function w1(p: u32): i32 {
  return load<i32>(load<u16>(p, RECORD_RS1), REGS);
}

@inline
export function w2(p: u32): i32 {
  return load<i32>(load<u16>(p, RECORD_RS2), REGS);
}

@inline
export function u1(p: u32): u64 {
  return load<u32>(load<u16>(p, RECORD_RS1), REGS);
}

@inline
export function u2(p: u32): u64 {
  return load<u32>(load<u16>(p, RECORD_RS2), REGS);
}

@inline
export function imm(p: u32): u64 {
  return u64(i64(load<i32>(p, RECORD_IMM)));
}

@inline
export function imm32(p: u32): i32 {
  return load<i32>(p, RECORD_IMM);
}

@inline
export function set(p: u32, value: u64): void {
  store<u64>(load<u16>(p, RECORD_RD), value, REGS);
}

@inline
export function setw(p: u32, value: i32): void {
  store<i64>(load<u16>(p, RECORD_RD), i64(value), REGS);
}

@inline
export function setIf(p: u32, condition: bool): void {
  store<u64>(load<u16>(p, RECORD_RD), u64(condition), REGS);
}

/** The effective address of a load or store. */
@inline
export function ea(p: u32): u64 {
  return x1(p) + imm(p);
}

/** True when the look-aside table knows the page and the access is aligned. */
@inline
export function hit<T>(table: u32, address: u64): bool {
  return load<u64>(tlbSlot(address) + table) == (address & (~u64(PAGE_BYTES - 1) | (sizeof<T>() - 1)));
}

@inline
export function host(table: u32, address: u64): u32 {
  return u32(address) + load<u32>(tlbSlot(address) + table, 8);
}
