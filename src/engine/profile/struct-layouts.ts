import type { KernelVersion } from './profile';

/** Where a member lies: byte offset from the start of its struct, size in bytes (0 for a flexible array). */
export interface FieldLocation {
  readonly offset: number;
  readonly size: number;
}

/** One kernel struct: its size in bytes and the members that Hartbeat reads or writes, as `[offset, size]`. */
export interface StructShape {
  readonly size: number;
  readonly fields: Readonly<Record<string, readonly [offset: number, size: number]>>;
}

export type StructLayouts = Readonly<Record<string, StructShape>>;

/** 6.12.107 (distribution build): offsets of its own BTF. */
const LINUX_6_12 = {
  bpf_map: {
    size: 248,
    fields: {
      ops: [0, 8],
      inner_map_meta: [8, 8],
      map_type: [24, 4],
      key_size: [28, 4],
      value_size: [32, 4],
      max_entries: [36, 4],
      map_extra: [40, 8],
      map_flags: [48, 4],
      id: [52, 4],
      numa_node: [64, 4],
      name: [96, 16],
      refcnt: [144, 8],
      usercnt: [152, 8],
      bypass_spec_v1: [216, 1],
      frozen: [217, 1],
    },
  },
  bpf_array: {
    size: 264,
    fields: {
      elem_size: [248, 4],
      index_mask: [252, 4],
      aux: [256, 8],
      value: [264, 0],
      ptrs: [264, 0],
      pptrs: [264, 0],
    },
  },
  bpf_htab: {
    size: 896,
    fields: {
      buckets: [376, 8],
      elems: [384, 8],
      freelist: [448, 24],
      lru: [448, 256],
      extra_elems: [704, 8],
      count: [752, 4],
      n_buckets: [760, 4],
      elem_size: [764, 4],
      hashrnd: [768, 4],
    },
  },
  htab_elem: {
    size: 48,
    fields: {
      hash_node: [0, 16],
      fnode: [8, 8],
      ptr_to_pptr: [16, 8],
      lru_node: [16, 24],
      hash: [40, 4],
      key: [48, 0],
    },
  },
  bpf_prog: {
    size: 72,
    fields: {
      pages: [0, 2],
      type: [4, 4],
      expected_attach_type: [8, 4],
      len: [12, 4],
      jited_len: [16, 4],
      tag: [20, 8],
      stats: [32, 8],
      active: [40, 8],
      bpf_func: [48, 8],
      aux: [56, 8],
      insnsi: [72, 0],
    },
  },
  bpf_prog_aux: {
    size: 1128,
    fields: {
      used_map_cnt: [8, 4],
      stack_depth: [28, 4],
      id: [32, 4],
      func_cnt: [36, 4],
      real_func_cnt: [40, 4],
      func_idx: [44, 4],
      verifier_zext: [136, 1],
      tail_call_reachable: [142, 1],
      func: [216, 8],
      ksym: [264, 600],
      prog: [920, 8],
      load_time: [936, 8],
      name: [968, 16],
      num_exentries: [1080, 4],
      extable: [1088, 8],
    },
  },
  bpf_ksym: { size: 600, fields: { start: [0, 8], end: [8, 8], name: [16, 512], prog: [592, 1] } },
  thread_info: {
    size: 72,
    fields: { flags: [0, 8], preempt_count: [8, 4], kernel_sp: [16, 8], user_sp: [24, 8], cpu: [32, 4] },
  },
  task_struct: {
    size: 3648,
    fields: {
      thread_info: [0, 72],
      stack: [80, 8],
      flags: [92, 4],
      pid: [1392, 4],
      tgid: [1396, 4],
      real_parent: [1408, 8],
      group_leader: [1456, 8],
      comm: [1936, 16],
      bpf_ctx: [3048, 8],
    },
  },
  xdp_buff: {
    size: 56,
    fields: {
      data: [0, 8],
      data_end: [8, 8],
      data_meta: [16, 8],
      data_hard_start: [24, 8],
      rxq: [32, 8],
      txq: [40, 8],
      frame_sz: [48, 4],
      flags: [52, 4],
    },
  },
  xdp_rxq_info: {
    size: 64,
    fields: { dev: [0, 8], queue_index: [8, 4], reg_state: [12, 4], mem: [16, 8], frag_size: [28, 4] },
  },
  xdp_txq_info: { size: 8, fields: { dev: [0, 8] } },
  sk_buff: {
    size: 232,
    fields: {
      dev: [16, 8],
      sk: [24, 8],
      tstamp: [32, 8],
      cb: [40, 48],
      _skb_refdst: [88, 8],
      len: [112, 4],
      data_len: [116, 4],
      mac_len: [120, 2],
      hdr_len: [122, 2],
      queue_mapping: [124, 2],
      cloned: [126, 1],
      pkt_type: [128, 1],
      ip_summed: [128, 1],
      tstamp_type: [129, 1],
      tc_index: [134, 2],
      csum: [140, 4],
      priority: [144, 4],
      skb_iif: [148, 4],
      hash: [152, 4],
      vlan_all: [156, 4],
      vlan_proto: [156, 2],
      vlan_tci: [158, 2],
      napi_id: [160, 4],
      mark: [168, 4],
      protocol: [180, 2],
      transport_header: [182, 2],
      network_header: [184, 2],
      mac_header: [186, 2],
      tail: [188, 4],
      end: [192, 4],
      head: [200, 8],
      data: [208, 8],
      truesize: [216, 4],
      users: [220, 4],
    },
  },
  skb_shared_info: {
    size: 320,
    fields: {
      meta_len: [1, 1],
      nr_frags: [2, 1],
      gso_size: [4, 2],
      gso_segs: [6, 2],
      hwtstamps: [16, 8],
      gso_type: [24, 4],
      dataref: [32, 4],
      xdp_frags_size: [36, 4],
    },
  },
  qdisc_skb_cb: { size: 28, fields: { pkt_len: [0, 4], tc_classid: [6, 2], data: [8, 20] } },
  bpf_skb_data_end: { size: 48, fields: { data_meta: [32, 8], data_end: [40, 8] } },
  net_device: {
    size: 2560,
    fields: {
      mtu: [56, 4],
      flags: [176, 4],
      ifindex: [224, 4],
      nd_net: [280, 8],
      name: [304, 16],
      type: [560, 2],
    },
  },
  sock_common: {
    size: 136,
    fields: {
      skc_daddr: [0, 4],
      skc_rcv_saddr: [4, 4],
      skc_hash: [8, 4],
      skc_dport: [12, 2],
      skc_num: [14, 2],
      skc_family: [16, 2],
      skc_state: [18, 1],
      skc_bound_dev_if: [20, 4],
      skc_net: [48, 8],
      skc_v6_daddr: [56, 16],
      skc_v6_rcv_saddr: [72, 16],
      skc_cookie: [88, 8],
      skc_tx_queue_mapping: [120, 2],
      skc_rx_queue_mapping: [122, 2],
      skc_refcnt: [128, 4],
    },
  },
  sock: {
    size: 776,
    fields: { sk_priority: [520, 4], sk_mark: [524, 4], sk_type: [572, 2], sk_protocol: [574, 2] },
  },
} satisfies StructLayouts;

/** 7.2.13 (distribution build): offsets of its own BTF. */
const LINUX_7_2 = {
  bpf_map: {
    size: 288,
    fields: {
      ops: [40, 8],
      inner_map_meta: [48, 8],
      map_type: [64, 4],
      key_size: [68, 4],
      value_size: [72, 4],
      max_entries: [76, 4],
      map_extra: [80, 8],
      map_flags: [88, 4],
      id: [92, 4],
      numa_node: [104, 4],
      name: [136, 16],
      refcnt: [176, 8],
      usercnt: [184, 8],
      bypass_spec_v1: [248, 1],
      frozen: [249, 1],
    },
  },
  bpf_array: {
    size: 304,
    fields: {
      elem_size: [288, 4],
      index_mask: [292, 4],
      aux: [296, 8],
      value: [304, 0],
      ptrs: [304, 0],
      pptrs: [304, 0],
    },
  },
  bpf_htab: {
    size: 896,
    fields: {
      buckets: [448, 8],
      elems: [456, 8],
      freelist: [512, 24],
      lru: [512, 256],
      extra_elems: [768, 8],
      count: [816, 4],
      n_buckets: [824, 4],
      elem_size: [828, 4],
      hashrnd: [832, 4],
    },
  },
  htab_elem: LINUX_6_12.htab_elem,
  bpf_prog: {
    size: 96,
    fields: {
      pages: [0, 2],
      type: [8, 4],
      expected_attach_type: [12, 4],
      len: [16, 4],
      jited_len: [20, 4],
      tag: [24, 8],
      stats: [56, 8],
      active: [64, 8],
      bpf_func: [72, 8],
      aux: [80, 8],
      insnsi: [96, 0],
    },
  },
  bpf_prog_aux: {
    size: 1320,
    fields: {
      used_map_cnt: [8, 4],
      stack_depth: [28, 4],
      id: [32, 4],
      func_cnt: [36, 4],
      real_func_cnt: [40, 4],
      func_idx: [44, 4],
      verifier_zext: [144, 1],
      tail_call_reachable: [151, 1],
      func: [240, 8],
      ksym: [296, 608],
      prog: [960, 8],
      load_time: [976, 8],
      name: [1008, 16],
      num_exentries: [1128, 4],
      extable: [1136, 8],
    },
  },
  bpf_ksym: { size: 608, fields: { start: [0, 8], end: [8, 8], name: [16, 512], prog: [592, 1] } },
  thread_info: {
    size: 104,
    fields: { flags: [0, 8], preempt_count: [8, 4], kernel_sp: [16, 8], user_sp: [24, 8], cpu: [32, 4] },
  },
  task_struct: {
    size: 4224,
    fields: {
      thread_info: [0, 104],
      stack: [112, 8],
      flags: [124, 4],
      pid: [1912, 4],
      tgid: [1916, 4],
      real_parent: [1928, 8],
      group_leader: [1976, 8],
      comm: [2448, 16],
      bpf_ctx: [3672, 8],
    },
  },
  xdp_buff: LINUX_6_12.xdp_buff,
  xdp_rxq_info: {
    size: 64,
    fields: { dev: [0, 8], queue_index: [8, 4], reg_state: [12, 4], mem: [16, 8], frag_size: [24, 4] },
  },
  xdp_txq_info: LINUX_6_12.xdp_txq_info,
  sk_buff: LINUX_6_12.sk_buff,
  skb_shared_info: {
    size: 320,
    fields: {
      meta_len: [1, 1],
      nr_frags: [2, 1],
      gso_size: [4, 2],
      gso_segs: [6, 2],
      hwtstamps: [16, 8],
      gso_type: [24, 4],
      dataref: [32, 4],
      xdp_frags_size: [40, 4],
    },
  },
  qdisc_skb_cb: { size: 32, fields: { pkt_len: [0, 4], tc_classid: [6, 2], data: [8, 20] } },
  bpf_skb_data_end: LINUX_6_12.bpf_skb_data_end,
  net_device: {
    size: 2816,
    fields: {
      mtu: [56, 4],
      flags: [176, 4],
      ifindex: [224, 4],
      nd_net: [264, 8],
      name: [288, 16],
      type: [544, 2],
    },
  },
  sock_common: LINUX_6_12.sock_common,
  sock: {
    size: 800,
    fields: { sk_priority: [528, 4], sk_mark: [532, 4], sk_type: [542, 2], sk_protocol: [540, 2] },
  },
} satisfies StructLayouts;

/** The shape with every listed member moved by `by` bytes. */
function moved(shape: StructShape, names: readonly string[], by: number): StructShape['fields'] {
  return Object.fromEntries(
    Object.entries(shape.fields).map(([name, [offset, size]]) => [
      name,
      [names.includes(name) ? offset + by : offset, size] as const,
    ]),
  );
}

/**
 * 6.6: bpf_map's cache-line-aligned second half and with it the 256-byte bpf_map (spec 0.4: bpf_array.ptrs at 272) are from the
 * 6.6 declaration. The network and task structs of a 6.6 distribution build were not at hand; those of 6.12 stand in.
 */
const LINUX_6_6: StructLayouts = {
  ...LINUX_6_12,
  bpf_map: {
    size: 256,
    fields: {
      ...LINUX_6_12.bpf_map.fields,
      refcnt: [128, 8],
      usercnt: [136, 8],
      bypass_spec_v1: [228, 1],
      frozen: [229, 1],
    },
  },
  bpf_array: {
    size: 272,
    fields: moved(LINUX_6_12.bpf_array, Object.keys(LINUX_6_12.bpf_array.fields), 8),
  },
  bpf_htab: {
    size: LINUX_6_12.bpf_htab.size,
    fields: { ...LINUX_6_12.bpf_htab.fields, buckets: [384, 8], elems: [392, 8] },
  },
};

/**
 * 7.3: bpf_map lost the word between its hash and `ops` (spec 0.4: max_entries at 68), so the members behind it moved down;
 * everything else as in 7.2, the newest distribution build that was at hand.
 */
const LINUX_7_3: StructLayouts = {
  ...LINUX_7_2,
  bpf_map: {
    size: LINUX_7_2.bpf_map.size,
    fields: moved(LINUX_7_2.bpf_map, Object.keys(LINUX_7_2.bpf_map.fields), -8),
  },
};

/** Struct layouts of each kernel, by struct name. */
export const STRUCT_LAYOUTS: Readonly<Record<KernelVersion, StructLayouts>> = {
  '6.6': LINUX_6_6,
  '6.12': LINUX_6_12,
  '7.2': LINUX_7_2,
  '7.3': LINUX_7_3,
};
