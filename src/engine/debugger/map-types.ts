import { MAP_TYPE } from '../loader/map-types';

/** enum bpf_map_type in the kernel's order, without BPF_MAP_TYPE_, lower case. */
const NAMES: readonly string[] = [
  ...[
    'unspec',
    'hash',
    'array',
    'prog_array',
    'perf_event_array',
    'percpu_hash',
    'percpu_array',
    'stack_trace',
  ],
  ...['cgroup_array', 'lru_hash', 'lru_percpu_hash', 'lpm_trie', 'array_of_maps', 'hash_of_maps', 'devmap'],
  ...[
    'sockmap',
    'cpumap',
    'xskmap',
    'sockhash',
    'cgroup_storage',
    'reuseport_sockarray',
    'percpu_cgroup_storage',
  ],
  ...[
    'queue',
    'stack',
    'sk_storage',
    'devmap_hash',
    'struct_ops',
    'ringbuf',
    'inode_storage',
    'task_storage',
  ],
  ...['bloom_filter', 'user_ringbuf', 'cgrp_storage', 'arena', 'insn_array'],
];

/** `prog_array` for 3 and so on; `type 77` for a number that has no name. */
export function mapTypeName(type: number): string {
  return NAMES[type] ?? `type ${type}`;
}

export const isProgArray = (type: number): boolean => type === MAP_TYPE.PROG_ARRAY;

/** Types of maps that hold a value for each CPU. */
const PER_CPU: ReadonlySet<string> = new Set([
  'percpu_hash',
  'percpu_array',
  'lru_percpu_hash',
  'percpu_cgroup_storage',
]);

export const isPerCpu = (type: number): boolean => PER_CPU.has(mapTypeName(type));
