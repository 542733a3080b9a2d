/** Where the running code is: records by address. */
import {
  PAGE_BYTES, RECORD_IMM, RECORD_OFFSET, RECORD_OP, REGION_BASE, REGION_CODE, REGION_SIZE,
} from './layout';
import { findRegion } from './memory';
import * as op from './ops';

/** The region that the running code lies in: direct branches stay in it. */
export let codeBase: u64 = 0;
let codeSize: u64 = 0;
let codeFirstPage: u64 = 0;
let codeTable: u32 = 0;

/** The record of the instruction at pc, or 0 when there is none; makes its region the current one. */
export function enter(pc: u64): u32 {
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
export function pcOf(p: u32): u64 {
  const pc = codeBase + load<u32>(p, RECORD_OFFSET);
  return load<u8>(p, RECORD_OP) == op.STUB ? pc + i64(load<i32>(p, RECORD_IMM)) : pc;
}

/** The record that executes at pc: what a link leads to. */
export function recordOf(pc: u64): u32 {
  const p = enter(pc);
  return p != 0 && load<u8>(p, RECORD_OP) == op.LINK ? u32(load<i32>(p, RECORD_IMM)) : p;
}
