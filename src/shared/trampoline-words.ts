import type { TrampolineKind, TrampolineTarget } from './views';

/** Kinds of programs that trampolines run. */
export const TRAMPOLINE_KINDS = [
  'fentry',
  'fexit',
  'fmod_ret',
  'fsession',
  'lsm',
  'struct_ops',
] as const satisfies readonly TrampolineKind[];

/** What can be traced. */
export const TRAMPOLINE_TARGETS = [
  'kernel',
  'bpf',
  'bpf-tail-calls',
] as const satisfies readonly TrampolineTarget[];
