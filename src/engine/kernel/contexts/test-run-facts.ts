import type { KernelVersion } from '../../profile/profile';

/** How the kernels' bpf_prog_test_run_*() differ. */
export interface TestRunFacts {
  /** cgroup_skb programs get data_meta and data_end. */
  readonly cgroupSkbDataPointers: boolean;
  /** A frame whose Ethernet header announces IPv4 or IPv6 must hold that header. */
  readonly requiresIpHeader: boolean;
  /** __sk_buff.data_end may be given: the length of the linear part. */
  readonly skbLinearLength: boolean;
  /** xdp_md.data_end may be below the packet's length: the rest goes into fragments. */
  readonly xdpLinearLength: boolean;
}

/** 6.12: the 6.12.107 stable kernel; 7.2: 7.2.13. */
export const TEST_RUN_FACTS: Readonly<Record<KernelVersion, TestRunFacts>> = {
  '6.6': {
    cgroupSkbDataPointers: false,
    requiresIpHeader: false,
    skbLinearLength: false,
    xdpLinearLength: false,
  },
  '6.12': {
    cgroupSkbDataPointers: false,
    requiresIpHeader: true,
    skbLinearLength: false,
    xdpLinearLength: true,
  },
  '7.2': {
    cgroupSkbDataPointers: true,
    requiresIpHeader: true,
    skbLinearLength: true,
    xdpLinearLength: true,
  },
  '7.3': {
    cgroupSkbDataPointers: true,
    requiresIpHeader: true,
    skbLinearLength: true,
    xdpLinearLength: true,
  },
};
