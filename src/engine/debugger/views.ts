/**
 * What a session shows: plain data that crosses to a window, the CLI or another client as it is. 64-bit values are
 * `0x…` strings here (hex64), bytes lower-case hex; everything is JSON.
 */

/** What one step is. */
export type Granularity = 'line' | 'bpf' | 'native' | 'cycle';
export type StepKind = 'into' | 'over' | 'out';

/** The words that choose a profile, as the command line takes them. */
export interface ProfileView {
  readonly kernel: string;
  readonly tcc: string;
  readonly isa: string;
  /** The kernel is built with kCFI; absent: it is not. */
  readonly cfi?: boolean;
  /** Past bugs that the JIT has on purpose, by name; absent: none. */
  readonly faults?: readonly string[];
}

/** What the program is given (BPF_PROG_TEST_RUN). Hex without prefix; absent = the program type has none. */
export interface InputsView {
  readonly data?: string;
  readonly ctx?: string;
  readonly repeat?: number;
}

export interface ProgramView {
  readonly name: string;
  readonly section: string;
  readonly type: string;
  /** Slots of main and its subprograms. */
  readonly instructions: number;
  readonly subprograms: readonly string[];
  /** Why it can't be run, one sentence. */
  readonly unsupported?: string;
  /** A sensible input to start with. */
  readonly inputs: InputsView;
}

export interface MapDefView {
  readonly name: string;
  /** Kernel name without BPF_MAP_TYPE_, lower case */
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
}

/** An opened object file. */
export interface ObjectView {
  readonly id: string;
  readonly name: string;
  readonly license: string;
  readonly programs: readonly ProgramView[];
  readonly maps: readonly MapDefView[];
  /** Where the file lies, when the host read it by its path; windows keep it among the recent files. */
  readonly path?: string;
}

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

/** One JITed function that the session knows. */
export interface FunctionView {
  readonly key: string;
  readonly program: string;
  readonly name: string;
  readonly kind: 'main' | 'subprog' | 'callback' | 'trampoline';
  readonly address: string;
  /** Bytes */
  readonly size: number;
}

export interface SourceRow {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** True when some instruction of the function comes from this line. */
  readonly code: boolean;
}

export interface BpfRow {
  /** Xlated slot, function-relative. */
  readonly slot: number;
  readonly text: string;
  /** Index into `source`, -1 when unknown. */
  readonly source: number;
  /** The verifier rewrite that made it: its name and a sentence. Absent when it is the program's own. */
  readonly rule?: string;
  /** Second slot of ld_imm64: shown, not steppable. */
  readonly continuation: boolean;
}

export interface NativeRow {
  readonly address: string;
  /** Bytes from the image's start. */
  readonly offset: number;
  readonly bytes: string;
  readonly text: string;
  /** Function-relative slot, -1 in prologue and epilogue. */
  readonly slot: number;
  /** Why it is there: the JIT rule's name and a sentence. */
  readonly why: string;
  readonly part: 'prologue' | 'body' | 'epilogue' | 'extable';
}

/** All that a function's three columns show. Constant as long as the session lives. */
export interface ListingView {
  readonly session: string;
  readonly function: FunctionView;
  readonly source: readonly SourceRow[];
  readonly bpf: readonly BpfRow[];
  readonly native: readonly NativeRow[];
}

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

export interface RegisterView {
  /** x0…x31; 32 = pc */
  readonly index: number;
  readonly abi: string;
  /** BPF register that it holds inside BPF code: `R0` … `R10`, `AX`. */
  readonly bpf?: string;
  readonly hex: string;
  /** Signed decimal */
  readonly decimal: string;
  readonly changed: boolean;
  readonly previous?: string;
  /** Marked in the window: `tcc` for a6 and s6 */
  readonly role?: 'tcc' | 'pc' | 'sp';
  /** What it holds or means just now, one sentence (a6: "33 tail calls left", "clobbered by a helper"). */
  readonly note?: string;
}

export interface RegistersView {
  readonly session: string;
  readonly stop: number;
  readonly registers: readonly RegisterView[];
}

/** One frame of the call stack, innermost first. */
export interface StackFrameView {
  readonly index: number;
  readonly kind: 'bpf' | 'helper' | 'trampoline' | 'kernel';
  readonly name: string;
  readonly location: LocationView;
  /** sp before the call that made the frame */
  readonly cfa?: string;
  /** E.g. "entered by a tail call from dispatch; that frame was replaced". */
  readonly note?: string;
}

export interface StackView {
  readonly session: string;
  readonly stop: number;
  readonly frames: readonly StackFrameView[];
}

export interface FrameRowView {
  readonly address: string;
  readonly name: string;
  readonly kind: string;
  /** Bytes */
  readonly size: number;
  readonly fpOffset: number;
  readonly spOffset: number;
  /** Little-endian value for slots of up to 8 bytes, hex bytes for larger ones; absent where it isn't stored yet. */
  readonly value?: string;
  readonly changed: boolean;
  readonly why: string;
}

/** The frame layout of one stack frame with live values, from high to low addresses. */
export interface FrameView {
  readonly session: string;
  readonly stop: number;
  readonly frame: number;
  readonly name: string;
  /** Bytes */
  readonly size: number;
  readonly rows: readonly FrameRowView[];
  /** E.g. "prologue: 2 of 5 registers saved so far" */
  readonly note?: string;
}

export type TailCallEvent = 'tail-call-attempted' | 'tail-call-taken' | 'tail-call-refused';
export type EventName = TailCallEvent | 'helper-call';

export type BreakpointSpec =
  | { readonly kind: 'native'; readonly address: string }
  /** Xlated slot, function-relative. */
  | { readonly kind: 'bpf'; readonly function: string; readonly slot: number }
  | { readonly kind: 'line'; readonly file: string; readonly line: number }
  /** `helper`: only calls of the helper with this name. */
  | { readonly kind: 'event'; readonly event: EventName; readonly helper?: string }
  | WatchSpec;

/** Watchpoints: they stop after the instruction, or the kernel function, that did it. */
export type WatchSpec =
  | {
      readonly kind: 'register';
      /** x1 … x31 */
      readonly register: number;
      readonly when: 'written' | 'changed' | 'equals';
      /** `0x…`, for `equals` */
      readonly value?: string;
    }
  | {
      readonly kind: 'memory';
      readonly address: string;
      /** Bytes; an access to any of them counts. */
      readonly length: number;
      readonly when: 'read' | 'written' | 'changed';
    };

export interface BreakpointView {
  readonly id: number;
  readonly spec: BreakpointSpec;
  readonly enabled: boolean;
  /** Native addresses it stands for; several for a line, none for events. */
  readonly addresses: readonly string[];
  readonly hits: number;
  /** How it reads in a list: "tailcall_dispatch.c:31", "dispatch slot 12", "tail call refused". */
  readonly label: string;
  /** Why it can't be hit, if so. */
  readonly problem?: string;
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

export interface MapEntryView {
  readonly key: string;
  readonly value: string;
  /** For prog arrays: the program's name. */
  readonly target?: string;
}

export interface MapView extends MapDefView {
  readonly address: string;
  readonly entries: readonly MapEntryView[];
  readonly more: boolean;
}

export interface MemoryView {
  readonly session: string;
  readonly stop: number;
  readonly address: string;
  /** Two hex digits a byte; `..` where nothing is mapped. */
  readonly bytes: readonly string[];
  readonly region?: string;
}

/** What is asked about: who wrote it last? */
export type WriteTarget =
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'memory'; readonly address: string; readonly length: number };

/** Who wrote a register or memory. */
export interface WriterView {
  /** `kernel`: a helper or what else the kernel does; `fixup`: its repair of a probing load that faulted. */
  readonly kind: 'instruction' | 'kernel' | 'fixup';
  /** The instruction or, for the kernel, the call that led to it. */
  readonly location: LocationView;
  /** Text of the native instruction. */
  readonly native?: string;
  /** Name of the kernel function. */
  readonly function?: string;
}

/** Who wrote a register or memory last, before where the session stands. */
export interface LastWriteView {
  readonly session: string;
  readonly stop: number;
  readonly target: WriteTarget;
  /** How the target reads: `a6`, `8 bytes at 0x…`. */
  readonly label: string;
  /** The answer as a sentence. */
  readonly text: string;
  /** The instant right before the write, to go to; the first instant when nothing has written it. */
  readonly time: number;
  /** Instructions executed at that instant. */
  readonly instructions: number;
  /** Absent: nothing since the program was entered. */
  readonly writer?: WriterView;
  /** Values, `0x…`; hex bytes of more than 8. */
  readonly before?: string;
  readonly after?: string;
}

/** Where run-to-cursor goes. */
export type RunTarget = Extract<BreakpointSpec, { kind: 'native' | 'bpf' | 'line' }>;

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

/** Why a cycle was lost: names of the machine's causes. */
export type StallCause =
  | 'load-use'
  | 'mul'
  | 'div'
  | 'atomic'
  | 'csr-or-jump'
  | 'late-result'
  | 'branch'
  | 'flush'
  | 'icache'
  | 'dcache';

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
