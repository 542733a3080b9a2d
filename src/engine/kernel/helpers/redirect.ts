import { uint, type HelperTable } from './call';

const TC_ACT_SHOT = 2n;
const TC_ACT_REDIRECT = 7n;
const XDP_ABORTED = 0n;
const XDP_REDIRECT = 4n;
const BPF_F_INGRESS = 1n;

/** Redirects (net/core/filter.c). A test run carries none out; that one was asked for is an event. */
export const REDIRECT_HELPERS: HelperTable = {
  /** Traffic control's bpf_redirect() */
  bpf_redirect: (world, [ifindex, flags]) => {
    if ((flags & ~BPF_F_INGRESS) !== 0n) return TC_ACT_SHOT;
    world.note({ kind: 'redirect', ifindex: uint(ifindex), flags: Number(flags) });
    return TC_ACT_REDIRECT;
  },
  /** XDP's bpf_redirect() */
  bpf_xdp_redirect: (world, [ifindex, flags]) => {
    if (flags !== 0n) return XDP_ABORTED;
    world.note({ kind: 'redirect', ifindex: uint(ifindex), flags: 0 });
    return XDP_REDIRECT;
  },
};
