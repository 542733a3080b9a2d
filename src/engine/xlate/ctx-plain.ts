import type { ContextAccess, ContextField, ContextRules } from './context';

/** BPF_PROG_TYPE_SYSCALL: the context is memory of the caller, at most 64 KiB, read and written as it is. */
export const SYSCALL_CONTEXT: ContextRules = {
  what: 'the memory that the context points to',
  access: ({ off, size }) => (off >= 0 && off < 0xffff && off % size === 0 ? { type: 'scalar' } : undefined),
};

/** Bytes of struct pt_regs on riscv64: 36 words. */
const PT_REGS_BYTES = 36 * 8;

/** kprobes and perf events: the saved registers of the interrupted code. */
export const PT_REGS_CONTEXT: ContextRules = {
  what: 'struct pt_regs',
  access: (access) => readOnlyWords(access, 0, PT_REGS_BYTES),
};

/** Tracepoints: the record that the tracepoint wrote, behind 8 bytes that stay hidden. */
export const TRACEPOINT_CONTEXT: ContextRules = {
  what: 'the tracepoint record',
  access: (access) => readOnlyWords(access, 8, 8192),
};

/** Raw tracepoints: up to 12 arguments of 8 bytes. */
export const RAW_TRACEPOINT_CONTEXT: ContextRules = {
  what: 'the tracepoint arguments',
  access: (access) => readOnlyWords(access, 0, 12 * 8),
};

/**
 * fentry, fexit, fmod_ret, LSM, raw tracepoints with BTF: arguments of 8 bytes each. Whether one is a number or a kernel
 * pointer is known only from the kernel's BTF; each is taken for something that may be followed with fault handling.
 */
export const TRACING_CONTEXT: ContextRules = {
  what: 'the arguments of the traced function',
  access: (access): ContextField | undefined => {
    const field = readOnlyWords(access, 0, MAX_ARGUMENTS * 8);
    if (!field || access.size !== 8) return field;
    return { type: access.attachType === TRACE_RAW_TP ? 'trusted-btf' : 'btf' };
  },
};

/** Arguments that a traced function may have, with its return value and some room. */
const MAX_ARGUMENTS = 14;
/** BPF_TRACE_RAW_TP: the kernel vouches for what a tracepoint passes. */
const TRACE_RAW_TP = 23;

function readOnlyWords(access: ContextAccess, min: number, max: number): ContextField | undefined {
  const { off, size, write } = access;
  return !write && off >= min && off + size <= max && off % size === 0 ? { type: 'scalar' } : undefined;
}
