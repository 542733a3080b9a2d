import { EngineError } from '../../base/errors';
import { helperId } from '../../bpf/helpers';

/**
 * What a helper expects in one argument (enum bpf_arg_type). `mem`, `value` and `key` are memory that the helper reads,
 * with `write` memory that it fills; a `size` argument gives the length of the memory in the argument before it.
 */
export interface HelperArg {
  readonly kind:
    | 'any'
    | 'ctx'
    | 'map'
    | 'key'
    | 'value'
    | 'mem'
    /** length in bytes; `zero` says that 0 is allowed */
    | 'size'
    /** length of memory to allocate */
    | 'alloc'
    | 'func'
    /** memory on the stack that a callback receives */
    | 'callback-ctx'
    | 'lock'
    | 'timer'
    | 'sock'
    | 'btf'
    /** a constant string in a read-only map */
    | 'string'
    /** a ring buffer sample */
    | 'sample'
    | 'dynptr';
  readonly orNull: boolean;
  readonly write: boolean;
  readonly zero: boolean;
  /** Bytes of memory of fixed size. */
  readonly bytes: number;
}

export type HelperReturn =
  | 'int'
  | 'void'
  | 'value'
  | 'socket'
  | 'sock-common'
  | 'tcp-sock'
  | 'mem'
  | 'btf'
  /** a per-cpu variable's address */
  | 'mem-or-btf';

/** What a helper takes and gives (struct bpf_func_proto). */
export interface HelperProto {
  readonly args: readonly HelperArg[];
  readonly returns: HelperReturn;
  readonly returnsNull: boolean;
  /** Packet pointers are worthless after the call (bpf_helper_changes_pkt_data). */
  readonly changesPacket: boolean;
  /** The result must be released, or the argument is. */
  readonly acquires: boolean;
  readonly releases: boolean;
}

/**
 * Prototypes as the kernel's struct bpf_func_proto gives them, one a line: name, arguments, result. `?` may be null,
 * `!` is written by the helper, `0` (of size) may be zero, a number is a fixed size. Then words: `packet` changes the
 * packet, `acquire`, `release`. Arguments that the kernel does not look at (those of printf-like helpers) are left out.
 */
const PROTOS = `
map_lookup_elem map key : value?
map_update_elem map key value any : int
map_delete_elem map key : int
probe_read mem! size0 any : int
ktime_get_ns : int
trace_printk mem size : int
get_prandom_u32 : int
get_smp_processor_id : int
skb_store_bytes ctx any mem size any : int packet
l3_csum_replace ctx any any any any : int packet
l4_csum_replace ctx any any any any : int packet
tail_call ctx map any : void
clone_redirect ctx any any : int packet
get_current_pid_tgid : int
get_current_uid_gid : int
get_current_comm mem! size : int
get_cgroup_classid ctx : int
skb_vlan_push ctx any any : int packet
skb_vlan_pop ctx : int packet
skb_get_tunnel_key ctx mem! size any : int
skb_set_tunnel_key ctx mem size any : int
perf_event_read map any : int
redirect any any : int
get_route_realm ctx : int
perf_event_output ctx map any mem size0 : int
skb_load_bytes ctx any mem! size : int
get_stackid ctx map any : int
csum_diff mem? size0 mem? size0 any : int
skb_get_tunnel_opt ctx mem! size : int
skb_set_tunnel_opt ctx mem size : int
skb_change_proto ctx any any : int packet
skb_change_type ctx any : int
skb_under_cgroup ctx map any : int
get_hash_recalc ctx : int
get_current_task : int
probe_write_user any mem size : int
current_task_under_cgroup map any : int
skb_change_tail ctx any any : int packet
skb_pull_data ctx any : int packet
csum_update ctx any : int
set_hash_invalid ctx : int
get_numa_node_id : int
skb_change_head ctx any any : int packet
xdp_adjust_head ctx any : int packet
probe_read_str mem! size0 any : int
get_socket_cookie ctx : int
get_socket_uid ctx : int
set_hash ctx any : int
setsockopt ctx any any mem size : int
skb_adjust_room ctx any any any : int packet
redirect_map map any any : int
sk_redirect_map ctx map any any : int
sock_map_update ctx map key any : int
xdp_adjust_meta ctx any : int packet
perf_event_read_value map any mem! size : int
perf_prog_read_value ctx mem! size : int
getsockopt ctx any any mem! size : int
override_return ctx any : int
sock_ops_cb_flags_set ctx any : int
msg_redirect_map ctx map any any : int
msg_apply_bytes ctx any : int
msg_cork_bytes ctx any : int
msg_pull_data ctx any any any : int packet
bind ctx mem size : int
xdp_adjust_tail ctx any : int packet
skb_get_xfrm_state ctx any mem! size any : int
get_stack ctx mem! size0 any : int
skb_load_bytes_relative ctx any mem! size any : int
fib_lookup ctx mem size any : int
sock_hash_update ctx map key any : int
msg_redirect_hash ctx map key any : int
sk_redirect_hash ctx map key any : int
lwt_push_encap ctx any mem size : int packet
lwt_seg6_store_bytes ctx any mem size : int packet
lwt_seg6_adjust_srh ctx any any : int packet
lwt_seg6_action ctx any mem size : int packet
rc_repeat ctx : int
rc_keydown ctx any any any : int
skb_cgroup_id ctx : int
get_current_cgroup_id : int
get_local_storage map any : value
sk_select_reuseport ctx map key any : int
skb_ancestor_cgroup_id ctx any : int
sk_lookup_tcp ctx mem size any any : socket? acquire
sk_lookup_udp ctx mem size any any : socket? acquire
sk_release sock : int release
map_push_elem map value any : int
map_pop_elem map value! : int
map_peek_elem map value! : int
msg_push_data ctx any any any : int packet
msg_pop_data ctx any any any : int packet
rc_pointer_rel ctx any any : int
spin_lock lock : void
spin_unlock lock : void
sk_fullsock sock : socket?
tcp_sock sock : tcp-sock?
skb_ecn_set_ce ctx : int
get_listener_sock sock : socket?
skc_lookup_tcp ctx mem size any any : sock-common? acquire
tcp_check_syncookie sock mem size mem size : int
sysctl_get_name ctx mem! size any : int
sysctl_get_current_value ctx mem! size : int
sysctl_get_new_value ctx mem! size : int
sysctl_set_new_value ctx mem size : int
strtol mem size any mem8! : int
strtoul mem size any mem8! : int
sk_storage_get map sock value? any : value?
sk_storage_delete map sock : int
send_signal any : int
tcp_gen_syncookie sock mem size mem size : int
skb_output btf map any mem size0 : int
probe_read_user mem! size0 any : int
probe_read_kernel mem! size0 any : int
probe_read_user_str mem! size0 any : int
probe_read_kernel_str mem! size0 any : int
tcp_send_ack btf any : int
send_signal_thread any : int
jiffies64 : int
read_branch_records ctx mem?! size0 any : int
get_ns_current_pid_tgid any any mem! size : int
xdp_output btf map any mem size0 : int
get_netns_cookie ctx? : int
get_current_ancestor_cgroup_id any : int
sk_assign ctx sock? any : int
ktime_get_boot_ns : int
seq_printf btf mem size mem? size0 : int
seq_write btf mem size0 : int
sk_cgroup_id sock : int
sk_ancestor_cgroup_id sock any : int
ringbuf_output map mem size0 any : int
ringbuf_reserve map alloc any : mem? acquire
ringbuf_submit sample any : void release
ringbuf_discard sample any : void release
ringbuf_query map any : int
csum_level ctx any : int
skc_to_tcp6_sock sock : btf?
skc_to_tcp_sock sock : btf?
skc_to_tcp_timewait_sock sock : btf?
skc_to_tcp_request_sock sock : btf?
skc_to_udp6_sock sock : btf?
get_task_stack btf mem! size0 any : int
load_hdr_opt ctx mem! size any : int
store_hdr_opt ctx mem size any : int
reserve_hdr_opt ctx any any : int
inode_storage_get map btf value? any : value?
inode_storage_delete map btf : int
d_path btf mem! size0 : int
copy_from_user mem! size0 any : int
snprintf_btf mem! size mem size any : int
seq_printf_btf btf mem size0 any : int
skb_cgroup_classid ctx : int
redirect_neigh any mem? size0 any : int
per_cpu_ptr btf any : mem-or-btf?
this_cpu_ptr btf : mem-or-btf
redirect_peer any any : int
task_storage_get map btf value? any : value?
task_storage_delete map btf : int
get_current_task_btf : btf
bprm_opts_set btf any : int
ktime_get_coarse_ns : int
ima_inode_hash btf mem! size : int
sock_from_file btf : btf?
check_mtu ctx any mem4! any any : int
for_each_map_elem map func callback-ctx? any : int
snprintf mem?! size0 string mem? size0 : int
sys_bpf any mem? size : int
btf_find_by_name_kind mem size any any : int
sys_close any : int
timer_init timer map any : int
timer_set_callback timer func : int
timer_start timer any any : int
timer_cancel timer : int
get_func_ip ctx : int
get_attach_cookie ctx : int
task_pt_regs btf : btf
get_branch_snapshot mem! size0 : int
trace_vprintk mem size mem? size0 : int
skc_to_unix_sock sock : btf?
kallsyms_lookup_name mem size any mem8! : int
find_vma btf any func callback-ctx? any : int
loop any func callback-ctx? any : int
strncmp mem size string : int
get_func_arg ctx any mem8! : int
get_func_ret ctx mem8! : int
get_func_arg_cnt ctx : int
get_retval : int
set_retval any : int
xdp_get_buff_len ctx : int
xdp_load_bytes ctx any mem! size : int
xdp_store_bytes ctx any mem size : int
copy_from_user_task mem! size0 any btf any : int
skb_set_tstamp ctx any any : int
ima_file_hash btf mem! size : int
kptr_xchg any btf? : btf?
map_lookup_percpu_elem map key any : value?
skc_to_mptcp_sock sock : btf?
dynptr_from_mem mem size any dynptr! : int
ringbuf_reserve_dynptr map any any dynptr! : int
ringbuf_submit_dynptr dynptr any : void
ringbuf_discard_dynptr dynptr any : void
dynptr_read mem! size0 dynptr any any : int
dynptr_write dynptr any mem size0 any : int packet
dynptr_data dynptr any alloc : mem?
tcp_raw_gen_syncookie_ipv4 mem20 mem size0 : int
tcp_raw_gen_syncookie_ipv6 mem40 mem size0 : int
tcp_raw_check_syncookie_ipv4 mem20 mem20 : int
tcp_raw_check_syncookie_ipv6 mem40 mem20 : int
ktime_get_tai_ns : int
user_ringbuf_drain map func callback-ctx? any : int
cgrp_storage_get map btf value? any : value?
cgrp_storage_delete map btf : int
`;

function parseArg(text: string): HelperArg {
  const match = /^([a-z-]+?)(\d*)([?!]*)$/.exec(text);
  if (!match) throw new EngineError('xlate/table', `'${text}' is no helper argument.`);
  const [, kind = '', number = '', marks = ''] = match;
  return {
    kind: kind as HelperArg['kind'],
    orNull: marks.includes('?'),
    write: marks.includes('!'),
    zero: kind === 'size' && number === '0',
    bytes: kind === 'size' || number === '' ? 0 : Number(number),
  };
}

function parseProto(line: string): [number, HelperProto] {
  const [left = '', right = ''] = line.split(':').map((part) => part.trim());
  const [name = '', ...args] = left.split(' ');
  const [result = '', ...words] = right.split(' ');
  const id = helperId(`bpf_${name}`);
  if (id === undefined) throw new EngineError('xlate/table', `There is no helper bpf_${name}.`);
  return [
    id,
    {
      args: args.map(parseArg),
      returns: result.replace('?', '') as HelperReturn,
      returnsNull: result.endsWith('?'),
      changesPacket: words.includes('packet'),
      acquires: words.includes('acquire'),
      releases: words.includes('release'),
    },
  ];
}

const TABLE: ReadonlyMap<number, HelperProto> = new Map(PROTOS.trim().split('\n').map(parseProto));

/** The prototype of a helper (enum bpf_func_id); undefined for an id that stands for none. */
export const helperProto = (id: number): HelperProto | undefined => TABLE.get(id);

/** Helper ids that the walk and the rewrites name. */
export const HELPER = {
  MAP_LOOKUP: 1,
  MAP_UPDATE: 2,
  MAP_DELETE: 3,
  GET_PRANDOM_U32: 7,
  GET_SMP_PROCESSOR_ID: 8,
  TAIL_CALL: 12,
  REDIRECT_MAP: 51,
  PROBE_READ_STR: 45,
  GET_STACK: 67,
  SK_STORAGE_GET: 107,
  PROBE_READ_USER_STR: 114,
  PROBE_READ_KERNEL_STR: 115,
  JIFFIES64: 118,
  RINGBUF_RESERVE: 131,
  GET_TASK_STACK: 141,
  INODE_STORAGE_GET: 145,
  PER_CPU_PTR: 153,
  TASK_STORAGE_GET: 156,
  FOR_EACH_MAP_ELEM: 164,
  TIMER_INIT: 169,
  TIMER_SET_CALLBACK: 170,
  GET_FUNC_IP: 173,
  FIND_VMA: 180,
  LOOP: 181,
  GET_FUNC_ARG: 183,
  GET_FUNC_RET: 184,
  GET_FUNC_ARG_CNT: 185,
  KPTR_XCHG: 194,
  MAP_LOOKUP_PERCPU: 195,
  MAP_PUSH: 87,
  MAP_POP: 88,
  MAP_PEEK: 89,
  USER_RINGBUF_DRAIN: 209,
  CGRP_STORAGE_GET: 210,
} as const;

/** Whether a helper runs a function of the program: before it returns, or some time later. */
export function callbackKind(id: number): 'sync' | 'async' | undefined {
  switch (id) {
    case HELPER.FOR_EACH_MAP_ELEM:
    case HELPER.FIND_VMA:
    case HELPER.LOOP:
    case HELPER.USER_RINGBUF_DRAIN:
      return 'sync';
    case HELPER.TIMER_SET_CALLBACK:
      return 'async';
    default:
      return undefined;
  }
}
