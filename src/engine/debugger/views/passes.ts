import type { FunctionView } from './listing';

/** One pass of the JIT over a function. Sizes in bytes. */
export interface PassView {
  /** `dry-run` counts without prologue and epilogue; `first-image` writes an image whose calls are still open. */
  readonly kind: 'dry-run' | 'round' | 'first-image' | 'final';
  /** Of a round: its number, from 1. */
  readonly round?: number;
  readonly prologue: number;
  readonly epilogue: number;
  readonly total: number;
}

/** The size of one BPF instruction in every pass, in bytes. */
export interface PassRowView {
  /** Xlated slot, function-relative. */
  readonly slot: number;
  readonly text: string;
  readonly sizes: readonly number[];
}

/** The pass log of a function: how its size came to stand. Constant as long as the session lives. */
export interface PassesView {
  readonly session: string;
  readonly function: FunctionView;
  readonly passes: readonly PassView[];
  /** Index of the pass after which the image was allocated. */
  readonly allocatedAfter: number;
  /** All instructions or, of a long function, those alone whose size differs between passes. */
  readonly rows: readonly PassRowView[];
  /** Instructions without a row. */
  readonly leftOut: number;
}
