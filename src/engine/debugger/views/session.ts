import type { InputsView, ProfileView } from './object';

// Where a session stands and how it came there.

/** What one step is. */
export type Granularity = 'line' | 'bpf' | 'native' | 'cycle';
export type StepKind = 'into' | 'over' | 'out';

/** A position at every level. A function is named by its key, unique in the session: `program/function`. */
export interface LocationView {
  readonly pc: string;
  /** `bpf_prog_<tag>_<name>+0x1c`, helper names in the kernel. */
  readonly symbol: string;
  readonly function?: string;
  /** Xlated slot, function-relative. */
  readonly slot?: number;
  readonly bpfText?: string;
  readonly file?: string;
  readonly line?: number;
  readonly lineText?: string;
}

export type StopKind =
  | 'entry'
  | 'step'
  | 'breakpoint'
  | 'event'
  | 'pause'
  | 'run-to'
  | 'exit'
  | 'fault'
  | 'limit'
  | 'unknown-helper'
  | 'check'
  | 'watch'
  | 'history-start';

export interface StopView {
  readonly kind: StopKind;
  /** A sentence for people: "Breakpoint 2 on tail calls: tail call refused, the count is used up (a6 = 0)." */
  readonly text: string;
  readonly breakpoints: readonly number[];
  /** Of a watchpoint: the instruction that hit it, or whose call led to the kernel function that did. It has been executed. */
  readonly by?: LocationView;
}

export interface CountersView {
  readonly instructions: number;
  readonly loads: number;
  readonly stores: number;
  readonly cycles: number | null;
  readonly tailCalls: number;
  readonly helperCalls: number;
}

export interface ResultView {
  readonly retval: number;
  readonly dataOut?: string;
  readonly ctxOut?: string;
}

export type SessionStatus = 'running' | 'stopped' | 'ended';

/** Pushed whenever the session runs, stops or ends. `stop` numbers the stops: replies carry it, stale ones are dropped. */
export interface SessionView {
  readonly session: string;
  readonly stop: number;
  readonly status: SessionStatus;
  readonly object: string;
  readonly program: string;
  readonly profile: ProfileView;
  readonly inputs: InputsView;
  readonly reason?: StopView;
  readonly location?: LocationView;
  readonly counters: CountersView;
  /** The cycle it stands in; several can pass while the state stays the same. Absent while it runs. */
  readonly cycle?: number;
  /** There is a past to step back into. */
  readonly canGoBack?: boolean;
  readonly result?: ResultView;
  /** Remaining tail calls (a6 where it is live, else where the count is kept), with where it was read. */
  readonly tcc?: { readonly value: number; readonly where: string };
}

/** A line of the console. */
export interface OutputView {
  readonly index: number;
  readonly kind: 'printk' | 'tail-call' | 'helper' | 'output' | 'info' | 'error';
  readonly text: string;
  /** Instructions executed when it happened. */
  readonly at: number;
  readonly location?: LocationView;
}
