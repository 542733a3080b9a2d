import { minus } from '../errno';
import { mapArgument, uint, type HelperWorld } from './call';

/** Most iterations of bpf_loop() (BPF_MAX_LOOPS). */
const MAX_LOOPS = 8 * 1024 * 1024;

/** The variables of a helper that calls back, as 64-bit words: they lie in its frame on the kernel stack. */
export type Locals = readonly bigint[];

/** What a helper that calls back does next. */
export type CallbackStep =
  | {
      readonly kind: 'call';
      /** Address of the callback. */
      readonly function: bigint;
      readonly args: readonly bigint[];
      /** The variables from now on. */
      readonly locals: Locals;
      /** Bytes that the callback may read through a pointer to the helper's frame: SCRATCH as an argument stands for their address. */
      readonly scratch?: Uint8Array;
    }
  | { readonly kind: 'return'; readonly value: bigint };

/** Stands in `args` for the address of the step's scratch bytes. */
export const SCRATCH = -1n;

/**
 * A helper that calls back into BPF code. It is a state machine, not a JavaScript loop: its variables lie in a frame on the
 * kernel stack, so that a snapshot taken inside the callback holds the helper too.
 */
export interface CallbackHelper {
  /** Words of variables. */
  readonly locals: number;
  begin(world: HelperWorld, args: readonly bigint[]): CallbackStep;
  /** The callback has returned `result` (a0). */
  resume(world: HelperWorld, locals: Locals, result: bigint): CallbackStep;
}

/** bpf_loop(nr_loops, callback, ctx, flags): locals are the count, the index, callback and context. */
const loop: CallbackHelper = {
  locals: 4,
  begin: (_world, [count, callback, context, flags]) => {
    if (flags !== 0n) return { kind: 'return', value: minus('EINVAL') };
    if (uint(count!) > MAX_LOOPS) return { kind: 'return', value: minus('E2BIG') };
    if (uint(count!) === 0) return { kind: 'return', value: 0n };
    return {
      kind: 'call',
      function: callback!,
      args: [0n, context!],
      locals: [BigInt(uint(count!)), 0n, callback!, context!],
    };
  },
  resume: (_world, [count, index, callback, context], result) => {
    const done = index! + 1n;
    if (result !== 0n || done >= count!) return { kind: 'return', value: done };
    return {
      kind: 'call',
      function: callback!,
      args: [done, context!],
      locals: [count!, done, callback!, context!],
    };
  },
};

/** One round of a walk over a map: locals are map, cursor, number of elements so far, callback, context. */
function visit(
  world: HelperWorld,
  map: bigint,
  cursor: bigint,
  seen: bigint,
  callback: bigint,
  context: bigint,
): CallbackStep {
  const step = mapArgument(world, map).walk(cursor);
  if (!step) return { kind: 'return', value: seen };
  const index = 'index' in step.key ? step.key.index : undefined;
  const scratch = new Uint8Array(8);
  if (index !== undefined) new DataView(scratch.buffer).setUint32(0, index, true);
  return {
    kind: 'call',
    function: callback,
    args: [map, 'address' in step.key ? step.key.address : SCRATCH, step.value, context],
    locals: [map, step.cursor, seen + 1n, callback, context],
    scratch,
  };
}

/** bpf_for_each_map_elem(map, callback, ctx, flags) */
const forEach: CallbackHelper = {
  locals: 5,
  begin: (world, [map, callback, context, flags]) =>
    flags !== 0n
      ? { kind: 'return', value: minus('EINVAL') }
      : visit(world, map!, 0n, 0n, callback!, context!),
  resume: (world, [map, cursor, seen, callback, context], result) =>
    result !== 0n
      ? { kind: 'return', value: seen! }
      : visit(world, map!, cursor!, seen!, callback!, context!),
};

/** Helpers that call back, by the name of the kernel function. */
export const CALLBACK_HELPERS: Readonly<Record<string, CallbackHelper>> = {
  bpf_loop: loop,
  bpf_for_each_map_elem: forEach,
  bpf_for_each_array_elem: forEach,
  bpf_for_each_hash_elem: forEach,
};
