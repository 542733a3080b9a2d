import type { LostCause } from '../../machine/timing/pipeline';

// The pipeline, cycle by cycle.

/** Why a cycle was lost: the machine's causes. */
export type StallCause = LostCause;

/** One instruction in the pipeline. Cycles are counted as in CountersView: it retires in the last stage. */
export interface PipelineRowView {
  readonly pc: string;
  readonly symbol: string;
  readonly text: string;
  readonly function?: string;
  readonly slot?: number;
  /** The cycle in which it enters each stage, and that after its last. */
  readonly enter: readonly number[];
  readonly leave: number;
  /** The state shown has its results. */
  readonly retired: boolean;
  /** Cycles that it waited before issue, and held up all others behind it. */
  readonly waited: number;
  readonly waitedFor?: StallCause;
  readonly held: number;
  readonly heldFor?: StallCause;
  /** A kernel function that ran just before it; its work takes no cycles here. */
  readonly kernelBefore?: string;
}

export interface PipelineStageView {
  readonly stage: string;
  /** Indexes into the rows: two where a core issues two instructions a cycle, none in a bubble. */
  readonly rows: readonly number[];
  /** The instruction cannot move on at the end of this cycle. */
  readonly stalled: boolean;
  readonly bubble?: StallCause;
}

/** The pipeline in one cycle, and the last few hundred instructions on their way through it. */
export interface PipelineView {
  readonly session: string;
  readonly stop: number;
  readonly timing: { readonly name: string; readonly title: string; readonly stages: readonly string[] };
  readonly cycle: number;
  readonly rows: readonly PipelineRowView[];
  readonly stages: readonly PipelineStageView[];
  /** A sentence's end for each cause. */
  readonly causes: Readonly<Record<StallCause, string>>;
  /** Where all cycles so far went: each instruction takes one, less those that share one, plus what was lost. */
  readonly totals: {
    readonly instructions: number;
    readonly paired: number;
    readonly cycles: number;
    readonly lost: Readonly<Record<StallCause, number>>;
  };
  /** The kernel function that comes next, where the machine stands at one. */
  readonly kernel?: string;
}
