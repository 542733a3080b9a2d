import type { PassLog } from './types';

/** `dry-run` counts without prologue; `first-image` writes an image whose calls to other functions are still open. */
export type PassKind = 'dry-run' | 'round' | 'first-image' | 'final';

/** What one pass found, in halfwords. */
export interface PassRecord {
  readonly kind: PassKind;
  readonly prologue: number;
  readonly total: number;
  /** Position of each slot's end. */
  readonly ends: Int32Array;
}

/** The pass log: sizes are worked out when they are asked for. */
export function passLog(records: readonly PassRecord[]): PassLog {
  return {
    passes: records.map(({ kind, prologue, total, ends }) => {
      let sizes: Int32Array | undefined;
      return {
        kind,
        prologue: 2 * prologue,
        total: 2 * total,
        get sizes() {
          return (sizes ??= Int32Array.from(
            ends,
            (end, i) => 2 * (end - (i > 0 ? (ends[i - 1] ?? 0) : prologue)),
          ));
        },
      };
    }),
  };
}
