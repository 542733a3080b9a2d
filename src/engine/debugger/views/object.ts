// What an opened file holds, and what a run of one of its programs is given.

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
  /** It is run by a trampoline (fentry, fexit, fmod_ret, lsm, struct_ops). */
  readonly trampoline?: true;
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
