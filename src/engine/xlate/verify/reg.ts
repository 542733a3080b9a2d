import type { XlateMap } from '../types';
import { sameScalar, UNKNOWN, ZERO, type Scalar } from './scalar';

/** What a register or stack slot holds (enum bpf_reg_type, as far as Hartbeat follows it). */
export type RegType =
  | 'uninit'
  | 'scalar'
  | 'ctx'
  /** struct bpf_map */
  | 'map'
  | 'map-value'
  | 'map-key'
  | 'stack'
  | 'packet'
  | 'packet-meta'
  | 'packet-end'
  | 'socket'
  | 'sock-common'
  | 'tcp-sock'
  | 'xdp-sock'
  | 'flow-keys'
  /** A kernel object known by BTF: loads from it may fault and are handled. */
  | 'btf'
  /** A kernel object that is surely there. */
  | 'trusted-btf'
  /** An iterator's state in a stack slot. */
  | 'iterator'
  /** Memory of known size: ring buffer samples, dynptr slices, per-cpu variables … */
  | 'mem'
  | 'func';

/** How a value is used later: bits of {@link RegState.live}. */
export const LIVE_NONE = 0;
/** Its low 32 bits are read. */
export const LIVE_READ32 = 1;
/** All of it is read. */
export const LIVE_READ64 = 2;
export const LIVE_READ = LIVE_READ32 | LIVE_READ64;
/** It was written since the last checkpoint; reads do not reach further back. */
export const LIVE_WRITTEN = 4;
/** No further marks will come: every path from the state was seen. */
export const LIVE_DONE = 8;

/** `subregDef` of a value that is a whole 64-bit one. */
export const NOT_A_SUBREG = 0;

/** What the linked scalars of `id` differ by: none, or a constant in `off`. */
export type DeltaKind = 'none' | 'add64' | 'add32';

/** A range of a packet pointer that stands for "at or behind the end" (AT_PKT_END, BEYOND_PKT_END). */
export const AT_PACKET_END = -1;
export const BEYOND_PACKET_END = -2;

/**
 * The verifier's knowledge of one register or spilled value (struct bpf_reg_state). Mutable, owned by one state; the
 * knowledge of the number itself, `value`, is immutable and shared.
 */
export class RegState {
  type: RegType = 'uninit';
  /** A null pointer is possible until the program has tested for it. */
  orNull = false;
  /** Reads only. */
  readOnly = false;
  /** Fixed part of a pointer's offset in bytes; for a scalar with `delta` the difference to the linked one. */
  off = 0;
  /** A scalar's value, or the variable part of a pointer's offset. */
  value: Scalar = UNKNOWN;
  /** Values with the same id other than 0 are known to be linked (equal, or null together). */
  id = 0;
  delta: DeltaKind = 'none';
  /** The acquired resource (socket, ring buffer sample) that this pointer stands for; 0 for none. */
  refId = 0;
  map: XlateMap | undefined = undefined;
  /** Bytes known to lie in the packet behind a packet pointer, or {@link AT_PACKET_END} and {@link BEYOND_PACKET_END}. */
  range = 0;
  /** Bytes of the memory that a `mem` pointer points to. */
  memSize = 0;
  /** The frame whose stack a `stack` pointer points to. */
  frame = 0;
  /** The function that a `func` pointer points to, as index of functions. */
  func = 0;
  /** State of an iterator: elements may be left, and rounds of its loop so far. */
  iterator: { readonly active: boolean; readonly depth: number } | undefined = undefined;
  /** A pointer that may be NULL but need not be tested: what the kernel demands of it is not known. */
  untestedAllowed = false;
  live = LIVE_NONE;
  /** The same value in the checkpoint that this state continues. */
  parent: RegState | undefined = undefined;
  /** Decisions depend on the exact value, not only on its being a scalar. */
  precise = false;
  /** 1 + index of the instruction that defined only the low half; {@link NOT_A_SUBREG} otherwise. */
  subregDef = NOT_A_SUBREG;

  /** A copy with everything, marks and parent included. */
  clone(): RegState {
    const copy = new RegState();
    copy.continueFrom(this);
    return copy;
  }

  /** Becomes `other` with its marks and its place in the chain of states: what happens here happens to the other's past. */
  continueFrom(other: RegState): void {
    this.assign(other);
    this.live = other.live;
    this.parent = other.parent;
  }

  /** Takes over what `other` holds but keeps its own place in the chain of states (copy_register_state). */
  assign(other: RegState): void {
    this.type = other.type;
    this.orNull = other.orNull;
    this.readOnly = other.readOnly;
    this.off = other.off;
    this.value = other.value;
    this.id = other.id;
    this.delta = other.delta;
    this.refId = other.refId;
    this.map = other.map;
    this.range = other.range;
    this.memSize = other.memSize;
    this.frame = other.frame;
    this.func = other.func;
    this.iterator = other.iterator;
    this.untestedAllowed = other.untestedAllowed;
    this.precise = other.precise;
    this.subregDef = other.subregDef;
  }

  /** Nothing is known but that it is a number (__mark_reg_unknown). */
  setUnknown(): void {
    this.become('scalar', UNKNOWN);
  }

  /** A number about which `value` is known; not precise, not linked. */
  setScalar(value: Scalar): void {
    this.become('scalar', value);
  }

  /** Never written (mark_reg_not_init). */
  setUninit(): void {
    this.become('uninit', UNKNOWN);
  }

  /** A pointer of the given kind with offset 0. */
  setPointer(type: RegType): void {
    this.become(type, ZERO);
  }

  private become(type: RegType, value: Scalar): void {
    this.type = type;
    this.orNull = false;
    this.readOnly = false;
    this.off = 0;
    this.value = value;
    this.id = 0;
    this.delta = 'none';
    this.refId = 0;
    this.map = undefined;
    this.range = 0;
    this.memSize = 0;
    this.frame = 0;
    this.func = 0;
    this.iterator = undefined;
    this.untestedAllowed = false;
    this.precise = false;
  }

  get isScalar(): boolean {
    return this.type === 'scalar';
  }
  get isPointer(): boolean {
    return this.type !== 'scalar' && this.type !== 'uninit';
  }
  get isPacket(): boolean {
    return this.type === 'packet' || this.type === 'packet-meta';
  }
  get isPacketOrEnd(): boolean {
    return this.isPacket || this.type === 'packet-end';
  }

  /** A scalar known to be 0 (register_is_null). */
  get isNull(): boolean {
    return this.isScalar && this.value.bits.mask === 0n && this.value.bits.value === 0n;
  }

  /** Type, offsets and value agree; ids, marks and links are not compared. */
  sameContent(other: RegState): boolean {
    return this.sameKind(other) && sameScalar(this.value, other.value);
  }

  /** All that lies before the variable part in the kernel's comparison: type, fixed offset, map, range and size. */
  sameKind(other: RegState): boolean {
    return (
      this.type === other.type &&
      this.orNull === other.orNull &&
      this.readOnly === other.readOnly &&
      this.off === other.off &&
      this.map === other.map &&
      this.range === other.range &&
      this.memSize === other.memSize &&
      this.func === other.func
    );
  }

  /** Bits that the value needs at most, unsigned (get_reg_width). */
  get width(): number {
    const { umax } = this.value;
    return umax === 0n ? 0 : umax.toString(2).length;
  }
}
