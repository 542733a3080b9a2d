import { errnoError } from '../errno';
import type { ContextInput, RunContext } from './context';

/** Largest context of a syscall program (U16_MAX). */
const MAX_CONTEXT = 0xffff;
/** Arguments of a raw tracepoint (MAX_BPF_FUNC_ARGS), 8 bytes each. */
const MAX_TRACEPOINT_CONTEXT = 12 * 8;

/**
 * Programs whose context is plain memory: syscall (bpf_prog_test_run_syscall()) and raw tracepoints (bpf_prog_test_run_raw_tp(): the
 * tracepoint's arguments). What the program leaves in it is the context afterwards.
 * @throws EngineError `kernel/errno` EINVAL for packet data, repetition or a context that is too long.
 */
export function memoryContext(given: ContextInput, rawTracepoint: boolean): RunContext {
  const { env, input } = given;
  const what = rawTracepoint ? 'raw tracepoint' : 'syscall';
  if (input.data !== undefined && input.data.length > 0)
    throw errnoError('EINVAL', `A ${what} program takes no packet, only a context`);
  if ((input.repeat ?? 0) > 1) throw errnoError('EINVAL', `A ${what} program cannot be repeated`);
  const bytes = input.ctx ?? new Uint8Array(0);
  const limit = rawTracepoint ? MAX_TRACEPOINT_CONTEXT : MAX_CONTEXT;
  if (bytes.length > limit) {
    throw errnoError(
      'EINVAL',
      `The context has ${bytes.length} bytes; a ${what} program takes at most ${limit}`,
    );
  }
  if (bytes.length === 0) {
    return {
      address: 0n,
      finish: (retval) => ({ retval, ctxOut: new Uint8Array(0) }),
      release: () => undefined,
    };
  }
  const address = env.space.kmalloc(bytes.length);
  env.memory.write(address, bytes);
  return {
    address,
    finish: (retval) => ({ retval, ctxOut: env.memory.read(address, bytes.length) }),
    release: () => env.space.kfree(address, bytes.length),
  };
}
