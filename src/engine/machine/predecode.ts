import { REG } from '../rv64/registers';
import { decode, type DecodedInsn } from '../rv64/decode';
import type { BaseMnemonic } from '../rv64/table';
import { Arena } from './arena';
import type { Core } from './core';
import {
  CODE_WRITTEN,
  COHERENT,
  HIGHEST_SP,
  PAGE_BYTES,
  RECORD_BYTES,
  RECORD_CLASS,
  RECORD_IMM,
  RECORD_OFFSET,
  RECORD_OP,
  RECORD_RD,
  RECORD_RS1,
  RECORD_RS2,
  SINK,
} from './core/layout';
import * as ops from './core/ops';
import { CSR_OPS } from './csr';
import type { PagedMemory } from './memory';
import { coreOp } from './op-numbers';
import { Patches } from './patches';
import type { MappedRegion } from './regions';
import { CLASS_NUMBERS, timingClassOf } from './timing/classes';
import type { Passage } from './types';

const TOP = 2n ** 64n - 1n;

/** Instructions that change nothing but rd: into x0 they are a NOP. */
const PURE = new Set<string>(['i', 'shift6', 'shift5', 'r', 'unary', 'u']);

/**
 * Makes records for the core out of the instructions in executable regions, a stretch at a time when the core first
 * gets there. What was fetched stays as it was until invalidate(): the bytes of a page are copied at the first fetch.
 */
export class Predecoder {
  /** Pages as they were fetched, by region number and page. */
  private readonly fetched = new Map<number, Map<number, Uint8Array>>();
  private readonly breakpoints = new Set<bigint>();
  /** Branch records that wait for the instruction at an offset, by region number. */
  private readonly waiting = new Map<number, Map<number, number[]>>();
  /** Code was written from outside since the last look; see fetchWhatWasWritten(). */
  private writtenFromOutside = false;
  private readonly records: Arena;
  private readonly stubs: Arena;
  private readonly maps: Arena;
  private readonly patches: Patches;
  /** Code has been decoded that gives sp a value other than by adding to it. */
  private setsSp = false;

  constructor(
    private readonly core: Core,
    private readonly memory: PagedMemory,
  ) {
    this.patches = new Patches(core);
    this.records = new Arena(core);
    this.stubs = new Arena(core);
    this.maps = new Arena(core);
  }

  /** Whether anything may be executed in this region. */
  executable(mapped: MappedRegion | undefined): mapped is MappedRegion {
    return mapped !== undefined && mapped.region.permissions.x && mapped.region.trap !== true;
  }

  /** Makes sure that the instruction at pc has a record. The region must be executable, pc even. */
  prepare(mapped: MappedRegion, pc: bigint): void {
    if (this.recordAt(mapped, pc) === 0) this.decodeStretch(mapped, Number(pc - mapped.base));
  }

  /** The record for pc, or 0. */
  private recordAt(mapped: MappedRegion, pc: bigint): number {
    const position = Number(pc - mapped.base) + mapped.lead;
    if (mapped.code === 0) return 0;
    const map = this.core.getU32(mapped.code + 4 * Math.floor(position / PAGE_BYTES));
    return map === 0 ? 0 : this.core.getU32(map + 2 * (position % PAGE_BYTES));
  }

  /** Decodes from an offset to the end of its page, an instruction that has a record, or one that is illegal. */
  private decodeStretch(mapped: MappedRegion, start: number): void {
    const { core } = this;
    this.memory.table.ensureCode(mapped);
    const page = Math.floor((start + mapped.lead) / PAGE_BYTES);
    const end = Math.min((page + 1) * PAGE_BYTES - mapped.lead, mapped.region.size);
    const slot = mapped.code + 4 * page;
    if (core.getU32(slot) === 0) {
      // Stores to this page and the next must come by the slow path from now on.
      if (core.getU32(COHERENT) !== 0) core.flushStoreTlb();
      const map = this.maps.take(2 * PAGE_BYTES);
      core.u8.fill(0, map, map + 2 * PAGE_BYTES);
      core.setU32(slot, map);
    }
    const map = core.getU32(slot);
    const pageStart = page * PAGE_BYTES - mapped.lead;

    let record = this.records.take((Math.ceil((end - start) / 2) + 2) * RECORD_BYTES);
    let offset = start;
    for (;;) {
      if (offset >= end) {
        this.put(record, ops.STUB, 0, 0, 0, 0, offset);
        break;
      }
      const known = core.getU32(map + 2 * (offset - pageStart));
      if (known !== 0) {
        this.put(record, ops.LINK, 0, 0, 0, known, offset);
        break;
      }
      core.setU32(map + 2 * (offset - pageStart), record);
      const size = this.decodeOne(mapped, offset, record);
      this.settleWaiting(mapped, offset, record);
      const address = mapped.base + BigInt(offset);
      this.patches.made(record, address);
      if (this.breakpoints.has(address)) this.patches.hide(record);
      record += RECORD_BYTES;
      if (size === 0) break;
      offset += size;
    }
    this.records.giveBack(record + RECORD_BYTES);
  }

  /** Makes one record; gives the instruction's size, or 0 when what follows is not worth decoding. */
  private decodeOne(mapped: MappedRegion, offset: number, record: number): number {
    const address = mapped.base + BigInt(offset);
    const low = this.fetch(address);
    const long = low !== undefined && (low & 3) === 3;
    const high = long ? this.fetch(address + 2n) : 0;
    if (low === undefined || high === undefined) {
      this.put(record, ops.FETCH_FAULT, 0, 0, 0, low === undefined ? 0 : 2, offset);
      return 0;
    }
    const word = low | (high << 16);
    const insn = decode(word);
    if (insn === undefined) {
      this.put(record, ops.ILLEGAL, 0, 0, 0, 0, offset);
      return 0;
    }
    const { mnemonic, format } = insn.base;
    if (format === 'csr' || format === 'csri') {
      const read = csrOp(insn);
      this.put(record, read, destination(insn), 0, 0, 0, offset, CLASS_NUMBERS.csr);
      return read === ops.ILLEGAL ? 0 : insn.size;
    }
    const kind = CLASS_NUMBERS[timingClassOf(insn.base, insn.imm)];
    if (insn.rd === 0 && PURE.has(format)) {
      this.put(record, ops.NOP, 0, 0, 0, 0, offset, kind);
      return insn.size;
    }
    let imm = insn.imm;
    if (format === 'branch' || mnemonic === 'jal') imm = this.linkTo(mapped, offset, offset + imm, record);
    else if (mnemonic === 'lui' || mnemonic === 'auipc') imm <<= 12;
    this.put(record, this.opFor(insn), destination(insn), insn.rs1, insn.rs2, imm, offset, kind);
    return insn.size;
  }

  private opFor({ base, rd, rs1, imm }: DecodedInsn): number {
    if (rd !== REG.sp || !base.shape.rd) return coreOp(base.op);
    if (base.mnemonic !== 'addi' || rs1 !== REG.sp) this.setsSp = true;
    else if (imm > 0) return ops.RAISE_SP;
    return coreOp(base.op);
  }

  /** The record that a branch at `from` to offset `to` continues with: the target's, or a stub in its place. */
  private linkTo(mapped: MappedRegion, from: number, to: number, record: number): number {
    const inside = to >= 0 && to < mapped.region.size;
    if (inside) {
      const target = this.recordAt(mapped, mapped.base + BigInt(to));
      if (target !== 0) return target;
      const lists = this.waiting.get(mapped.number) ?? new Map<number, number[]>();
      this.waiting.set(mapped.number, lists);
      const list = lists.get(to) ?? [];
      lists.set(to, list);
      list.push(record);
    }
    const stub = this.stubs.take(RECORD_BYTES);
    this.put(stub, ops.STUB, 0, 0, 0, to - from, from);
    return stub;
  }

  private settleWaiting(mapped: MappedRegion, offset: number, record: number): void {
    const lists = this.waiting.get(mapped.number);
    const list = lists?.get(offset);
    if (!list) return;
    for (const branch of list) this.core.setU32(this.patches.homeOf(branch) + RECORD_IMM, record);
    lists!.delete(offset);
  }

  private put(
    at: number,
    op: number,
    rdOffset: number,
    rs1: number,
    rs2: number,
    imm: number,
    offset: number,
    kind = 0,
  ): void {
    const { data } = this.core;
    data.setUint8(at + RECORD_OP, op);
    data.setUint8(at + RECORD_CLASS, kind);
    data.setUint16(at + RECORD_RD, rdOffset, true);
    data.setUint16(at + RECORD_RS1, rs1 * 8, true);
    data.setUint16(at + RECORD_RS2, rs2 * 8, true);
    data.setInt32(at + RECORD_IMM, imm, true);
    data.setUint32(at + RECORD_OFFSET, offset, true);
  }

  /** The halfword that instruction fetch sees at an even address; undefined where fetching faults. */
  fetch(address: bigint): number | undefined {
    const mapped = this.memory.table.find(BigInt.asUintN(64, address));
    if (!this.executable(mapped)) return undefined;
    const offset = Number(address - mapped.base);
    if (offset + 2 > mapped.region.size) return undefined;
    const position = offset + mapped.lead;
    const page = Math.floor(position / PAGE_BYTES);
    const bytes = this.fetchPage(mapped, page);
    const inPage = position % PAGE_BYTES;
    return bytes[inPage]! | (bytes[inPage + 1]! << 8);
  }

  private fetchPage(mapped: MappedRegion, page: number): Uint8Array {
    const pages = this.fetched.get(mapped.number) ?? new Map<number, Uint8Array>();
    this.fetched.set(mapped.number, pages);
    const known = pages.get(page);
    if (known) return known;
    const frame = this.memory.frameToRead(mapped, page);
    const bytes = this.core.u8.slice(frame, frame + PAGE_BYTES);
    pages.set(page, bytes);
    return bytes;
  }

  written(): void {
    this.writtenFromOutside = true;
  }

  /** Where fetches see stores at once: makes them see what was written. */
  fetchWhatWasWritten(): void {
    const { core } = this;
    const stored = core.getU32(CODE_WRITTEN) !== 0;
    if (core.getU32(COHERENT) === 0 || !(stored || this.writtenFromOutside)) return;
    core.setU32(CODE_WRITTEN, 0);
    this.writtenFromOutside = false;
    this.fenceI();
  }

  /** Makes what was written since the first fetch visible to fetches. */
  fenceI(): void {
    for (const mapped of this.memory.table.all) {
      for (const [page, bytes] of this.fetched.get(mapped.number) ?? []) {
        const frame = this.memory.frameToRead(mapped, page);
        if (!samePage(bytes, this.core.u8, frame)) return this.invalidate();
      }
    }
  }

  /** Forgets what was fetched from a region that is gone. */
  unmapped(mapped: MappedRegion): void {
    if (this.fetched.delete(mapped.number)) this.forgetRecords();
  }

  /** Forgets all that was fetched and decoded. */
  invalidate(): void {
    this.fetched.clear();
    this.forgetRecords();
  }

  private forgetRecords(): void {
    this.waiting.clear();
    this.patches.reset();
    this.records.reset();
    this.stubs.reset();
    this.maps.reset();
    for (const mapped of this.memory.table.all) {
      if (mapped.code !== 0) this.core.u8.fill(0, mapped.code, mapped.code + 4 * mapped.pageCount);
    }
    this.core.forgetCode();
  }

  /** What instruction fetch sees, to be kept with a snapshot. */
  view(): FetchView {
    this.fetchWhatWasWritten();
    return new Map([...this.fetched].map(([number, pages]) => [number, new Map(pages)]));
  }

  /** Makes instruction fetch see again what it saw when `view` was taken. */
  restoreView(view: FetchView): void {
    if (sameView(this.fetched, view)) return;
    this.invalidate();
    for (const [number, pages] of view) this.fetched.set(number, new Map(pages));
  }

  setBreakpoint(address: bigint): void {
    if (this.breakpoints.has(address)) return;
    this.breakpoints.add(address);
    const record = this.findRecord(address);
    if (record !== 0) this.patches.hide(record);
  }

  clearBreakpoint(address: bigint): void {
    this.breakpoints.delete(address);
    const record = this.findRecord(address);
    if (record !== 0) this.patches.show(record);
  }

  hasBreakpoint(address: bigint): boolean {
    return this.breakpoints.has(address);
  }

  /** Runs `action` with the breakpoint at this address out of the way. */
  withoutBreakpoint<T>(address: bigint, action: () => T): T {
    if (!this.breakpoints.has(address)) return action();
    this.clearBreakpoint(address);
    try {
      return action();
    } finally {
      this.setBreakpoint(address);
    }
  }

  /** Sets the addresses whose passing is noted. */
  setWaypoints(addresses: readonly bigint[]): void {
    this.forgetRecords();
    this.patches.setWaypoints(addresses);
  }

  /** What was passed since this was asked last. @param sp what sp is now */
  passage(sp: bigint): Passage {
    const highestSp = this.setsSp ? TOP : this.core.getU64(HIGHEST_SP);
    this.core.setU64(HIGHEST_SP, sp);
    return { waypoints: this.patches.takePassed(), highestSp };
  }

  private findRecord(address: bigint): number {
    const mapped = this.memory.table.find(address);
    return mapped === undefined ? 0 : this.recordAt(mapped, address);
  }
}

/** Fetched pages by region number and page. */
export type FetchView = ReadonlyMap<number, ReadonlyMap<number, Uint8Array>>;

function sameView(a: FetchView, b: FetchView): boolean {
  if (a.size !== b.size) return false;
  for (const [number, pages] of a) {
    const others = b.get(number);
    if (!others || others.size !== pages.size) return false;
    for (const [page, bytes] of pages) if (others.get(page) !== bytes) return false;
  }
  return true;
}

function samePage(bytes: Uint8Array, memory: Uint8Array, from: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== memory[from + i]) return false;
  return true;
}

/** Byte offset of the slot for the result; 0, which is never written, for instructions that have none. */
function destination({ base, rd }: DecodedInsn): number {
  if (!base.shape.rd) return 0;
  return rd === 0 ? SINK : rd * 8;
}

const WRITES = new Set<BaseMnemonic>(['csrrw', 'csrrwi']);

/** The op for a CSR instruction: counters can be read; every other access is illegal, as all others are absent. */
function csrOp(insn: DecodedInsn): number {
  // csrrs and csrrc write unless their source is x0 or the immediate 0 ("CSR Instructions").
  const source = insn.base.format === 'csri' ? insn.imm : insn.rs1;
  if (WRITES.has(insn.base.mnemonic) || source !== 0) return ops.ILLEGAL;
  return CSR_OPS.get(insn.csr) ?? ops.ILLEGAL;
}
