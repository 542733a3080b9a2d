import type { MapDefView } from './object';
import type { LocationView } from './session';

// What is live at a stop: registers, call stack, frame, memory, maps.

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
