import { errnoError } from '../errno';
import type { KernelEnv } from '../env';
import type { NetNamespace } from '../net';
import type { KernelProgram, TestRunInput, TestRunOutput } from '../types';

/** What a run works on: made by beginRun(), immutable, so that a snapshot may keep it as it is. */
export interface RunContext {
  /** What the program gets in a0. */
  readonly address: bigint;
  /** After the run: reads back what BPF_PROG_TEST_RUN hands to user space. `retval` is the u32 that the program returned. */
  finish(retval: number): TestRunOutput;
  /** Gives the objects of the run back, when the next one begins. */
  release(): void;
}

/** Everything a context is built from. */
export interface ContextInput {
  readonly env: KernelEnv;
  readonly net: NetNamespace;
  readonly program: KernelProgram;
  readonly input: TestRunInput;
}

/**
 * The user's context in a buffer of the size that the kernel knows (bpf_ctx_init()): shorter ones are filled up with zeros, longer
 * ones must be zero beyond. Undefined when the user neither gives nor wants one.
 * @throws EngineError `kernel/errno` E2BIG
 */
export function userContext(input: TestRunInput, size: number, name: string): Uint8Array | undefined {
  const { ctx } = input;
  if (!ctx) return input.wantCtx === false ? undefined : new Uint8Array(size);
  if (ctx.subarray(size).some((byte) => byte !== 0)) {
    throw errnoError(
      'E2BIG',
      `The context has ${ctx.length} bytes; struct ${name} has ${size}, and what lies behind must be zero`,
    );
  }
  const full = new Uint8Array(size);
  full.set(ctx.subarray(0, size));
  return full;
}
