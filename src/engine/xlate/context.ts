import type { BpfInsn } from '../bpf/insn';
import type { XlateFacts } from '../profile/xlate-facts';
import type { XlatePort } from './types';
import type { RegType } from './verify/reg';

/** Program types that the rewrites know by name (enum bpf_prog_type). */
export const PROG = {
  SOCKET_FILTER: 1,
  KPROBE: 2,
  SCHED_CLS: 3,
  SCHED_ACT: 4,
  TRACEPOINT: 5,
  XDP: 6,
  PERF_EVENT: 7,
  CGROUP_SKB: 8,
  CGROUP_SOCK: 9,
  LWT_IN: 10,
  LWT_OUT: 11,
  LWT_XMIT: 12,
  SOCK_OPS: 13,
  CGROUP_DEVICE: 15,
  RAW_TRACEPOINT: 17,
  CGROUP_SOCK_ADDR: 18,
  LWT_SEG6LOCAL: 19,
  CGROUP_SYSCTL: 23,
  RAW_TRACEPOINT_WRITABLE: 24,
  CGROUP_SOCKOPT: 25,
  TRACING: 26,
  STRUCT_OPS: 27,
  EXT: 28,
  LSM: 29,
  SK_LOOKUP: 30,
  SYSCALL: 31,
  NETFILTER: 32,
} as const;

/** One access to a context as the program writes it. */
export interface ContextAccess {
  /** Bytes from the start of the user-visible context. */
  readonly off: number;
  /** Bytes */
  readonly size: number;
  readonly write: boolean;
  /** A sign-extending load. */
  readonly signed: boolean;
  readonly attachType: number;
}

/** What a load of a context field gives, or that a store to it is allowed. */
export interface ContextField {
  readonly type: Extract<
    RegType,
    | 'scalar'
    | 'packet'
    | 'packet-meta'
    | 'packet-end'
    | 'sock-common'
    | 'socket'
    | 'btf'
    | 'trusted-btf'
    | 'flow-keys'
  >;
  readonly orNull?: boolean;
  /** Bytes of the whole field when narrower loads of it are allowed; they become a full load, shift and mask. */
  readonly fieldSize?: number;
}

/** What a rewrite of a context access needs. */
export interface ConversionInput {
  readonly insn: BpfInsn;
  readonly write: boolean;
  readonly port: XlatePort;
  readonly facts: XlateFacts;
  /** The program reads __sk_buff.tstamp_type and so knows of both meanings of tstamp. */
  readonly knowsTimestampType: boolean;
  readonly progType: number;
  /** @throws EngineError when the layout lacks the field */
  field(name: string): number;
}

/** The kernel's own instructions for an access, and the bytes of the kernel field when narrower loads may follow. */
export interface Conversion {
  readonly insns: readonly BpfInsn[];
  readonly targetSize: number;
}

/** How one kind of context (or socket) may be used and what its accesses become. */
export interface ContextRules {
  /** For messages: `struct __sk_buff`. */
  readonly what: string;
  /** undefined refuses the access (is_valid_access). */
  readonly access: (access: ContextAccess) => ContextField | undefined;
  /** Absent when the kernel object is what the program sees: nothing is rewritten (convert_ctx_access). */
  readonly convert?: (input: ConversionInput) => Conversion | undefined;
}
