import { s64, u32 } from '../../base/u64';
import type { VirtualClock } from '../clock';
import { EngineError } from '../../base/errors';
import { hex64 } from '../../base/hex';
import type { KernelEnv } from '../env';
import type { MapDirectory } from '../maps/map-in-map';
import type { MapObject } from '../maps/map-object';
import type { NetNamespace } from '../net';
import type { CurrentTask } from '../task';

/** What a helper leaves behind beside its result and what it writes to memory. */
export type HelperNote =
  | { readonly kind: 'printk'; readonly text: string }
  | {
      readonly kind: 'output';
      readonly via: 'perf_event' | 'ringbuf';
      readonly map: string;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'redirect'; readonly ifindex: number; readonly flags: number };

/** The kernel as helpers see it. */
export interface HelperWorld {
  readonly env: KernelEnv;
  readonly net: NetNamespace;
  readonly clock: VirtualClock;
  readonly task: CurrentTask;
  readonly maps: MapDirectory & { all(): readonly MapObject[] };
  /** Name of a kernel function, variable or JITed program at an address, for `%pS`. */
  symbolAt(address: bigint): { readonly name: string; readonly offset: number } | undefined;
  /** Records an event of the run. */
  note(note: HelperNote): void;
}

/** Arguments a0 … a4 as unsigned 64-bit values. The result is taken modulo 2^64; negative errno values are welcome. */
export type Helper = (world: HelperWorld, args: readonly [bigint, bigint, bigint, bigint, bigint]) => bigint;

/** Helpers by the name of the kernel function. */
export type HelperTable = Readonly<Record<string, Helper>>;

/** The low 32 bits of an argument as C's int reads them. */
export const int = (value: bigint): number => Number(BigInt.asIntN(32, value));
/** The low 32 bits of an argument as C's u32 reads them. */
export const uint = (value: bigint): number => Number(u32(value));
/** An argument as C's s64 reads it. */
export const long = (value: bigint): bigint => s64(value);

/** The map whose struct bpf_map an argument points to. @throws EngineError `kernel/bad-map` when there is none. */
export function mapArgument(world: HelperWorld, address: bigint): MapObject {
  const map = world.maps.byAddress(address);
  if (!map) {
    throw new EngineError('kernel/bad-map', `A map was expected at ${hex64(address)}, where there is none.`, {
      address,
    });
  }
  return map;
}
