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
  access: ({ off, size, write }): ContextField | undefined =>
    !write && off >= 0 && off + size <= 14 * 8 && size === 8 && off % 8 === 0
      ? { type: 'btf' }
      : readOnlyWords({ off, size, write, signed: false, attachType: 0 }, 0, 14 * 8),
};

function readOnlyWords(access: ContextAccess, min: number, max: number): ContextField | undefined {
  const { off, size, write } = access;
  return !write && off >= min && off + size <= max && off % size === 0 ? { type: 'scalar' } : undefined;
}
