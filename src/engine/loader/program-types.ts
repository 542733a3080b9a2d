import type { BpfProgType } from './object';

/** Program types (enum bpf_prog_type) that section names lead to. */
const TYPES = {
  unspec: 0,
  socket_filter: 1,
  kprobe: 2,
  sched_cls: 3,
  sched_act: 4,
  tracepoint: 5,
  xdp: 6,
  perf_event: 7,
  cgroup_skb: 8,
  cgroup_sock: 9,
  lwt_in: 10,
  lwt_out: 11,
  lwt_xmit: 12,
  sock_ops: 13,
  sk_skb: 14,
  cgroup_device: 15,
  sk_msg: 16,
  raw_tracepoint: 17,
  cgroup_sock_addr: 18,
  lwt_seg6local: 19,
  lirc_mode2: 20,
  sk_reuseport: 21,
  flow_dissector: 22,
  cgroup_sysctl: 23,
  raw_tracepoint_writable: 24,
  cgroup_sockopt: 25,
  tracing: 26,
  struct_ops: 27,
  ext: 28,
  lsm: 29,
  sk_lookup: 30,
  syscall: 31,
  netfilter: 32,
} as const;

type TypeName = keyof typeof TYPES;

/** prog_flags: BPF_F_SLEEPABLE and BPF_F_XDP_HAS_FRAGS. */
const PROG_FLAG = { SLEEPABLE: 16, XDP_HAS_FRAGS: 32 } as const;

/** What a section name says about the programs in it. */
export interface SectionKind {
  readonly type: BpfProgType;
  /** enum bpf_attach_type */
  readonly attachType: number;
  readonly flags: number;
  /** What comes after the slash, where the kind of section has something there. */
  readonly attachTo?: string;
}

type Row = readonly [pattern: string, type: TypeName, attachType?: number, flags?: number];

const S = PROG_FLAG.SLEEPABLE;
const FRAGS = PROG_FLAG.XDP_HAS_FRAGS;

/**
 * Section names as libbpf 1.5 knows them (its section_defs): `name` matches exactly, `name+` also with `/something` behind.
 * The first match counts.
 */
const ROWS: readonly Row[] = [
  ['socket', 'socket_filter'],
  ['sk_reuseport/migrate', 'sk_reuseport', 40],
  ['sk_reuseport', 'sk_reuseport', 39],
  ['kprobe+', 'kprobe'],
  ['uprobe+', 'kprobe'],
  ['uprobe.s+', 'kprobe', 0, S],
  ['kretprobe+', 'kprobe'],
  ['uretprobe+', 'kprobe'],
  ['uretprobe.s+', 'kprobe', 0, S],
  ['kprobe.multi+', 'kprobe', 42],
  ['kretprobe.multi+', 'kprobe', 42],
  ['kprobe.session+', 'kprobe', 56],
  ['uprobe.multi+', 'kprobe', 48],
  ['uretprobe.multi+', 'kprobe', 48],
  ['uprobe.session+', 'kprobe', 57],
  ['uprobe.multi.s+', 'kprobe', 48, S],
  ['uretprobe.multi.s+', 'kprobe', 48, S],
  ['uprobe.session.s+', 'kprobe', 57, S],
  ['ksyscall+', 'kprobe'],
  ['kretsyscall+', 'kprobe'],
  ['usdt+', 'kprobe'],
  ['usdt.s+', 'kprobe', 0, S],
  ['tc/ingress', 'sched_cls', 46],
  ['tc/egress', 'sched_cls', 47],
  ['tcx/ingress', 'sched_cls', 46],
  ['tcx/egress', 'sched_cls', 47],
  ['tc', 'sched_cls'],
  ['classifier', 'sched_cls'],
  ['action', 'sched_act'],
  ['netkit/primary', 'sched_cls', 54],
  ['netkit/peer', 'sched_cls', 55],
  ['tracepoint+', 'tracepoint'],
  ['tp+', 'tracepoint'],
  ['raw_tracepoint+', 'raw_tracepoint'],
  ['raw_tp+', 'raw_tracepoint'],
  ['raw_tracepoint.w+', 'raw_tracepoint_writable'],
  ['raw_tp.w+', 'raw_tracepoint_writable'],
  ['tp_btf+', 'tracing', 23],
  ['fentry+', 'tracing', 24],
  ['fmod_ret+', 'tracing', 26],
  ['fexit+', 'tracing', 25],
  ['fentry.s+', 'tracing', 24, S],
  ['fmod_ret.s+', 'tracing', 26, S],
  ['fexit.s+', 'tracing', 25, S],
  ['freplace+', 'ext'],
  ['lsm+', 'lsm', 27],
  ['lsm.s+', 'lsm', 27, S],
  ['lsm_cgroup+', 'lsm', 43],
  ['iter+', 'tracing', 28],
  ['iter.s+', 'tracing', 28, S],
  ['syscall', 'syscall', 0, S],
  ['xdp.frags/devmap', 'xdp', 33, FRAGS],
  ['xdp/devmap', 'xdp', 33],
  ['xdp.frags/cpumap', 'xdp', 35, FRAGS],
  ['xdp/cpumap', 'xdp', 35],
  ['xdp.frags', 'xdp', 37, FRAGS],
  ['xdp', 'xdp', 37],
  ['perf_event', 'perf_event'],
  ['lwt_in', 'lwt_in'],
  ['lwt_out', 'lwt_out'],
  ['lwt_xmit', 'lwt_xmit'],
  ['lwt_seg6local', 'lwt_seg6local'],
  ['sockops', 'sock_ops', 3],
  ['sk_skb/stream_parser', 'sk_skb', 4],
  ['sk_skb/stream_verdict', 'sk_skb', 5],
  ['sk_skb/verdict', 'sk_skb', 38],
  ['sk_skb', 'sk_skb'],
  ['sk_msg', 'sk_msg', 7],
  ['lirc_mode2', 'lirc_mode2', 16],
  ['flow_dissector', 'flow_dissector', 17],
  ['cgroup_skb/ingress', 'cgroup_skb', 0],
  ['cgroup_skb/egress', 'cgroup_skb', 1],
  ['cgroup/skb', 'cgroup_skb'],
  ['cgroup/sock_create', 'cgroup_sock', 2],
  ['cgroup/sock_release', 'cgroup_sock', 34],
  ['cgroup/sock', 'cgroup_sock', 2],
  ['cgroup/post_bind4', 'cgroup_sock', 12],
  ['cgroup/post_bind6', 'cgroup_sock', 13],
  ['cgroup/bind4', 'cgroup_sock_addr', 8],
  ['cgroup/bind6', 'cgroup_sock_addr', 9],
  ['cgroup/connect4', 'cgroup_sock_addr', 10],
  ['cgroup/connect6', 'cgroup_sock_addr', 11],
  ['cgroup/connect_unix', 'cgroup_sock_addr', 49],
  ['cgroup/sendmsg4', 'cgroup_sock_addr', 14],
  ['cgroup/sendmsg6', 'cgroup_sock_addr', 15],
  ['cgroup/sendmsg_unix', 'cgroup_sock_addr', 50],
  ['cgroup/recvmsg4', 'cgroup_sock_addr', 19],
  ['cgroup/recvmsg6', 'cgroup_sock_addr', 20],
  ['cgroup/recvmsg_unix', 'cgroup_sock_addr', 51],
  ['cgroup/getpeername4', 'cgroup_sock_addr', 29],
  ['cgroup/getpeername6', 'cgroup_sock_addr', 30],
  ['cgroup/getpeername_unix', 'cgroup_sock_addr', 52],
  ['cgroup/getsockname4', 'cgroup_sock_addr', 31],
  ['cgroup/getsockname6', 'cgroup_sock_addr', 32],
  ['cgroup/getsockname_unix', 'cgroup_sock_addr', 53],
  ['cgroup/sysctl', 'cgroup_sysctl', 18],
  ['cgroup/getsockopt', 'cgroup_sockopt', 21],
  ['cgroup/setsockopt', 'cgroup_sockopt', 22],
  ['cgroup/dev', 'cgroup_device', 6],
  ['sk_lookup', 'sk_lookup', 36],
  ['netfilter', 'netfilter', 45],
  ['struct_ops+', 'struct_ops'],
  ['struct_ops.s+', 'struct_ops', 0, S],
];

/** The kernel's name and number of a program type. */
export function progType(name: TypeName): BpfProgType {
  return { id: TYPES[name], name };
}

/** The kernel's name for a program type number; undefined for numbers without one. */
export function progTypeName(id: number): string | undefined {
  return Object.entries(TYPES).find(([, number]) => number === id)?.[0];
}

/** What libbpf derives from a section name (without a leading `?`); undefined when the name means nothing to it. */
export function sectionKind(section: string): SectionKind | undefined {
  for (const [pattern, name, attachType = 0, flags = 0] of ROWS) {
    const open = pattern.endsWith('+');
    const word = open ? pattern.slice(0, -1) : pattern;
    if (section !== word && !(open && section.startsWith(`${word}/`))) continue;
    const slash = section.indexOf('/');
    const attachTo = slash < 0 ? undefined : section.slice(slash + 1);
    return { type: progType(name), attachType, flags, ...(attachTo === undefined ? {} : { attachTo }) };
  }
  return undefined;
}
