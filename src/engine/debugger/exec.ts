import type { BpfInsn } from '../bpf/insn';
import { createKernel } from '../kernel/kernel';
import { createMachine } from '../machine/machine';
import type { Profile } from '../jit/profile';
import { CodeIndex } from './code-index';
import { Execution, NO_INTEREST } from './execution';
import { faultText } from './sentences';
import { stopLocation } from './stack-views';
import type { LocationView } from './views';

/** How an execution of raw instructions ended. */
export type ExecStop =
  | { readonly reason: 'exit' }
  | {
      readonly reason: 'fault' | 'limit' | 'unknown-helper';
      readonly text: string;
      readonly location: LocationView;
    };

/** What a run of bare instructions came to. */
export interface ExecResult {
  /** All 64 bits of R0 (a5); absent unless the program returned. */
  readonly r0?: bigint;
  /** The memory given to the program, as it left it. */
  readonly mem?: Uint8Array;
  readonly stop: ExecStop;
}

/** enum bpf_prog_type: the context of a socket filter is the plain argument here, no packet. */
const SOCKET_FILTER = 1;

/**
 * Runs raw BPF instructions: R1 = address of `mem`, R2 = its length, both 0 without. The instructions are trusted to be
 * sound, as no context type says what they may access.
 * @param limit instructions
 * @throws EngineError for code that cannot be compiled
 */
export function execute(
  profile: Profile,
  insns: readonly BpfInsn[],
  mem: Uint8Array | undefined,
  limit: number,
): ExecResult {
  const machine = createMachine();
  const kernel = createKernel(profile, machine);
  const program = kernel.loadRaw({ name: 'exec', insns, progType: SOCKET_FILTER, trusted: true });
  const index = new CodeIndex(kernel);
  kernel.beginExec(program, mem);
  const execution = new Execution(machine, kernel, index);
  execution.begin(program);
  let left = limit;
  for (;;) {
    const before = machine.instructions;
    const halt = execution.advance(left, NO_INTEREST);
    left -= Number(machine.instructions - before);
    const stop = (reason: 'fault' | 'limit' | 'unknown-helper', text: string): ExecResult => ({
      ...kernel.finishExec(),
      stop: { reason, text, location: stopLocation(machine, kernel, index) },
    });
    switch (halt.kind) {
      case 'exit':
        return { r0: halt.returnValue, ...kernel.finishExec(), stop: { reason: 'exit' } };
      case 'fault':
        return stop('fault', faultText(halt.stop));
      case 'unknown':
        return stop('unknown-helper', halt.message);
      case 'budget':
      case 'arrived':
        if (left <= 0) return stop('limit', `The limit of ${limit} instructions is reached.`);
    }
  }
}
