import type { KfuncName } from '../../bpf/kfuncs';
import { minus } from '../errno';
import { int, type Helper } from './call';

/** A kernel function that programs may call by BTF id, with the model of its arguments (struct btf_func_model). */
export interface Kfunc {
  /** Bytes of each argument. */
  readonly argSizes: readonly number[];
  readonly argSigned: readonly boolean[];
  readonly run: Helper;
}

/** Longest range of a numbers iterator (BPF_MAX_LOOPS). */
const MAX_LOOPS = 8 * 1024 * 1024;

const nothing = (...argSizes: number[]): Kfunc => ({
  argSizes,
  argSigned: argSizes.map(() => false),
  run: () => 0n,
});

/** kernel/bpf/bpf_iter.c and kernel/bpf/helpers.c */
export const KFUNCS: Readonly<Record<KfuncName, Kfunc>> = {
  /** struct bpf_iter_num holds the current number and the end, both int. */
  bpf_iter_num_new: {
    argSizes: [8, 4, 4],
    argSigned: [false, true, true],
    run: ({ env }, [iterator, start, end]) => {
      const [first, last] = [int(start), int(end)];
      env.memory.writeU64(iterator, 0n);
      if (first > last) return minus('EINVAL');
      if (last - first > MAX_LOOPS) return minus('E2BIG');
      env.memory.writeU32(iterator, (first - 1) >>> 0);
      env.memory.writeU32(iterator + 4n, last >>> 0);
      return 0n;
    },
  },
  bpf_iter_num_next: {
    argSizes: [8],
    argSigned: [false],
    run: ({ env }, [iterator]) => {
      const next = (env.memory.readU32(iterator) + 1) | 0;
      const end = env.memory.readU32(iterator + 4n) | 0;
      if (next >= end) {
        env.memory.writeU64(iterator, 0n);
        return 0n;
      }
      env.memory.writeU32(iterator, next >>> 0);
      return iterator;
    },
  },
  bpf_iter_num_destroy: {
    argSizes: [8],
    argSigned: [false],
    run: ({ env }, [iterator]) => {
      env.memory.writeU64(iterator, 0n);
      return 0n;
    },
  },
  bpf_preempt_disable: nothing(),
  bpf_preempt_enable: nothing(),
  bpf_rcu_read_lock: nothing(),
  bpf_rcu_read_unlock: nothing(),
};
