/**
 * Every kernel struct member that the context rewrites ask for through `XlatePort.field` (spec 9.7). The kernel room
 * provides all of them with the offsets of its layout; a test of that room can walk this list.
 *
 * Offsets are bytes from the start of the named struct; the size is that of the member. `sk_buff.pkt_type` and
 * `sk_buff.cloned` are bit-fields: their offset is that of the byte that holds them (`__pkt_type_offset`,
 * `__cloned_offset`), with pkt_type in bits 0…2 and cloned in bit 0.
 */
export const XLATE_FIELDS: readonly string[] = [
  // struct xdp_buff and what it points to
  'xdp_buff.data',
  'xdp_buff.data_end',
  'xdp_buff.data_meta',
  'xdp_buff.rxq',
  'xdp_buff.txq',
  'xdp_rxq_info.dev',
  'xdp_rxq_info.queue_index',
  'xdp_txq_info.dev',
  'net_device.ifindex',
  // struct sk_buff
  'sk_buff.dev',
  'sk_buff.sk',
  'sk_buff.cb',
  'sk_buff.len',
  'sk_buff.queue_mapping',
  'sk_buff.cloned',
  'sk_buff.pkt_type',
  'sk_buff.tc_index',
  'sk_buff.priority',
  'sk_buff.skb_iif',
  'sk_buff.hash',
  'sk_buff.vlan_all',
  'sk_buff.vlan_proto',
  'sk_buff.vlan_tci',
  'sk_buff.napi_id',
  'sk_buff.mark',
  'sk_buff.protocol',
  'sk_buff.end',
  'sk_buff.head',
  'sk_buff.data',
  'sk_buff.tstamp',
  // the byte with the kind of time (bits 0…) and tc_at_ingress: __mono_tc_offset
  'sk_buff.tstamp_type',
  // what lies in sk_buff.cb and behind sk_buff.end
  'qdisc_skb_cb.pkt_len',
  'qdisc_skb_cb.tc_classid',
  'qdisc_skb_cb.data',
  'bpf_skb_data_end.data_meta',
  'bpf_skb_data_end.data_end',
  'skb_shared_info.gso_size',
  'skb_shared_info.gso_segs',
  'skb_shared_info.hwtstamps',
  // struct sock_common (sk_buff.sk points to a struct sock that begins with one)
  'sock_common.skc_family',
  'sock_common.skc_daddr',
  'sock_common.skc_rcv_saddr',
  'sock_common.skc_v6_daddr',
  'sock_common.skc_v6_rcv_saddr',
  'sock_common.skc_dport',
  'sock_common.skc_num',
  'sock_common.skc_state',
  'sock_common.skc_bound_dev_if',
  'sock_common.skc_rx_queue_mapping',
  // struct sock
  'sock.sk_type',
  'sock.sk_protocol',
  'sock.sk_priority',
  'sock.sk_mark',
];

/**
 * Kernel functions and variables that the rewrites ask for through `XlatePort.symbol`. A name that the port does not know
 * makes the rewrite fall back to the generic helper where the kernel has one, and is an error where it has none.
 */
export const XLATE_SYMBOLS: readonly string[] = [
  // bpf_map_{lookup,update,delete}_elem and friends of each map type
  '__htab_map_lookup_elem',
  'htab_map_update_elem',
  'htab_map_delete_elem',
  'htab_lru_map_update_elem',
  'htab_lru_map_delete_elem',
  'htab_percpu_map_lookup_elem',
  'htab_percpu_map_update_elem',
  'htab_lru_percpu_map_lookup_elem',
  'htab_lru_percpu_map_update_elem',
  'array_map_lookup_elem',
  'array_map_update_elem',
  'array_map_delete_elem',
  'percpu_array_map_lookup_elem',
  'trie_lookup_elem',
  'trie_update_elem',
  'trie_delete_elem',
  'queue_stack_map_push_elem',
  'queue_map_pop_elem',
  'queue_map_peek_elem',
  'stack_map_pop_elem',
  'stack_map_peek_elem',
  'bpf_for_each_array_elem',
  'bpf_for_each_hash_elem',
  // what ld_abs and ld_ind call, and the packet write prologue
  'bpf_skb_load_helper_8_no_cache',
  'bpf_skb_load_helper_16_no_cache',
  'bpf_skb_load_helper_32_no_cache',
  'bpf_skb_pull_data',
  // variable read by the inlined bpf_jiffies64
  'jiffies',
  // what bpf_get_prandom_u32 stands for when it takes no state of its own
  'bpf_user_rnd_u32',
];
