import { isKfuncName, type KfuncName } from '../../bpf/kfuncs';

/** What a kernel function takes in one argument: a number of 4 bytes, an iterator on the stack that it makes, or one that was made. */
export type KfuncArg = 'int' | 'new-iterator' | 'iterator';

/** A kernel function as far as the walk follows calls of it. */
export interface KfuncProto {
  readonly args: readonly KfuncArg[];
  /** A 32-bit number, nothing, or the next element (4 bytes, read only) or NULL. */
  readonly returns: 'int' | 'void' | 'element';
  /** Ends the iterator. */
  readonly destroys?: boolean;
}

const PROTOS: Readonly<Record<KfuncName, KfuncProto>> = {
  bpf_iter_num_new: { args: ['new-iterator', 'int', 'int'], returns: 'int' },
  bpf_iter_num_next: { args: ['iterator'], returns: 'element' },
  bpf_iter_num_destroy: { args: ['iterator'], returns: 'void', destroys: true },
  bpf_preempt_disable: { args: [], returns: 'void' },
  bpf_preempt_enable: { args: [], returns: 'void' },
  bpf_rcu_read_lock: { args: [], returns: 'void' },
  bpf_rcu_read_unlock: { args: [], returns: 'void' },
};

/** The prototype of a kernel function by name; undefined for those that are not supported. */
export const kfuncProto = (name: string): KfuncProto | undefined =>
  isKfuncName(name) ? PROTOS[name] : undefined;
