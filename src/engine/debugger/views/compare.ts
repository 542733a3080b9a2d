import type { FunctionView } from './listing';
import type { ProfileView } from './object';
import type { CountersView, LocationView, ResultView, StopView } from './session';

// The code and the runs of two profiles beside each other.

/**
 * How an instruction of one profile's code stands to the other's. `placement`: the same, although its bytes differ, because
 * images or maps lie elsewhere (jumps over code of another length, calls, addresses of maps). `left`, `right`: only there.
 */
export type CompareMark = 'same' | 'placement' | 'changed' | 'left' | 'right';

export interface CompareSizeView {
  readonly bytes: number;
  readonly instructions: number;
}

export interface CompareBpfView {
  /** Function-relative xlated slot of this side. */
  readonly slot: number;
  readonly text: string;
  /** The verifier rewrite that made it, as in BpfRow. */
  readonly rule?: string;
}

export interface CompareNativeView {
  /** Bytes from the image's start. */
  readonly offset: number;
  readonly bytes: string;
  /** Jumps within the function name the slot that they go to (`→ 12`, `→ 12+8` bytes behind its start, `→ epilogue`). */
  readonly text: string;
  /** Name of the JIT rule that made it; the comparison's `rules` has its sentence. */
  readonly rule: string;
}

/** Native instructions that stand beside each other; at least one of them is there. */
export interface CompareLineView {
  readonly mark: CompareMark;
  readonly left?: CompareNativeView;
  readonly right?: CompareNativeView;
}

/** One BPF instruction under both profiles, or prologue or epilogue. */
export interface CompareRowView {
  readonly part: 'prologue' | 'body' | 'epilogue';
  /** The BPF instruction of each side; absent where that side's kernel has none in this place. */
  readonly left?: CompareBpfView;
  readonly right?: CompareBpfView;
  /** Both are there and are not the same instruction: more than a jump's distance differs. */
  readonly rewritten: boolean;
  readonly source?: { readonly file: string; readonly line: number; readonly text: string };
  readonly lines: readonly CompareLineView[];
  readonly leftSize: CompareSizeView;
  readonly rightSize: CompareSizeView;
  /** Bytes that the right side has more. */
  readonly delta: number;
  /** No native instruction differs, apart from placement. */
  readonly same: boolean;
}

/** One profile's side of a comparison: the function as it is compiled, or the problem, one sentence. */
export interface CompareSideView {
  readonly profile: ProfileView;
  readonly problem?: string;
  readonly function?: FunctionView;
  /** Of the code that the last pass produced. */
  readonly total?: CompareSizeView;
  /** Bytes */
  readonly parts?: { readonly prologue: number; readonly body: number; readonly epilogue: number };
  readonly frameBytes?: number;
}

/** A function under two profiles. */
export interface CompareView {
  readonly object: string;
  readonly program: string;
  /** Key of the function. */
  readonly function: string;
  /** Keys of all functions of the program, main first. */
  readonly functions: readonly string[];
  readonly left: CompareSideView;
  readonly right: CompareSideView;
  /** None where a side has a problem. */
  readonly rows: readonly CompareRowView[];
  /** Why an instruction is there: the sentence of every JIT rule in the rows, by name. */
  readonly rules: Readonly<Record<string, string>>;
  /** Rows that are not the same. */
  readonly differing: number;
  /** Lines by mark. */
  readonly marks: Readonly<Record<CompareMark, number>>;
}

/** What became of one run of a comparison. */
export interface CompareRunView {
  readonly profile: ProfileView;
  /** Why it could not be run at all; then nothing else is known. */
  readonly problem?: string;
  /** How it ended: `exit`, or `limit`, `fault` … with a sentence. */
  readonly stop?: StopView;
  readonly location?: LocationView;
  readonly result?: ResultView;
  readonly counters?: CountersView;
  /** Most bytes of kernel stack that the programs' frames took at once. */
  readonly stackBytes?: number;
}

/** The same run under two profiles. */
export interface CompareRunsView {
  readonly object: string;
  readonly program: string;
  /** Instructions after which a run was given up. */
  readonly limit: number;
  readonly left: CompareRunView;
  readonly right: CompareRunView;
  /** What the program's results differ in, as words: `return value`, `data out`, `context out`, `map hits`. */
  readonly differences: readonly string[];
}
