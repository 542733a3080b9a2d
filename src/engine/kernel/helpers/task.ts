import { CURRENT } from '../task';
import { minus } from '../errno';
import { uint, type HelperTable } from './call';

/** Length of task_struct.comm with its NUL (TASK_COMM_LEN). */
const TASK_COMM_LEN = 16;

/** Who and where: the current task and CPU, and random numbers (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c). */
export const TASK_HELPERS: HelperTable = {
  bpf_get_smp_processor_id: () => BigInt(CURRENT.cpu),
  bpf_get_numa_node_id: () => 0n,
  bpf_get_current_pid_tgid: () => (BigInt(CURRENT.tgid) << 32n) | BigInt(CURRENT.pid),
  bpf_get_current_uid_gid: () => (BigInt(CURRENT.gid) << 32n) | BigInt(CURRENT.uid),
  bpf_get_current_task: ({ task }) => task.address,
  bpf_get_current_task_btf: ({ task }) => task.address,
  bpf_get_current_comm: ({ env }, [buffer, size]) => {
    if (uint(size) === 0) return minus('EINVAL');
    const bytes = new Uint8Array(uint(size));
    bytes.set(new TextEncoder().encode(CURRENT.comm).subarray(0, Math.min(uint(size), TASK_COMM_LEN) - 1));
    env.memory.write(buffer, bytes);
    return 0n;
  },
  /** bpf_get_prandom_u32 */
  bpf_user_rnd_u32: ({ env }) => BigInt(env.random.next32()),
};
