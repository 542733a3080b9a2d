import { hex64 } from '../base/hex';
import type { Kernel } from './types';

/** How a run ended. */
export type RunEnd =
  | { readonly kind: 'exit'; readonly returnValue: bigint }
  /** The instruction limit was reached. */
  | { readonly kind: 'limit' }
  /** The machine faulted, or reached something that the kernel does not model. `message` is a sentence for people. */
  | {
      readonly kind: 'stopped';
      readonly reason: 'fault' | 'unknown';
      readonly pc: bigint;
      readonly message: string;
    };

/**
 * Runs what beginRun() or beginExec() has prepared to its end, with nobody watching: no breakpoints, no history.
 * @param limit most instructions
 */
export function runToEnd(kernel: Kernel, limit: number): RunEnd {
  const { machine } = kernel;
  const start = machine.instructions;
  for (;;) {
    const left = limit - Number(machine.instructions - start);
    if (left <= 0) return { kind: 'limit' };
    const stop = machine.run(left);
    switch (stop.reason) {
      case 'limit':
        return { kind: 'limit' };
      case 'trap': {
        const outcome = kernel.handleTrap(stop);
        if (outcome.kind === 'exit') return { kind: 'exit', returnValue: outcome.returnValue };
        if (outcome.kind === 'unknown') {
          return { kind: 'stopped', reason: 'unknown', pc: outcome.pc, message: outcome.message };
        }
        break;
      }
      case 'fault':
        if (!kernel.handleFault(stop)) {
          return { kind: 'stopped', reason: 'fault', pc: stop.pc, message: stop.message };
        }
        break;
      default:
        return {
          kind: 'stopped',
          reason: 'fault',
          pc: stop.pc,
          message: `The machine stopped at ${hex64(stop.pc)} by ${stop.reason}, which BPF code has no use for.`,
        };
    }
  }
}
