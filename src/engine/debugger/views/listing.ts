// The three columns of a function: source, BPF and native code.

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
