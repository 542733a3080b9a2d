/** enum bpf_map_type, without BPF_MAP_TYPE_. */
export const MAP_TYPE = {
  UNSPEC: 0,
  HASH: 1,
  ARRAY: 2,
  PROG_ARRAY: 3,
  PERF_EVENT_ARRAY: 4,
  PERCPU_HASH: 5,
  PERCPU_ARRAY: 6,
  STACK_TRACE: 7,
  CGROUP_ARRAY: 8,
  LRU_HASH: 9,
  LRU_PERCPU_HASH: 10,
  LPM_TRIE: 11,
  ARRAY_OF_MAPS: 12,
  HASH_OF_MAPS: 13,
  DEVMAP: 14,
  SOCKMAP: 15,
  CPUMAP: 16,
  XSKMAP: 17,
  SOCKHASH: 18,
  CGROUP_STORAGE: 19,
  REUSEPORT_SOCKARRAY: 20,
  PERCPU_CGROUP_STORAGE: 21,
  QUEUE: 22,
  STACK: 23,
  SK_STORAGE: 24,
  DEVMAP_HASH: 25,
  STRUCT_OPS: 26,
  RINGBUF: 27,
  INODE_STORAGE: 28,
  TASK_STORAGE: 29,
  BLOOM_FILTER: 30,
  USER_RINGBUF: 31,
  CGRP_STORAGE: 32,
  ARENA: 33,
  INSN_ARRAY: 34,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(MAP_TYPE).map(([name, type]) => [type, name.toLowerCase()]),
);

/** `prog_array` for 3 and so on; `type 77` for a number that has no name. */
export const mapTypeName = (type: number): string => NAMES.get(type) ?? `type ${type}`;

/** Map flags that the loader sets (BPF_F_RDONLY_PROG, BPF_F_MMAPABLE). */
export const MAP_FLAG = { RDONLY_PROG: 0x80, MMAPABLE: 0x400 } as const;

/** Bytes of a page; ring buffers are whole pages. */
const PAGE = 4096;

/** CPUs of the simulated kernel: a perf event array without a size has an entry for each. */
const CPUS = 1;

/** True for maps whose values are maps. */
export const isMapInMap = (type: number): boolean =>
  type === MAP_TYPE.ARRAY_OF_MAPS || type === MAP_TYPE.HASH_OF_MAPS;

const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.PERCPU_HASH,
  MAP_TYPE.PERCPU_ARRAY,
  MAP_TYPE.LRU_PERCPU_HASH,
  MAP_TYPE.PERCPU_CGROUP_STORAGE,
]);

/** True for maps that hold a value for each CPU. */
export const isPerCpu = (type: number): boolean => PER_CPU.has(type);

/**
 * max_entries as libbpf passes it to the kernel: the size of a ring buffer goes up to the next power of two of pages
 * (adjust_ringbuf_sz), a perf event array without a size gets one entry a CPU.
 */
export function adjustedEntries(type: number, entries: number): number {
  if (type === MAP_TYPE.PERF_EVENT_ARRAY && entries === 0) return CPUS;
  if ((type !== MAP_TYPE.RINGBUF && type !== MAP_TYPE.USER_RINGBUF) || entries === 0) return entries;
  let size = PAGE;
  while (size < entries) size *= 2;
  return size > 0xffff_ffff ? entries : size;
}
