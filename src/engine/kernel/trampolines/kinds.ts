import { CALL, type BpfInsn } from '../../bpf/insn';
import type { BpfProgram } from '../../loader/object';

/** Kinds of programs that trampolines run. */
export const ATTACH_KINDS = ['fentry', 'fexit', 'fmod_ret', 'fsession', 'lsm', 'struct_ops'] as const;
export type AttachKind = (typeof ATTACH_KINDS)[number];

export const isAttachKind = (word: string): word is AttachKind =>
  (ATTACH_KINDS as readonly string[]).includes(word);

/** BPF_F_SLEEPABLE in prog_flags. */
const SLEEPABLE = 16;
/** Id of bpf_get_func_ip. */
const GET_FUNC_IP = 173;

/** enum bpf_attach_type of programs of type tracing and lsm. */
const KIND_OF_ATTACH_TYPE: Readonly<Record<string, AttachKind>> = {
  'tracing 24': 'fentry',
  'tracing 25': 'fexit',
  'tracing 26': 'fmod_ret',
  'tracing 58': 'fsession',
  'lsm 27': 'lsm',
};

/** What kind of program a trampoline would run this one as; undefined for programs that no trampoline runs. */
export function attachKind({ type, attachType }: BpfProgram): AttachKind | undefined {
  return type.name === 'struct_ops' ? 'struct_ops' : KIND_OF_ATTACH_TYPE[`${type.name} ${attachType}`];
}

/** What of a program's code and flags the trampoline depends on. */
export interface ProgramTraits {
  readonly sleepable: boolean;
  /** Calls bpf_get_func_ip: the frame keeps the function's address. */
  readonly ip: boolean;
  /** Calls bpf_session_cookie: the frame keeps a cookie between the two runs of a session. */
  readonly sessionCookie: boolean;
}

export function programTraits({ flags, insns, relocations }: BpfProgram): ProgramTraits {
  return {
    sleepable: (flags & SLEEPABLE) !== 0,
    ip: insns.some((insn) => isHelperCall(insn, GET_FUNC_IP)),
    sessionCookie: relocations.some(
      (relocation) => relocation.kind === 'kfunc' && relocation.name === 'bpf_session_cookie',
    ),
  };
}

const isHelperCall = ({ code, src, imm }: BpfInsn, id: number): boolean =>
  code === CALL && src === 0 && imm === id;

/**
 * What follows `__bpf_prog_enter` and `__bpf_prog_exit` in the names of the functions called around a program
 * (bpf_trampoline_enter, bpf_trampoline_exit): tracing programs are kept from running inside themselves, LSM and struct_ops
 * programs are not.
 */
export function enterSuffix(kind: AttachKind, sleepable: boolean): string {
  const protectedFromRecursion = kind !== 'lsm' && kind !== 'struct_ops';
  return `${sleepable ? '_sleepable' : ''}${protectedFromRecursion ? '_recur' : ''}`;
}
