import { EngineError } from '../base/errors';
import { PROG, type ContextRules } from './context';
import {
  PT_REGS_CONTEXT,
  RAW_TRACEPOINT_CONTEXT,
  SYSCALL_CONTEXT,
  TRACEPOINT_CONTEXT,
  TRACING_CONTEXT,
} from './ctx-plain';
import { CGROUP_SKB_CONTEXT, LWT_CONTEXT, SOCKET_FILTER_CONTEXT, TC_CONTEXT } from './ctx-skb-access';
import { XDP_CONTEXT } from './ctx-xdp';

const BY_TYPE: ReadonlyMap<number, ContextRules> = new Map([
  [PROG.SOCKET_FILTER, SOCKET_FILTER_CONTEXT],
  [PROG.KPROBE, PT_REGS_CONTEXT],
  [PROG.SCHED_CLS, TC_CONTEXT],
  [PROG.SCHED_ACT, TC_CONTEXT],
  [PROG.TRACEPOINT, TRACEPOINT_CONTEXT],
  [PROG.XDP, XDP_CONTEXT],
  [PROG.CGROUP_SKB, CGROUP_SKB_CONTEXT],
  [PROG.LWT_IN, LWT_CONTEXT],
  [PROG.LWT_OUT, LWT_CONTEXT],
  [PROG.LWT_XMIT, LWT_CONTEXT],
  [PROG.LWT_SEG6LOCAL, LWT_CONTEXT],
  [PROG.RAW_TRACEPOINT, RAW_TRACEPOINT_CONTEXT],
  [PROG.RAW_TRACEPOINT_WRITABLE, RAW_TRACEPOINT_CONTEXT],
  [PROG.TRACING, TRACING_CONTEXT],
  [PROG.LSM, TRACING_CONTEXT],
  [PROG.SYSCALL, SYSCALL_CONTEXT],
]);

/**
 * The rules of a program type's context.
 * @throws EngineError `xlate/program-type` for a type whose context is not modelled.
 */
export function contextRules(progType: number): ContextRules {
  const rules = BY_TYPE.get(progType);
  if (!rules) {
    throw new EngineError(
      'xlate/program-type',
      `Programs of type ${progType} are not supported yet: their context is not modelled. XDP, tc, socket filter, cgroup_skb, tracing, kprobe, tracepoint and syscall programs are.`,
      { progType },
    );
  }
  return rules;
}
