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
  | (TailCallPlace & { readonly kind: 'tail-call-refused'; readonly reason: RefusalReason | undefined });

interface TailCallPlace {
  readonly code: CodeFunction;
  readonly site: TailCallSite;
  /** R2: address of the prog array. */
  readonly array: bigint;
  /** R3, of which 32 bits count. */
  readonly index: number;
  /** a6 */
  readonly a6: bigint;
}
