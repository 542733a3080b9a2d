import type { AttachKind } from '../../kernel/trampolines/kinds';
import type { TargetKind } from '../../kernel/trampolines/prepare';
import type { ProfileView } from './object';

// A trampoline as the kernel would make it: what it is made from, its code and its frame.

export type TrampolineKind = AttachKind;
export type TrampolineTarget = TargetKind;

/** A program that is attached. What is absent is off. */
export interface TrampolineProgramSpec {
  readonly kind: TrampolineKind;
  /** For titles and for the names of call targets. */
  readonly name?: string;
  readonly sleepable?: boolean;
  /** It calls bpf_get_func_ip. */
  readonly ip?: boolean;
  /** Attach cookie, `0x…` */
  readonly cookie?: string;
  /** A session that keeps a cookie between its two runs. */
  readonly sessionCookie?: boolean;
  /** It is not JITed. */
  readonly interpreted?: boolean;
}

/** What a trampoline is made from. */
export interface TrampolineSpec {
  /** The traced function, or the member of a struct_ops struct. */
  readonly function: string;
  readonly target: TrampolineTarget;
  /** Words separated by commas: `s32, ptr, struct:16`; empty for none. */
  readonly args: string;
  /** One word, or `void`. */
  readonly result: string;
  /** In the order of attachment. */
  readonly programs: readonly TrampolineProgramSpec[];
}

/** What an object tells of the trampolines that its programs want. */
export interface TrampolineSuggestion {
  readonly spec: TrampolineSpec;
  /** As C declares it, where BTF describes it. */
  readonly prototype?: string;
  /** Why arguments and result are a guess, a sentence with what to do; absent: BTF describes them. */
  readonly problem?: string;
}

/** A program in the trampoline, with what the code has of it. */
export interface TrampolineProgramView extends TrampolineProgramSpec {
  readonly name: string;
  /** Address of the struct bpf_prog. */
  readonly prog: string;
  readonly bpfFunc: string;
  /** Functions that are called before and after it. */
  readonly enter: string;
  readonly exit: string;
}

/** What an instruction does with a slot of the frame. */
export type TrampolineAccess = 'stores' | 'loads' | 'points to';

export interface TrampolineRowView {
  readonly address: string;
  /** Bytes from the image's start. */
  readonly offset: number;
  readonly bytes: string;
  readonly text: string;
  /** Name of the JIT rule that made it; `rules` has its sentence. */
  readonly rule: string;
  /** The slot of the frame that it works on: index into `slots`. */
  readonly slot?: number;
  readonly access?: TrampolineAccess;
}

export interface TrampolineSlotView {
  readonly name: string;
  readonly kind: string;
  /** Bytes from sp and fp once the frame is made. */
  readonly spOffset: number;
  readonly fpOffset: number;
  /** Bytes */
  readonly size: number;
  /** ABI name of the register that is saved here. */
  readonly register?: string;
  readonly why: string;
}

export interface TrampolineView {
  readonly profile: ProfileView;
  readonly spec: TrampolineSpec;
  /** Address of the traced function. */
  readonly functionAddress: string;
  /** How the trampoline is entered and left, a sentence. */
  readonly entry: string;
  /** BPF_TRAMP_F_… without the prefix. */
  readonly flags: readonly string[];
  readonly address: string;
  /** Bytes of the code. */
  readonly size: number;
  /** Bytes of the buffer that the sizing pass asked for. */
  readonly allocSize: number;
  readonly programs: readonly TrampolineProgramView[];
  readonly native: readonly TrampolineRowView[];
  /** Meaning of every rule in `native`, in the order in which they occur. */
  readonly rules: Readonly<Record<string, string>>;
  /** Bytes of the frame; what the traced function's own would have taken is counted. */
  readonly frameSize: number;
  /** From high to low addresses. */
  readonly slots: readonly TrampolineSlotView[];
}
