import { EngineError } from '../../base/errors';
import { schemeOf } from '../../jit/tcc/index';
import {
  TRAMP_FLAG,
  type ModelValue,
  type TrampolineModel,
  type TrampolineProgram,
} from '../../jit/trampoline/model';
import { JIT_FACTS } from '../../profile/jit-facts';
import type { Profile } from '../../jit/profile';
import type { TrampolineAddresses } from './addresses';
import { enterSuffix, type AttachKind } from './kinds';

/** Most programs of one trampoline; a session counts twice (BPF_MAX_TRAMP_LINKS). */
export const MOST_PROGRAMS = 38;

/** What is traced. `bpf-tail-calls`: a BPF program from which tail calls can be reached (aux->tail_call_reachable). */
export const TARGET_KINDS = ['kernel', 'bpf', 'bpf-tail-calls'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** A function, or a member of a struct_ops struct, that programs are attached to. */
export interface TraceTarget {
  readonly name: string;
  readonly kind: TargetKind;
  readonly args: readonly ModelValue[];
  readonly result: ModelValue;
}

/** A program and how it is attached. */
export interface Attachment {
  readonly kind: AttachKind;
  readonly sleepable: boolean;
  /** It calls bpf_get_func_ip. */
  readonly ip: boolean;
  /** bpf_get_attach_cookie gives it this. */
  readonly cookie: bigint;
  /** A session that keeps a cookie between its two runs. */
  readonly sessionCookie: boolean;
  /** It is not JITed: the interpreter is called with its instructions. */
  readonly interpreted: boolean;
}

/** The lists that a program stands in (bpf_attach_type_to_tramp). */
type List = 'fentry' | 'fexit' | 'fmodRet';

/**
 * What arch_prepare_bpf_trampoline is given for these programs (bpf_trampoline_update and bpf_trampoline_get_progs, for
 * struct_ops bpf_struct_ops_prepare_trampoline): flags, lists, and the functions called around each program.
 * @param attachments in the order in which they were attached
 * @throws EngineError `kernel/trampoline` for what the kernel refuses
 */
export function prepareTrampoline(
  profile: Profile,
  target: TraceTarget,
  attachments: readonly Attachment[],
  addresses: TrampolineAddresses,
): TrampolineModel {
  const facts = JIT_FACTS[profile.kernel].trampoline;
  const structOps = attachments.some(({ kind }) => kind === 'struct_ops');
  check(profile, target, attachments);
  const lists: Record<List, TrampolineProgram[]> = { fentry: [], fexit: [], fmodRet: [] };
  attachments.forEach((attachment, i) => {
    const program = programOf(attachment, i + 1, addresses);
    // The most recently attached runs first.
    for (const list of listsOf(attachment.kind, target)) lists[list].unshift(program);
  });
  const callsOriginal = lists.fexit.length + lists.fmodRet.length > 0;
  const flags = structOps
    ? (facts.structOpsFlag ? TRAMP_FLAG.INDIRECT : 0) |
      (target.result.size > 0 ? TRAMP_FLAG.RET_FENTRY_RET : 0)
    : (callsOriginal ? TRAMP_FLAG.CALL_ORIG | TRAMP_FLAG.SKIP_FRAME : TRAMP_FLAG.RESTORE_REGS) |
      (attachments.some(({ ip }) => ip) ? TRAMP_FLAG.IP_ARG : 0) |
      (keepsCounter(profile, target) ? TRAMP_FLAG.TAIL_CALL_CTX : 0);
  return {
    name: target.name,
    flags,
    args: target.args,
    result: target.result,
    structOps,
    funcAddress: addresses.function(target.kind !== 'kernel'),
    imageAddress: addresses.image,
    imAddress: structOps ? 0n : addresses.im,
    ...lists,
    trampEnter: addresses.symbol('__bpf_tramp_enter'),
    trampExit: addresses.symbol('__bpf_tramp_exit'),
    ...(structOps && profile.cfi && { typeWord: addresses.typeWord }),
  };
}

/** Whether the kernel marks the trampoline as one that tail calls run through. */
function keepsCounter(profile: Profile, { kind }: TraceTarget): boolean {
  return (
    kind === 'bpf-tail-calls' || (kind === 'bpf' && schemeOf(profile).trampoline.onEveryBpfTarget === true)
  );
}

function listsOf(kind: AttachKind, target: TraceTarget): readonly List[] {
  switch (kind) {
    case 'fentry':
    case 'struct_ops':
      return ['fentry'];
    case 'fexit':
      return ['fexit'];
    case 'fmod_ret':
      return ['fmodRet'];
    case 'fsession':
      return ['fentry', 'fexit'];
    case 'lsm':
      // Nothing can be modified where nothing is returned.
      return [target.result.size === 0 ? 'fexit' : 'fmodRet'];
  }
}

function programOf(
  { kind, sleepable, cookie, sessionCookie, interpreted }: Attachment,
  number: number,
  addresses: TrampolineAddresses,
): TrampolineProgram {
  const suffix = enterSuffix(kind, sleepable);
  return {
    prog: addresses.prog(number),
    bpfFunc: addresses.bpfFunc(number),
    jited: !interpreted,
    ...(interpreted && { insnsi: addresses.insnsi(number) }),
    cookie,
    enter: addresses.symbol(`__bpf_prog_enter${suffix}`),
    exit: addresses.symbol(`__bpf_prog_exit${suffix}`),
    session: kind === 'fsession',
    sessionCookie,
  };
}

function check(profile: Profile, target: TraceTarget, attachments: readonly Attachment[]): void {
  const { name } = target;
  const refuse = (why: string): never => {
    throw new EngineError('kernel/trampoline', why, { function: name });
  };
  if (attachments.length === 0) refuse(`Nothing is attached to ${name}; attach at least one program.`);
  const count = attachments.reduce((sum, { kind }) => sum + (kind === 'fsession' ? 2 : 1), 0);
  if (count > MOST_PROGRAMS) {
    refuse(
      `${count} programs cannot be attached to ${name}: a trampoline runs at most ${MOST_PROGRAMS}, and a session counts twice.`,
    );
  }
  for (const attachment of attachments) checkAttachment(profile, target, attachment, refuse);
  if (attachments.length > 1 && attachments.some(({ kind }) => kind === 'struct_ops')) {
    refuse(`A struct_ops trampoline runs one program alone; attach nothing else to ${name}.`);
  }
}

function checkAttachment(
  profile: Profile,
  { name, kind: traced }: TraceTarget,
  { kind, ip, cookie, sessionCookie }: Attachment,
  refuse: (why: string) => never,
): void {
  if (kind === 'fsession' && !JIT_FACTS[profile.kernel].trampoline.sessions) {
    refuse(
      `Kernel ${profile.kernel} has no fsession programs; choose kernel 7.2 or 7.3, or attach fentry and fexit.`,
    );
  }
  if (sessionCookie && kind !== 'fsession') {
    refuse(`Only fsession programs have a session cookie; the program on ${name} is ${kind}.`);
  }
  if (traced !== 'kernel' && (kind === 'fmod_ret' || kind === 'lsm' || kind === 'struct_ops')) {
    refuse(
      `${name} is a BPF program, whose result ${kind} programs cannot change; attach fentry or fexit, or trace a kernel function.`,
    );
  }
  if (ip && (kind === 'lsm' || kind === 'struct_ops')) {
    refuse(
      `bpf_get_func_ip is for fentry, fexit, fmod_ret and fsession programs; the one on ${name} is ${kind}.`,
    );
  }
  if (cookie !== 0n && kind === 'struct_ops') {
    refuse(`struct_ops programs have no attach cookie; leave it out for ${name}.`);
  }
}
