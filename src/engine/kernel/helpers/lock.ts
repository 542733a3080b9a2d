import type { HelperTable } from './call';

/** bpf_spin_lock: one word, 1 while held. With one CPU and interrupts off, a lock is always free when it is asked for. */
export const LOCK_HELPERS: HelperTable = {
  bpf_spin_lock: ({ env }, [lock]) => {
    env.memory.writeU32(lock, 1);
    return 0n;
  },
  bpf_spin_unlock: ({ env }, [lock]) => {
    env.memory.writeU32(lock, 0);
    return 0n;
  },
};
