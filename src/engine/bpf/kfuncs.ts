/**
 * The kernel functions (kfuncs) that programs may call here, by name. What the verifier knows of each (xlate) and what each does
 * (kernel) are tables over these names.
 */
const KFUNC_NAMES = [
  'bpf_iter_num_new',
  'bpf_iter_num_next',
  'bpf_iter_num_destroy',
  'bpf_preempt_disable',
  'bpf_preempt_enable',
  'bpf_rcu_read_lock',
  'bpf_rcu_read_unlock',
] as const;

export type KfuncName = (typeof KFUNC_NAMES)[number];

/** Whether Hartbeat knows a kfunc of this name. */
export const isKfuncName = (name: string): name is KfuncName =>
  (KFUNC_NAMES as readonly string[]).includes(name);
