import type { BpfInsn } from '../bpf/insn';
import type { Profile } from './profile';

/** One function of the input, in func_idx order (0 = main). */
export interface JitSubprog {
  readonly name: string;
  /** First slot. */
  readonly start: number;
  /** Bytes; aux->stack_depth */
  readonly stackDepth: number;
  readonly tailCallReachable: boolean;
}

/** A kfunc's argument model (btf_func_model), by the imm of its calls. */
export interface KfuncModel {
  readonly imm: number;
  /** Bytes of each argument. */
  readonly argSizes: readonly number[];
  readonly argSigned: readonly boolean[];
}

/** Everything the JIT is given: the code before jit_subprogs (spec 9), and the addresses it bakes in. */
export interface JitInput {
  readonly name: string;
  readonly insns: readonly BpfInsn[];
  readonly subprogs: readonly JitSubprog[];
  /** aux->verifier_zext of the program; with several functions the JIT sees 0 in each (spec 9.6). */
  readonly verifierZext: boolean;
  readonly callBase: bigint;
  readonly addresses: { readonly perCpuOffset: bigint; readonly timedMayGoto?: bigint };
  readonly arena?: { readonly kernVmStart: bigint; readonly userVmStart: bigint };
  readonly kfuncs?: readonly KfuncModel[];
  /** kCFI type words of main and subprogs, when the profile has cfi. */
  readonly cfiHash?: { readonly main: number; readonly subprog: number };
  /** BPF_PROG_TYPE_EXT: see spec 5.4.2. */
  readonly isExtension?: boolean;
  /**
   * Jumps into the middle of ld_imm64 are translated as the kernel's JIT does, which trusts the verifier and does not look:
   * they go wherever the never-written offset points. For comparing with recorded kernels; otherwise they are refused.
   */
  readonly acceptsStrayJumps?: boolean;
}

/** Where images go: bpf_prog_pack's role (spec 7.4). Called once per function when its size is known. */
export interface ImagePlacement {
  /** Address of the first byte of an image of `size` bytes followed by `extableSize` bytes; a multiple of 4. */
  place(functionIndex: number, size: number, extableSize: number): bigint;
}

export type SlotKind =
  'ra' | 'fp' | 'saved-register' | 'tcc' | 'arena' | 'padding' | 'bpf-stack' | 'trampoline';

/** One slot of a frame. */
export interface FrameSlot {
  readonly name: string;
  readonly kind: SlotKind;
  /** Bytes from sp after the prologue (>= 0). */
  readonly spOffset: number;
  /** Bytes from fp (< 0 for everything inside the frame). */
  readonly fpOffset: number;
  /** Bytes */
  readonly size: number;
  /** RV register number saved here. */
  readonly register?: number;
  /** Why it is there, one sentence. */
  readonly why: string;
}

/** The frame of a function or trampoline once its prologue is done. */
export interface FrameLayout {
  /** Bytes that sp is lowered by; for trampolines entered from a patched entry including the 16-byte pseudo frame. */
  readonly size: number;
  /** Bytes of BPF stack at the low end; R10 = sp + this. */
  readonly bpfStackSize: number;
  /** From high to low addresses, without holes: padding is a slot. */
  readonly slots: readonly FrameSlot[];
}

/**
 * How to find the caller from native offset `from` on until the next row (as a DWARF CFI row): the CFA is the caller's sp.
 * `saved` maps RV register numbers to the CFA-relative byte offset (negative) at which the caller's value lies; a register
 * not listed still holds the caller's value. `returnRegister` says which register returns when it is not saved (1 = ra, 5 = t0).
 */
export interface UnwindRow {
  /** Byte offset in the image */
  readonly from: number;
  /** CFA = register + offset: 2 = sp, 8 = fp */
  readonly cfa: { readonly register: 2 | 8; readonly offset: number };
  readonly saved: ReadonlyMap<number, number>;
  readonly returnRegister: 1 | 5;
}

/** One emitted stretch and the rule that made it, so that any native instruction can answer "why are you here?". */
export interface Piece {
  /** Byte offsets in the image, end exclusive. */
  readonly from: number;
  readonly to: number;
  /** Stable rule name: `prologue/save`, `tcc/init`, `tcc/save-around-call`, `alu/zero-extend`, `branch/relaxed-21`, `call/helper` … */
  readonly rule: string;
  /** Function-relative BPF slot, or -1 in prologue and epilogue. */
  readonly insn: number;
}

/** `dry-run` counts without prologue; `first-image` writes an image whose calls between functions are still open. */
export type PassKind = 'dry-run' | 'round' | 'first-image' | 'final';

/** The code of a function-relative slot became `size` bytes long. */
export interface SizeChange {
  readonly slot: number;
  readonly size: number;
}

/** What one pass came to, in bytes. */
export interface PassRecord {
  readonly kind: PassKind;
  readonly prologue: number;
  readonly epilogue: number;
  readonly total: number;
  /** Of every slot; of two slots translated together the first has all. Made anew each time it is asked for. */
  readonly sizes: Int32Array;
  /** The slots whose size differs from the pass before, in no order. */
  changes(): Iterable<SizeChange>;
}

/** Size of every BPF slot in each pass, to show convergence. */
export interface PassLog {
  /** In order; the dry run is the first, so that nothing has changed in it. */
  readonly passes: readonly PassRecord[];
  /** Index of the pass after which the image was allocated: the first that came out as long as the one before. */
  readonly allocatedAfter: number;
}

/** An entry of the exception table: a load or store that may fault, and where it goes on then. */
export interface ExtableEntry {
  /** Byte offset of the probing native instruction in the image. */
  readonly insnOffset: number;
  /** Byte offset at which execution resumes. */
  readonly resumeOffset: number;
  /** RV register cleared; 0 = none. */
  readonly register: number;
}

/** One compiled function. */
export interface JitFunction {
  readonly name: string;
  readonly index: number;
  /** Slots [start, end) of the input. */
  readonly start: number;
  readonly end: number;
  /** Address of the image's first byte (the kCFI word, if any). */
  readonly base: bigint;
  /** Entry address (prog->bpf_func). */
  readonly bpfFunc: bigint;
  /** Address a tail call jumps to. */
  readonly tailCallEntry: bigint;
  /** All bytes the kernel reports: jited_len (+4 with kCFI). */
  readonly image: Uint8Array;
  readonly jitedLen: number;
  /** Bytes the last pass produced. */
  readonly finalLen: number;
  /** Bytes from base. */
  readonly prologueLen: number;
  readonly epilogueOffset: number;
  /** Bytes */
  readonly stackSize: number;
  /** sp-relative byte offset of the TCC slot (stack-* schemes). */
  readonly tccSlot?: number;
  /** Byte offset from base of the end of each slot (function-relative index), raw as ctx->offset (spec 7.2). */
  readonly offsets: Uint32Array;
  /** As {@link offsets} with every entry right: both slots of a ld_imm64 and a load with its swallowed zext end together. */
  readonly ends: Uint32Array;
  readonly extable: readonly ExtableEntry[];
  /** Bytes from base to the exception table. */
  readonly extableOffset: number;
  /** The raw table: 12 bytes an entry. */
  readonly extableBytes: Uint8Array;
  readonly frame: FrameLayout;
  readonly unwind: readonly UnwindRow[];
  readonly pieces: readonly Piece[];
  readonly passes: PassLog;
}

/** A compiled program: its functions, main first. */
export interface JitProgram {
  readonly profile: Profile;
  readonly functions: readonly JitFunction[];
}
