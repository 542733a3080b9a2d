import type { HelperTable } from './call';

/** Clocks (kernel/bpf/helpers.c), all from the virtual clock. */
export const TIME_HELPERS: HelperTable = {
  bpf_ktime_get_ns: ({ clock }) => clock.monotonicNs(),
  bpf_ktime_get_boot_ns: ({ clock }) => clock.monotonicNs(),
  bpf_ktime_get_coarse_ns: ({ clock }) => clock.monotonicNs() - (clock.monotonicNs() % 4_000_000n),
  bpf_ktime_get_tai_ns: ({ clock }) => clock.taiNs(),
  bpf_jiffies64: ({ clock }) => clock.jiffies(),
};
