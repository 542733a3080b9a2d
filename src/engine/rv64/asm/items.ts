import type { Operands } from '../encode';
import type { InsnSpec } from '../table';
import type { Value } from './expression';
import type { ParsedOperands } from './operands';

interface ItemBase {
  /** Line of the source, from 1 */
  readonly line: number;
  /** Bytes; the layout may change it. */
  size: number;
}

/** An instruction. Its size grows from 2 to 4 when the layout shows that no compressed form fits. */
export interface InsnItem extends ItemBase {
  readonly kind: 'insn';
  readonly spec: InsnSpec;
  readonly parsed: ParsedOperands;
  /** What the alias or the pseudo-instruction says beside the operands written, and aq and rl. */
  readonly fixed: Operands;
  /** Whether a compressed form may stand for it. */
  readonly compress: boolean;
}

/** Numbers of `width` bytes each. */
export interface DataItem extends ItemBase {
  readonly kind: 'data';
  readonly width: 1 | 2 | 4 | 8;
  readonly values: readonly Value[];
}

export interface BytesItem extends ItemBase {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** Padding up to a multiple of `alignment` bytes, with nops unless `fill` is given. */
export interface AlignItem extends ItemBase {
  readonly kind: 'align';
  readonly alignment: number;
  readonly fill?: number;
}

/** A place that a label or `.` in a `.set` refers to; its size is 0. */
export interface MarkItem extends ItemBase {
  readonly kind: 'mark';
}

/** A piece of the program in the order of the source. */
export type Item = InsnItem | DataItem | BytesItem | AlignItem | MarkItem;
