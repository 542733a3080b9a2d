/** enum bpf_map_type: the types that the loader treats in a special way. */
export const MAP_TYPE = {
  ARRAY: 2,
  PROG_ARRAY: 3,
  PERF_EVENT_ARRAY: 4,
  ARRAY_OF_MAPS: 12,
  HASH_OF_MAPS: 13,
  STRUCT_OPS: 26,
  RINGBUF: 27,
  USER_RINGBUF: 31,
  ARENA: 33,
} as const;

/** Map flags that the loader sets (BPF_F_RDONLY_PROG, BPF_F_MMAPABLE). */
export const MAP_FLAG = { RDONLY_PROG: 0x80, MMAPABLE: 0x400 } as const;

/** Bytes of a page; ring buffers are whole pages. */
const PAGE = 4096;

/** CPUs of the simulated kernel: a perf event array without a size has an entry for each. */
const CPUS = 1;

/** True for maps whose values are maps. */
export const isMapInMap = (type: number): boolean =>
  type === MAP_TYPE.ARRAY_OF_MAPS || type === MAP_TYPE.HASH_OF_MAPS;

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
