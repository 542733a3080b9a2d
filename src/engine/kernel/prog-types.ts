import type { BpfProgType } from '../loader/object';

/** enum bpf_prog_type by name without BPF_PROG_TYPE_, in the kernel's order from 0 on. */
const NAMES = `
  unspec socket_filter kprobe sched_cls sched_act tracepoint xdp perf_event cgroup_skb cgroup_sock lwt_in lwt_out lwt_xmit
  sock_ops sk_skb cgroup_device sk_msg raw_tracepoint cgroup_sock_addr lwt_seg6local lirc_mode2 sk_reuseport flow_dissector
  cgroup_sysctl raw_tracepoint_writable cgroup_sockopt tracing struct_ops ext lsm sk_lookup syscall netfilter
`
  .trim()
  .split(/\s+/);

/** The program type with the kernel's number. */
export function progType(id: number): BpfProgType {
  return { id, name: NAMES[id] ?? String(id) };
}
