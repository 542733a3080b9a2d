import { EngineError } from '../../base/errors';
import { errnoError } from '../errno';
import type { ContextInput, RunContext } from './context';
import { skbContext } from './skb';
import { memoryContext } from './syscall';
import { xdpContext } from './xdp';

type Maker = (input: ContextInput) => RunContext;

/** enum bpf_prog_type of the types that BPF_PROG_TEST_RUN is modelled for. */
const MAKERS: Readonly<Record<number, Maker>> = {
  1: skbContext, // socket_filter
  3: skbContext, // sched_cls
  4: skbContext, // sched_act
  6: xdpContext,
  8: skbContext, // cgroup_skb
  10: skbContext, // lwt_in
  11: skbContext, // lwt_out
  12: skbContext, // lwt_xmit
  19: skbContext, // lwt_seg6local
  17: (input) => memoryContext(input, true), // raw_tracepoint
  31: (input) => memoryContext(input, false), // syscall
};

/** Types that kernels can test-run but that are not modelled: flow_dissector, tracing, struct_ops, sk_lookup, netfilter. */
const NOT_MODELLED: ReadonlySet<number> = new Set([22, 26, 27, 30, 32]);

/**
 * Makes what a program of this type works on.
 * @throws EngineError `kernel/not-runnable` for a type whose test run is not modelled; `kernel/errno` ENOTSUPP for one that kernels do
 * not test-run either; `kernel/errno` and others for bad input.
 */
export function makeContext(input: ContextInput): RunContext {
  const { type, name } = input.program.source;
  const maker = MAKERS[type.id];
  if (maker) return maker(input);
  const runnable =
    'XDP, traffic control, socket filter, cgroup_skb, lwt, raw tracepoint and syscall programs can be run';
  if (NOT_MODELLED.has(type.id)) {
    throw new EngineError(
      'kernel/not-runnable',
      `Program ${name} has type ${type.name}, for which a test run is not supported yet; ${runnable}.`,
      { program: name, type: type.name },
    );
  }
  throw errnoError(
    'ENOTSUPP',
    `Program ${name} has type ${type.name}, for which kernels have no BPF_PROG_TEST_RUN; ${runnable}`,
    {
      program: name,
      type: type.name,
    },
  );
}
