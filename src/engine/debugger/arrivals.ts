import type { CodeFunction } from './code-index';
import type { RefusalReason, TailCallSite } from './tail-calls';

/**
 * What the machine has come to: something that happens at the instruction that it stands before (or, for a refused tail
 * call, that the branch just executed has decided). Each is reported exactly once per time it happens.
 */
export type Arrival =
  | TailCallArrival
  /** The machine stands at the entry of a kernel function, which has not run yet. */
  | {
      readonly kind: 'helper-call';
      readonly pc: bigint;
      /** The kernel function that is entered, e.g. `__htab_map_lookup_elem`. */
      readonly name: string;
      /** The helper as the program calls it, e.g. `bpf_map_lookup_elem`, where the two differ. */
      readonly calledAs?: string;
      /** a0 … a4 */
      readonly args: readonly bigint[];
    };

export type TailCallArrival =
  | (TailCallPlace & { readonly kind: 'tail-call-attempted' })
  | (TailCallPlace & { readonly kind: 'tail-call-taken'; readonly target: CodeFunction | undefined })
  | (TailCallPlace & { readonly kind: 'tail-call-refused'; readonly reason: RefusalReason });

interface TailCallPlace {
  readonly code: CodeFunction;
  readonly site: TailCallSite;
  /** The prog array that R2 points to; undefined when the address is none's. */
  readonly map: { readonly name: string; readonly maxEntries: number } | undefined;
  readonly index: number;
}
