/** BPF_TRAMP_F_* (spec 8.1). */
export const TRAMP_FLAG = {
  RESTORE_REGS: 1,
  CALL_ORIG: 2,
  SKIP_FRAME: 4,
  IP_ARG: 8,
  RET_FENTRY_RET: 16,
  ORIG_STACK: 32,
  SHARE_IPMODIFY: 64,
  TAIL_CALL_CTX: 128,
  INDIRECT: 256,
} as const;

/** One argument of the traced function, or its result (btf_func_model). */
export interface ModelValue {
  /** Bytes; 0 for a void result. */
  readonly size: number;
  readonly signed: boolean;
  /** Passed by value as a struct. */
  readonly isStruct?: boolean;
}

/** A program that a trampoline runs (struct bpf_tramp_link and its bpf_prog). */
export interface TrampolineProgram {
  /** Address of the struct bpf_prog. */
  readonly prog: bigint;
  /** prog->bpf_func: what is called. */
  readonly bpfFunc: bigint;
  /** Of a program that is not JITed, the interpreter is called with its instructions. */
  readonly jited: boolean;
  readonly insnsi?: bigint;
  readonly cookie: bigint;
  /** bpf_trampoline_enter(prog) and bpf_trampoline_exit(prog): the variants for recursion, sleepable, cgroup LSM. */
  readonly enter: bigint;
  readonly exit: bigint;
  /** An fsession program: it stands in both lists. */
  readonly session?: boolean;
  /** … that uses a session cookie. */
  readonly sessionCookie?: boolean;
}

/** Everything arch_prepare_bpf_trampoline is given, and the addresses it bakes in. */
export interface TrampolineModel {
  /** For messages. */
  readonly name: string;
  /** {@link TRAMP_FLAG} bits */
  readonly flags: number;
  readonly args: readonly ModelValue[];
  readonly result: ModelValue;
  /** Entered by a call of the kernel, not from a patched function entry. */
  readonly structOps: boolean;
  /** The traced function, or the struct_ops stub. */
  readonly funcAddress: bigint;
  /** Where the trampoline's first byte goes. */
  readonly imageAddress: bigint;
  /** The struct bpf_tramp_image, or 0 where there is none. */
  readonly imAddress: bigint;
  /** Most recently attached first. */
  readonly fentry: readonly TrampolineProgram[];
  readonly fexit: readonly TrampolineProgram[];
  readonly fmodRet: readonly TrampolineProgram[];
  /** __bpf_tramp_enter and __bpf_tramp_exit */
  readonly trampEnter: bigint;
  readonly trampExit: bigint;
  /** kCFI type word of the struct_ops stub, when the profile has cfi. */
  readonly typeWord?: number;
}
