import { Arena } from './arena';
import type { Core } from './core';
import {
  MARK_BYTES,
  MARK_INDEX,
  MARK_NEXT,
  MARK_RECORD,
  MARKS_PASSED,
  RECORD_IMM,
  RECORD_OP,
} from './core/layout';
import * as ops from './core/ops';

/** Bytes of a record that a mark takes the place of: all but the offset, which neighbours read. */
const HEAD = RECORD_IMM + 4;

/**
 * What lies over the instructions' records: breakpoints, which hide an op behind BREAK, and marks on waypoints. A mark keeps the
 * record's own head and gives it back when the core comes to it, so that it costs nothing from then on. A breakpoint lies over
 * a mark.
 */
export class Patches {
  /** Ops that BREAK hides, by record address. */
  private readonly hidden = new Map<number, number>();
  private readonly marks: Arena;
  private waypoints: ReadonlyMap<bigint, number> = new Map();
  /** A bit for each waypoint. */
  private passed = new Uint32Array(0);

  constructor(private readonly core: Core) {
    this.marks = new Arena(core);
  }

  hide(record: number): void {
    if (this.hidden.has(record)) return;
    const { u8 } = this.core;
    this.hidden.set(record, u8[record + RECORD_OP]!);
    u8[record + RECORD_OP] = ops.BREAK;
  }

  show(record: number): void {
    const op = this.hidden.get(record);
    if (op === undefined) return;
    this.hidden.delete(record);
    this.core.u8[record + RECORD_OP] = op;
  }

  private opOf(record: number): number {
    return this.hidden.get(record) ?? this.core.u8[record + RECORD_OP]!;
  }

  private setOp(record: number, op: number): void {
    if (this.hidden.has(record)) this.hidden.set(record, op);
    else this.core.u8[record + RECORD_OP] = op;
  }

  /** Where what belongs into a record is kept now: in the mark, if there is one on it. */
  homeOf(record: number): number {
    return this.opOf(record) === ops.MARK ? this.core.getU32(record + RECORD_IMM) : record;
  }

  /** Addresses to mark from now on; records that were made before have none. */
  setWaypoints(addresses: readonly bigint[]): void {
    this.waypoints = new Map(addresses.map((address, index) => [address, index]));
    this.passed = new Uint32Array(Math.ceil(addresses.length / 32));
  }

  /** Call for each record once it is made. */
  made(record: number, address: bigint): void {
    const index = this.waypoints.get(address);
    if (index === undefined) return;
    const mark = this.marks.take(MARK_BYTES);
    this.core.setU32(mark + MARK_RECORD, record);
    this.core.setU32(mark + MARK_INDEX, index);
    this.lay(mark);
  }

  /** Puts a mark onto its record. */
  private lay(mark: number): void {
    const { u8 } = this.core;
    const record = this.core.getU32(mark + MARK_RECORD);
    const op = this.opOf(record);
    u8.copyWithin(mark, record, record + HEAD);
    u8[mark + RECORD_OP] = op;
    u8.fill(0, record + RECORD_OP + 1, record + HEAD);
    this.core.setU32(record + RECORD_IMM, mark);
    this.setOp(record, ops.MARK);
  }

  /** Notes which marks the core has come to, and lays them again. */
  private collect(): void {
    const { core } = this;
    for (let mark = core.getU32(MARKS_PASSED); mark !== 0; mark = core.getU32(mark + MARK_NEXT)) {
      const index = core.getU32(mark + MARK_INDEX);
      this.passed[index >>> 5]! |= 1 << (index & 31);
      this.lay(mark);
    }
    core.setU32(MARKS_PASSED, 0);
  }

  /** The waypoints passed since this was asked last: bit i % 32 of word i / 32 for waypoint i. */
  takePassed(): Uint32Array {
    this.collect();
    const { passed } = this;
    this.passed = new Uint32Array(passed.length);
    return passed;
  }

  /** Call when all records are forgotten. */
  reset(): void {
    this.collect();
    this.hidden.clear();
    this.marks.reset();
  }
}
