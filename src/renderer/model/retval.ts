/** Names of what programs return (include/uapi/linux/bpf.h, pkt_cls.h), by program type. */

const XDP = ['XDP_ABORTED', 'XDP_DROP', 'XDP_PASS', 'XDP_TX', 'XDP_REDIRECT'];
const TC = [
  'TC_ACT_OK',
  'TC_ACT_RECLASSIFY',
  'TC_ACT_SHOT',
  'TC_ACT_PIPE',
  'TC_ACT_STOLEN',
  'TC_ACT_QUEUED',
  'TC_ACT_REPEAT',
  'TC_ACT_REDIRECT',
  'TC_ACT_TRAP',
];

/** The name of a return value, or nothing where the type gives it none. */
export function retvalName(programType: string, retval: number): string | undefined {
  if (programType === 'xdp') return XDP[retval];
  if (['sched_cls', 'sched_act', 'tc'].includes(programType)) {
    return (retval | 0) === -1 ? 'TC_ACT_UNSPEC' : TC[retval];
  }
  return undefined;
}
