import type { LocationView } from './session';

// What can be stopped at, run to and asked about.

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
